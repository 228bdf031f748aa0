// `mirrord verify-config FILE`: says what is wrong with a configuration file without touching any cluster.

import { exitCodes } from "../core/base/errors.ts";
import { verifyConfig as verify } from "../core/config/load.ts";
import { parseTargetPath } from "../core/target/path.ts";
import { printLine } from "./ui.ts";

/** Prints errors and warnings, one a line; resolves with 0 or the exit code for a bad configuration; throws for what cannot be read, and for a bad target. */
export async function verifyConfig(file: string): Promise<number> {
  const verdict = await verify({ file, flags: {}, env: new Map(), templateEnv: Deno.env });
  for (const error of verdict.errors) printLine(`error: ${error}`);
  for (const warning of verdict.warnings) printLine(`warning: ${warning}`);
  for (const help of verdict.help) printLine(`help: ${help}`);
  if (verdict.errors.length > 0) return exitCodes.config;
  if (verdict.config?.target.path !== undefined) parseTargetPath(verdict.config.target.path);
  printLine(`"${file}" can be used`);
  return 0;
}
