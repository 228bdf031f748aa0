// Brings the agent to a target: into its pod, or beside a process of this machine. Called by the commands; what
// it returns owns the agent, and disposing it lets the agent go.

import type { Config } from "../config/config.ts";
import type { NoTarget, Target } from "../target/target.ts";
import type { AgentLink } from "./connect.ts";
import { deployEphemeral } from "./ephemeral.ts";
import { SessionKey } from "./key.ts";
import { deployLocal } from "./local.ts";
import { Startup } from "./startup.ts";

/** What the session will ask of the agent: it gets the rights for that and no others. */
export interface DeployNeeds {
  steal: boolean;
  mirror?: boolean;
  env: boolean;
  /** Names are looked up in the target's network, by the target's files. */
  dns?: boolean;
  /** Connections are made in the target's network. */
  outgoing?: boolean;
  /** What may be done with the target's files; absent: nothing. */
  files?: "read" | "write";
  signal?: AbortSignal;
}

/** An agent that was started. `connect` once; dispose after the link. */
export interface Deployed extends AsyncDisposable {
  /** Opens the link and proves who we are; throws DeployError when the agent does not take it. */
  connect(): Promise<AgentLink>;
}

/** Starts the agent; it leaves by itself when no client comes. The target is disposed with the result, or on failure. */
export async function deployAgent(
  target: Exclude<Target, NoTarget>,
  config: Config,
  needs: DeployNeeds,
): Promise<Deployed> {
  const startup = new Startup(config.agent.startupTimeoutSeconds, needs.signal);
  try {
    const key = await SessionKey.generate();
    const order = { config: config.agent, needs, key, startup };
    return target.kind === "pod" ? await deployEphemeral(target, order) : await deployLocal(target, order);
  } catch (error) {
    startup[Symbol.dispose]();
    target[Symbol.dispose]();
    throw error;
  }
}
