// Which variables of the target stay out of the app's environment unless the configuration names one: those
// that make a program of this machine run or load something, and those that name the places of its own files.
// Called by env.ts. The names stand in env_places.ts, env_programs.ts and env_languages.ts, each group with
// its source; docs/variables.md is made from them. Invariant: a name that a program reads in any letter case
// is recognized in any letter case.

import { compileGlobs, type Globs } from "../../protocol-wasm/mod.ts";
import type { VariableGroup } from "./env_group.ts";
import { languageVariables } from "./env_languages.ts";
import { placeVariables } from "./env_places.ts";
import { programVariables } from "./env_programs.ts";

/** The reason for which a group stays out; places are not worth a line of their own. */
export type Reason = "code" | "place";

/** All groups: first what runs or loads code, then where things lie. */
export const machineVariables: readonly (VariableGroup & { reason: Reason })[] = [
  ...[...programVariables, ...languageVariables].map((group) => ({ ...group, reason: "code" as const })),
  ...placeVariables.map((group) => ({ ...group, reason: "place" as const })),
];

/**
 * The variables that Kubernetes sets for Services, whose names can be anything ("Discovering services",
 * environment variables).
 */
export const kubernetesNames: readonly string[] = [
  "*_SERVICE_HOST",
  "*_SERVICE_PORT",
  "*_SERVICE_PORT_*",
  "*_PORT",
  "*_PORT_*",
];
const kubernetesName = /_(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT(_\d+_(TCP|UDP|SCTP)(_(ADDR|PORT|PROTO))?)?)$/;
const kubernetesValue = /^(\d{1,5}|[\da-f]+[.:][\da-f.:]+|(tcp|udp|sctp)(:\/\/[\da-f.:[\]]+:\d+)?)$/;

/** Longer names are no program's: globs do not look at them, so they stay out as well. */
const longestName = 1024;

function globsOf({ names }: VariableGroup): string[] {
  return names.trim().split(/\s+/);
}

/** Every glob, as the documentation and its test list them. */
export function defaultNames(): string[] {
  return machineVariables.flatMap(globsOf);
}

/**
 * The globs that are sent to the agent, so that these variables do not leave the pod. The session checks what
 * comes again: names in mixed letters, and values, are recognized only there.
 */
export function defaultExclude(): string[] {
  return machineVariables.filter(({ harmless }) => harmless === undefined).flatMap((group) => {
    const globs = globsOf(group);
    if (group.anyCase !== true) return globs;
    return [...globs, ...globs.map((glob) => glob.toLowerCase()), ...globs.map((glob) => glob.toUpperCase())];
  });
}

/** The list, compiled; ends with its scope. */
export class MachineVariables implements Disposable {
  readonly #groups: { globs: Globs; group: VariableGroup; reason: Reason }[];

  constructor() {
    // One set of globs for each way of looking: hundreds of names are one question then.
    const ways = new Map<string, { names: string[]; group: VariableGroup; reason: Reason }>();
    for (const group of machineVariables) {
      const key = `${group.reason} ${group.anyCase} ${group.harmless?.source}`;
      const way = ways.get(key) ?? { names: [], group, reason: group.reason };
      ways.set(key, way);
      const globs = globsOf(group);
      way.names.push(...(group.anyCase === true ? globs.map((glob) => glob.toLowerCase()) : globs));
    }
    this.#groups = [...ways.values()].map(({ names, ...way }) => ({ ...way, globs: compileGlobs(names) }));
  }

  /** Why `name` stays out, with this value if it has one; undefined: it does not. */
  reasonFor(name: string, value?: string): Reason | undefined {
    if (name.length > longestName) return "code";
    if (value !== undefined && kubernetesName.test(name) && kubernetesValue.test(value)) return undefined;
    return this.#groups.find(({ globs, group }) =>
      globs.matches(group.anyCase === true ? name.toLowerCase() : name) &&
      !(value !== undefined && group.harmless?.test(value) === true)
    )?.reason;
  }

  [Symbol.dispose](): void {
    for (const { globs } of this.#groups) globs[Symbol.dispose]();
  }
}
