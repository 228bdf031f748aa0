// `mirrord explain WHAT`: where a path, a host or a port would go, and which rule decides. It reads the
// configuration and, where a target is named, the target's mounts and ports; it starts nothing.

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
import { printLine } from "./ui.ts";

const { workingDirectory } = await platform.files();

/** Prints a line for each question about `command.what`. */
export async function explain(command: ExplainCommand): Promise<number> {
  using interrupt = interruptible();
  const { target: path, steal, fsMode, portMap } = command;
  const flags = { ...clusterFlags(command), target: path, steal, fsMode, portMap };
  const config = await configOf(command, flags, { targetLater: path === undefined });
  using target = await targetOf(config, interrupt.signal);
  const answers = answersTo(command.what, config, target);
  if (command.output === "json") printLine(JSON.stringify(answers, null, 2));
  else for (const { what, whose, why } of answers) printLine(`${what}: ${whose}, ${why}`);
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

function answersTo(what: string, config: Config, target: Target): Explained[] {
  const [, port] = /^:?(\d{1,5})$/.exec(what) ?? [];
  if (port !== undefined) return explainPort(Number(port), incomingRules(config, target));
  if (/^\.{0,2}\//.test(what)) {
    const here = workingDirectory();
    const absolute = new URL(
      what.replaceAll("%", "%25").replaceAll("?", "%3F").replaceAll("#", "%23"),
      `file://${here}/`,
    );
    return explainPath(
      decodeURIComponent(absolute.pathname),
      filesRules(config, target, { program: "", emit() {} }),
    );
  }
  const [, bracketed, host = what, hostPort] = /^(?:\[([^\]]+)\]|([^:]+))(?::(\d{1,5}))?$/.exec(what) ?? [];
  return explainHost(bracketed ?? host, hostPort === undefined ? null : Number(hostPort), config);
}
