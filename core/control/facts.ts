// What a session tells of itself, from what it was opened with. Called by cmd/open_session.ts.

import { mirrordVersion } from "../base/version.ts";
import type { Config } from "../config/config.ts";
import type { ConnectedAgent } from "../deploy/connect.ts";
import type { Target } from "../target/target.ts";
import { platform } from "../net/this_platform.ts";
import type { SessionFacts } from "./messages.ts";
import type { OpeningFacts } from "./record.ts";

const { workingDirectory } = await platform.files();

/** What the caller knows beside the configuration. */
export interface Opening {
  kind: SessionFacts["kind"];
  command: readonly string[];
  target: Target;
  /** null: nothing is asked of the target. */
  agent: ConnectedAgent | null;
}

/** The facts of a session that opens. */
export function factsOf(config: Config, { kind, command, target, agent }: Opening): OpeningFacts {
  const cluster = target.kind === "pod" || target.kind === "cluster" ? target : null;
  return {
    version: mirrordVersion,
    kind,
    command: [...command],
    directory: workingDirectory(),
    target: target.path,
    namespace: cluster?.namespace ?? null,
    context: cluster?.kube.contextName ?? null,
    config: config.file ?? null,
    agent: agent === null ? null : agentOf(config, target, agent),
  };
}

function agentOf(config: Config, target: Target, { kernel }: ConnectedAgent): SessionFacts["agent"] {
  switch (target.kind) {
    case "pod":
      return { place: `pod ${target.pod}`, node: target.node, image: config.agent.image, kernel };
    case "cluster":
      return { place: "a pod of its own", node: null, image: config.agent.image, kernel };
    default:
      return { place: "this machine", node: null, image: null, kernel };
  }
}
