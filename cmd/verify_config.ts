// `mirrord verify-config FILE`: reports what is wrong with a configuration file without touching any cluster.
// For editors (--ide) the verdict is JSON, in upstream's shape, and the exit code 0 either way.

import { exitCodes, MirrordError } from "../core/base/errors.ts";
import { environment } from "../core/base/variables.ts";
import { type Config, type Verdict, verifyConfig as verify } from "../core/config/load.ts";
import { writtenConfig } from "../core/config/written.ts";
import { parseTargetPath } from "../core/target/path.ts";
import type { VerifyCommand } from "./commands.ts";
import { printLine } from "./ui.ts";

/** What an editor may offer for a file without a target. */
const targetTypes = ["targetless", "pod", "deployment"];

/**
 * Prints the verdict; resolves with 0 or the exit code for a bad configuration. Throws MirrordError for what
 * cannot be read.
 */
export async function verifyConfig(command: VerifyCommand): Promise<number> {
  if (!command.ide && !command.resolved) return printVerdict(command.file, await load(command.file));
  let verdict: Verdict;
  try {
    verdict = await load(command.file);
  } catch (error) {
    if (!(error instanceof MirrordError)) throw error;
    verdict = { config: undefined, errors: [error.message], warnings: [], help: [error.help] };
  }
  printLine(JSON.stringify(machineVerdict(verdict, command.resolved === true), null, 2));
  return command.ide || verdict.errors.length === 0 ? 0 : exitCodes.config;
}

async function load(file: string): Promise<Verdict> {
  const verdict = await verify({ file, flags: {}, env: environment, targetLater: true });
  const path = verdict.config?.target.path;
  if (path !== undefined) parseTargetPath(path);
  return verdict;
}

function printVerdict(file: string, verdict: Verdict): number {
  verdict.errors.forEach((error, index) => {
    printLine(`error: ${error}`);
    const help = verdict.help[index];
    if (help !== undefined) printLine(`  help: ${help}`);
  });
  for (const warning of verdict.warnings) printLine(`warning: ${warning}`);
  const { config } = verdict;
  if (config === undefined) return exitCodes.config;
  const isUsable = config.target.path !== undefined || config.incoming.mode !== "steal";
  printLine(
    `"${file}" ${isUsable ? "can be used" : "is usable with --target: it steals and names no target"}`,
  );
  if (isUsable && config.agent.pod !== null) {
    printLine(
      "Without --target the app has the cluster's network and names, by an agent in a pod of its own, and this " +
        "machine's listeners, files and variables",
    );
  }
  return 0;
}

function machineVerdict({ config, errors, warnings, help }: Verdict, resolved: boolean): unknown {
  if (config === undefined) return { type: "Fail", errors: errors.map((one, at) => joined(one, help[at])) };
  return {
    type: "Success",
    config: { path: targetObject(config), namespace: config.target.namespace ?? null },
    warnings,
    compatible_target_types: targetTypes,
    ...(resolved ? { resolved_config: writtenConfig(config) } : {}),
  };
}

/** Editors show the errors alone. */
function joined(error: string, help: string | undefined): string {
  return help === undefined ? error : `${error}. ${help}`;
}

/** null, "targetless", or an object such as {"deployment": "api", "container": "web"}. */
function targetObject({ target }: Config): unknown {
  if (target.path === undefined) return null;
  const path = parseTargetPath(target.path);
  switch (path.kind) {
    case "targetless":
      return "targetless";
    case "process":
      return target.path;
    default:
      return {
        [path.kind]: path.name,
        ...(path.container === undefined ? {} : { container: path.container }),
      };
  }
}
