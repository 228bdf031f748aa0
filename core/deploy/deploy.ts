// Brings the agent to a target: into its pod, beside a process of this machine, or into a pod of its own.
// Called by the commands; what it returns owns the agent, and disposing it lets the agent go.

import { SigningKey } from "../../protocol-wasm/mod.ts";
import type { Config } from "../config/config.ts";
import type { NoTarget, Target } from "../target/target.ts";
import { deployEphemeral } from "./ephemeral.ts";
import { deployJob } from "./job.ts";
import { deployLocal } from "./local.ts";
import { type Deployed, type DeployNeeds, type DeployOrder, introduce } from "./order.ts";
import { Startup } from "./startup.ts";

async function deployTo(target: Exclude<Target, NoTarget>, order: DeployOrder): Promise<Deployed> {
  switch (target.kind) {
    case "pod":
      return await deployEphemeral(target, order);
    case "process":
      return await deployLocal(target, order);
    case "cluster": {
      if (order.config.pod === null) throw new TypeError("the configuration has no pod for the agent");
      return await deployJob(target, order, order.config.pod);
    }
  }
}

/** Its link sends the session's user, before anything else. */
function introduced(deployed: Deployed): Deployed {
  return {
    async connect() {
      const agent = await deployed.connect();
      await introduce(agent);
      return agent;
    },
    [Symbol.asyncDispose]: () => deployed[Symbol.asyncDispose](),
  };
}

/**
 * Starts the agent; it leaves by itself when no client comes. The target is disposed with the result, or on
 * failure.
 */
export async function deployAgent(
  target: Exclude<Target, NoTarget>,
  config: Config,
  needs: DeployNeeds,
): Promise<Deployed> {
  const startup = new Startup(config.agent.startupTimeoutSeconds, needs.signal);
  try {
    const key = await SigningKey.generate();
    return introduced(await deployTo(target, { config: config.agent, needs, key, startup }));
  } catch (error) {
    startup[Symbol.dispose]();
    target[Symbol.dispose]();
    throw error;
  }
}
