// Reads `feature.env.env_file`: a dotenv file. Called by core/session/app_env.ts; the library (CommonJS) is
// loaded with this module.

import { parse } from "dotenv";
import { ConfigError } from "../base/errors.ts";

/** The variables in the dotenv file at `path`. Throws ConfigError when it cannot be read. */
export async function readEnvFile(path: string): Promise<Record<string, string>> {
  try {
    return parse(await Deno.readTextFile(path));
  } catch (cause) {
    const state = cause instanceof Deno.errors.NotFound
      ? "there is no such file"
      : cause instanceof Error
      ? cause.message
      : cause;
    throw new ConfigError(`Cannot read "${path}": ${state}`, {
      cause,
    });
  }
}
