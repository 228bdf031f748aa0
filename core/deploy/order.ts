// What every way of deploying is given, and the agent's arguments that all of them share.

import type { AgentConfig } from "../config/config.ts";
import { mirrordVersion } from "../base/version.ts";
import type { DeployNeeds } from "./deploy.ts";
import type { SessionKey } from "./key.ts";
import type { Startup } from "./startup.ts";

/** One deployment. */
export interface DeployOrder {
  config: AgentConfig;
  needs: DeployNeeds;
  key: SessionKey;
  startup: Startup;
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
    "--owner",
    ownerText(),
    "--first-client-limit",
    String(config.communicationTimeoutSeconds),
    "--lost-limit",
    String(Math.min(lostLimitSeconds, config.communicationTimeoutSeconds)),
  ];
}

/** Who runs this session, for others who want the same port: `user@host, mirrord 0.1.0`. */
function ownerText(): string {
  const user = Deno.env.get("USER") ?? Deno.env.get("LOGNAME") ?? `uid ${Deno.uid()}`;
  return `${user}@${Deno.hostname()}, mirrord ${mirrordVersion}`.slice(0, 200);
}
