// The app's environment by the configuration's rules (feature.env): this machine's own variables, and over
// them the target's. Called by cmd/exec.ts; env.ts fetches the target's variables.

import { variables } from "../base/variables.ts";
import type { Config } from "../config/config.ts";
import { readEnvFile } from "../config/dotenv.ts";
import { type EnvRules, type Fetched, mappingRules, mergeEnvironment } from "./env.ts";

/** null: the app keeps the environment that mirrord has. */
export async function environmentRules({ env }: Config): Promise<EnvRules | null> {
  if (env === null) return null;
  const { mapping, envFile, ...rules } = env;
  return {
    ...rules,
    mapping: mappingRules(mapping),
    file: envFile === undefined ? {} : await readEnvFile(envFile),
  };
}

/** `remote`: the target's variables. */
export function appEnvironment(
  rules: EnvRules | null,
  remote: Fetched["variables"],
): Record<string, string> {
  return rules === null ? variables() : mergeEnvironment(variables(), remote, rules);
}
