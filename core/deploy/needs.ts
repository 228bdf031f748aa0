// What a session will ask of the target, by the configuration: the agent gets the rights for that. Called by
// cmd/steps.ts.

import type { Config } from "../config/config.ts";
import type { Target } from "../target/target.ts";
import type { DeployNeeds } from "./order.ts";

/** null: nothing is asked of the target, so no agent is needed. A cluster alone has no variables. */
export function needsOf(config: Config, target: Pick<Target, "kind">): DeployNeeds | null {
  if (target.kind === "targetless") return null;
  const { incoming: { mode }, outgoing, files } = config;
  const needs = {
    steal: mode === "steal",
    mirror: mode === "mirror",
    env: config.env !== null && target.kind !== "cluster",
    dns: config.dns.enabled || config.dns.hostname,
    outgoing: outgoing.tcp || outgoing.udp,
  };
  if (files.mode === "local") return Object.values(needs).includes(true) ? needs : null;
  return { ...needs, files: files.mode === "write" || files.readWrite.length > 0 ? "write" : "read" };
}
