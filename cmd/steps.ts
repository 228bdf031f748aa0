// The steps of `mirrord exec` as the user sees them: the text while each runs, and when it is done. Called by
// exec.ts.

import { log } from "../core/base/log.ts";
import { beginStep } from "../core/base/progress.ts";
import { sentImage } from "../core/config/agent_image.ts";
import type { Config } from "../core/config/config.ts";
import type { ConnectedAgent } from "../core/deploy/connect.ts";
import { deployAgent } from "../core/deploy/deploy.ts";
import { needsOf } from "../core/deploy/needs.ts";
import { preparePayloads } from "../core/deploy/payload.ts";
import { type EnvRules, type Fetched, fetchEnvironment, sayLeft } from "../core/session/env.ts";
import type { SessionEvent } from "../core/session/events.ts";
import { resolveTarget, type Target } from "../core/target/resolve.ts";
import { sentenceOf } from "./session_sentences.ts";
import { summarize } from "./summary.ts";
import { showEvent } from "./ui.ts";

/** What happens in the session, for people and for programs. */
export function tell(event: SessionEvent): void {
  showEvent(event, sentenceOf(event));
}

export async function findTarget(config: Config, signal: AbortSignal): Promise<Target> {
  using step = beginStep("Looking for the target");
  // A process has no image, and an agent's own pod another.
  if (config.agent.image === sentImage && /^(pod|deployment)\//.test(config.target.path ?? "")) {
    preparePayloads();
  }
  const target = await resolveTarget(config, { signal });
  step.done(
    target.kind === "targetless"
      ? "No target: the app runs with this machine's own network, names, files and variables"
      : target.kind === "cluster"
      ? `No target: the app has the network and names of the namespace "${target.namespace}"; its listeners, files and variables are this machine's own`
      : `Target: ${target.label}`,
  );
  return target;
}

/**
 * Brings the agent to the target and opens its link, both owned by `stack`; null when nothing is asked of the
 * target.
 */
export async function openAgent(
  config: Config,
  target: Target,
  stack: AsyncDisposableStack,
  start: { signal: AbortSignal; forced: boolean },
): Promise<ConnectedAgent | null> {
  if (target.kind === "targetless") return null;
  const needs = needsOf(config, target);
  if (needs === null) {
    log.info("Nothing is asked of the target, so no agent is started");
    target[Symbol.dispose]();
    return null;
  }
  using step = beginStep("Starting the agent", { slow: true });
  const deployed = stack.use(await deployAgent(target, config, { ...needs, ...start }));
  const agent = stack.use(await deployed.connect());
  step.done("Agent started");
  return agent;
}

/** The target's variables, as far as they are asked for. */
export async function readVariables(
  rules: EnvRules | null,
  agent: ConnectedAgent | null,
): Promise<Fetched["variables"]> {
  if (rules === null || agent === null) return new Map();
  using step = beginStep("Reading the target's environment variables");
  const { variables, left } = await fetchEnvironment(agent.link, rules);
  step.done(`${variables.size} environment variables of the target`);
  sayLeft(left, tell);
  return variables;
}

/** The app's arguments are not said: they may hold a secret. `alone`: nothing is asked of the target. */
export function sayRunning(
  program: string,
  config: Config,
  { target, alone, skipped }: { target: Target; alone: boolean; skipped: ReadonlySet<string> },
): void {
  const name = program.replace(/^.*\//, "");
  const whose = target.kind === "cluster" ? "cluster" : "target";
  using step = beginStep("Running");
  const what = `with the ${whose}'s ${summarize(config)}`;
  if (alone) step.done(`Running ${name}`);
  else if (skipped.has(name)) {
    step.done(`Running ${name} on this machine, as its name is skipped, and what it starts ${what}`);
  } else step.done(`Running ${name} ${what}`);
}

/** `count` processes of the app live on. */
export function sayOutliving(count: number): void {
  if (count === 0) return;
  log.warning(`The app ended, but ${count} of its processes live on: the target's traffic leaves them now`);
}
