// What every way of deploying is given and returns, and the agent's arguments that all of them share.

import type { SigningKey } from "../../protocol-wasm/mod.ts";
import type { AgentConfig } from "../config/config.ts";
import { variable } from "../base/variables.ts";
import { agentMessages } from "../../protocol-wasm/mod.ts";
import { mirrordVersion } from "../base/version.ts";
import type { ConnectedAgent } from "./connect.ts";
import type { Payload } from "./payload.ts";
import type { Startup } from "./startup.ts";

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
  /** Where the pod has too little memory for an agent too. */
  forced?: boolean;
  signal?: AbortSignal;
}

/** An agent that was started. `connect` once; dispose after the link. */
export interface Deployed extends AsyncDisposable {
  /**
   * Opens the link and proves this session's identity; throws DeployError when the agent does not accept it.
   */
  connect(): Promise<ConnectedAgent>;
}

/** One deployment. */
export interface DeployOrder {
  config: AgentConfig;
  needs: DeployNeeds;
  key: SigningKey;
  startup: Startup;
  /** What is sent where there is no image, for each machine; this release's programs unless given. */
  payloads?: () => Promise<Payload[]>;
}

/** An agent whose client is silent for longer leaves; the client pings more often than that. */
const lostLimitSeconds = 15;

/** The agent's command line after the program; `place` says where it listens and what its target is. */
export function agentArguments({ key, config }: DeployOrder, place: readonly string[]): string[] {
  return [
    "agent",
    ...place,
    "--public-key",
    key.publicKey,
    ...(config.owner === undefined ? [] : ["--owner", config.owner]),
    "--first-client-limit",
    String(config.communicationTimeoutSeconds),
    "--lost-limit",
    String(Math.min(lostLimitSeconds, config.communicationTimeoutSeconds)),
    "--heartbeat-limit",
    String(config.heartbeatTimeoutSeconds),
    "--http-detection",
    String(config.httpDetectionTimeoutSeconds),
  ];
}

/**
 * Sends the agent this session's user, for other sessions that want the same port: `user@host, mirrord
 * 0.1.0`. By the link, since a pod's spec can be read by every user who may read pods, as long as the pod
 * lives.
 */
export async function introduce({ link }: ConnectedAgent): Promise<void> {
  if (link.version >= agentMessages.owner.since) {
    await link.send("owner", link.nextId(), { text: ownerText() });
  }
}

function ownerText(): string {
  const user = variable("USER") ?? variable("LOGNAME") ?? `uid ${Deno.uid()}`;
  return `${user}@${Deno.hostname()}, mirrord ${mirrordVersion}`.slice(0, 200);
}
