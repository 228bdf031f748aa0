// The app's environment by the configuration's rules (feature.env): this machine's own variables, and over
// them the target's. Called by cmd/exec.ts, and by cmd/ext.ts for what an editor starts; env.ts fetches the
// target's variables.

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

/** What an editor does to the environment of a program that it starts. */
export interface EnvironmentChange {
  set: Record<string, string>;
  /** Names to remove. */
  unset: string[];
}

/**
 * The same as a change of an environment that mirrord does not see. It begins with this machine's own values
 * of `kept`: variables that mirrord puts its own in front of.
 */
export function environmentChange(
  rules: EnvRules | null,
  remote: Fetched["variables"],
  kept: readonly string[],
): EnvironmentChange {
  const own = variables();
  const begin = Object.fromEntries(Object.entries(own).filter(([name]) => kept.includes(name)));
  if (rules === null) return { set: begin, unset: [] };
  const unset = new Set(rules.unset.map((name) => name.toLowerCase()));
  return {
    set: mergeEnvironment(begin, remote, rules),
    // Editors compare letter by letter, the rules do not.
    unset: [
      ...new Set([...rules.unset, ...Object.keys(own).filter((name) => unset.has(name.toLowerCase()))]),
    ],
  };
}
