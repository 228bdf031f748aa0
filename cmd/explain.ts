// `mirrord explain WHAT`: where a path, a host or a port would go, and which rule decides. It reads the
// configuration and, where a target is named, the target's mounts and ports; it starts nothing.

import { resolve } from "node:path";
import { MirrordError } from "../core/base/errors.ts";
import { log } from "../core/base/log.ts";
import type { Config } from "../core/config/config.ts";
import { interruptible } from "../core/launch/interrupts.ts";
import { platform } from "../core/net/this_platform.ts";
import { type Explained, explainHost, explainPath, explainPort } from "../core/session/explained.ts";
import { filesRules } from "../core/session/files_rules.ts";
import { incomingRules } from "../core/session/incoming_rules.ts";
import { resolveTarget, type Target } from "../core/target/resolve.ts";
import type { ExplainCommand } from "./commands.ts";
import { clusterFlags, configOf } from "./config_flags.ts";
import { readWhat, type What } from "./explain_what.ts";
import { printLine } from "./ui.ts";

const { workingDirectory } = await platform.files();

/** Prints a line for each question about `command.what`. */
export async function explain(command: ExplainCommand): Promise<number> {
  using interrupt = interruptible();
  const what = readWhat(command.what);
  const { target: path, steal, fsMode, portMap } = command;
  const flags = { ...clusterFlags(command), target: path, steal, fsMode, portMap };
  const config = await configOf(command, flags, { targetLater: path === undefined });
  using target = await targetOf(config, interrupt.signal);
  const answers = answersTo(what, config, target);
  if (command.output === "json") printLine(JSON.stringify(answers, null, 2));
  else for (const answer of answers) printLine(`${answer.what}: ${answer.whose}, ${answer.why}`);
  return 0;
}

/** The target, where one is named and can be asked; without it its mounts and ports are unknown. */
async function targetOf(config: Config, signal: AbortSignal): Promise<Target> {
  const none: Target = { kind: "targetless", path: "targetless", label: "none", [Symbol.dispose]() {} };
  if (config.target.path === undefined) return none;
  try {
    return await resolveTarget(config, { signal });
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof MirrordError)) throw error;
    log.warning(`The target's volumes and ports are not known: ${error.message}`);
    return none;
  }
}

function answersTo(what: What, config: Config, target: Target): Explained[] {
  if (what.kind === "port") return explainPort(what.port, incomingRules(config, target));
  if (what.kind === "host") return explainHost(what.host, what.port, config);
  const path = resolve(workingDirectory(), what.path);
  return explainPath(path, filesRules(config, target, { program: "", emit() {} }));
}
