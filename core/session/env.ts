// The environment variables of the target: fetched through the agent before the app starts, then laid over
// the developer's own. Called by cmd/exec.ts. Invariant: what the configuration or the list of env_default.ts
// leaves out is not sent by the agent, and is dropped if it is. The list holds known names: what a program of
// the app itself does with a value (a script that evaluates it, a Makefile that expands it) is not seen here.

import {
  type AgentLink,
  compileGlobs,
  concatenate,
  E,
  environmentComplaint,
  type Globs,
  LinkError,
  NonsenseError,
  RemoteError,
} from "../../protocol-wasm/mod.ts";
import { exitCodes, SessionError } from "../base/errors.ts";
import { log } from "../base/log.ts";
import { osText } from "../base/os_text.ts";
import { pauseOrEnd } from "../base/pause.ts";
import { groupReplacement, nameExpression } from "../config/name_pattern.ts";
import type { Emit } from "./events.ts";
import { defaultExclude, kubernetesNames, MachineVariables, type Reason } from "./env_default.ts";

/** The rules of `feature.env`, in the order in which they apply. */
export interface EnvRules {
  /** Globs over names; empty = all. */
  include: string[];
  exclude: string[];
  /** Variables out of `env_file`. */
  file: Record<string, string>;
  /** Pattern over names → new value. */
  mapping: { matches: (name: string) => boolean; value: (name: string) => string }[];
  override: Record<string, string>;
  /** Names removed from the app's environment, whatever their case. */
  unset: string[];
}

/** What one request asks for: globs over names; no include means all. */
interface Selection {
  include: string[];
  exclude: string[];
}

/**
 * What a session takes of the target's variables, and the names of what it leaves there because of the list.
 */
export interface Fetched {
  variables: Map<string, string>;
  left: { name: string; reason: Reason }[];
}

type Rules = Pick<EnvRules, "include" | "exclude">;

/** The names that `include` has in full: a wildcard does not mean what the list leaves out. */
function namedIn(include: readonly string[]): ReadonlySet<string> {
  return new Set(include.filter((name) => !/[*?]/.test(name)));
}

/**
 * The requests that fetch what `config` asks for. The variables of the list stay out of each, except those
 * that Kubernetes sets for Services, whatever their names, and those that `include` names in full.
 */
export function selections({ include, exclude }: Rules): Selection[] {
  const all = [
    { include, exclude: [...defaultExclude(), ...exclude] },
    { include: [...kubernetesNames], exclude },
  ];
  const inFull = [...namedIn(include)];
  if (inFull.length === 0) return all;
  using machine = new MachineVariables();
  const named = inFull.filter((name) => machine.reasonFor(name) !== undefined);
  return named.length === 0 ? all : [...all, { include: named, exclude }];
}

/**
 * Rules out of `feature.env.mapping`: pattern over the name → value, in which $1 or ${word} stands for a
 * group.
 */
export function mappingRules(mapping: Record<string, string>): EnvRules["mapping"] {
  return Object.entries(mapping).map(([pattern, value]) => {
    const expression = nameExpression(pattern);
    const replacement = groupReplacement(value);
    return {
      matches: (name) => expression.test(name),
      value: (name) => expression.exec(name)?.[0].replace(expression, replacement) ?? value,
    };
  });
}

/** The version of the agent link that brought the question for names. */
const namesSince = 4;
/**
 * How long the names of what stays in the target, which are for one line, are waited for when the variables
 * are there.
 */
const namesLimitMs = 1000;

/** Asks the agent for the variables of the target's process; throws SessionError when they cannot be had. */
export async function fetchEnvironment(
  link: AgentLink,
  config: Rules,
  limitMs = namesLimitMs,
): Promise<Fetched> {
  const [late, over] = [new AbortController(), new AbortController()];
  const names = fetchLeftNames(link, config, late.signal);
  try {
    const parts = await Promise.all(
      selections(config).map((selection) => fetchSelection(link, selection)),
    );
    void pauseOrEnd(limitMs, over.signal).then(() => late.abort(new Error("the agent does not send them")));
    return sorted(parts.flat(), await names, config);
  } finally {
    over.abort();
    late.abort(new Error("the variables cannot be had"));
  }
}

async function fetchSelection(
  link: AgentLink,
  selection: Selection,
): Promise<[name: string, value: string][]> {
  const replies = await link.request("env", question(selection)).catch((error) => {
    throw explain(error);
  });
  const parts = replies.map((reply) => reply.body);
  const complaint = environmentComplaint(parts);
  if (complaint !== null) throw explain(new NonsenseError(`Cannot accept the answer to "env": ${complaint}`));
  return [...parseEnvironment(parts)];
}

/** The names that the list keeps in the target; none from an agent that is too old to be asked. */
async function fetchLeftNames(
  link: AgentLink,
  { exclude }: Rules,
  signal: AbortSignal,
): Promise<string[]> {
  if (link.version < namesSince) return [];
  try {
    const asked = question({ include: defaultExclude(), exclude });
    const replies = await link.request("envNames", asked, { signal });
    const parts = replies.map((reply) => reply.body);
    const complaint = environmentComplaint(parts);
    if (complaint !== null) throw new NonsenseError(`Cannot accept the answer to "envNames": ${complaint}`);
    const text = osText(concatenate(parts));
    return text.split("\0").filter((name) => name !== "");
  } catch (error) {
    log.debug(`Which variables stay in the target is not known: ${error}`); // `env` fails with the same, and says it
    return [];
  }
}

function question({ include, exclude }: Selection): { include: string; exclude: string } {
  return { include: include.join("\n"), exclude: exclude.join("\n") };
}

/**
 * What comes is checked again: an agent may send anything, and names in mixed letters and values are
 * recognized only here.
 */
function sorted(pairs: [name: string, value: string][], left: string[], config: Rules): Fetched {
  using wanted = compileGlobs(config.include);
  using unwanted = compileGlobs(config.exclude);
  using machine = new MachineVariables();
  const named = namedIn(config.include);
  const variables = new Map<string, string>();
  const reasons = new Map<string, Reason>();
  for (const [name, value] of pairs) {
    if (!isAsked(name, { config, wanted, unwanted })) continue;
    const reason = named.has(name) ? undefined : machine.reasonFor(name, value);
    if (reason === undefined) variables.set(name, value);
    else reasons.set(name, reason);
  }
  for (const name of left) {
    const reason = named.has(name) ? undefined : machine.reasonFor(name);
    if (variables.has(name)) continue; // its value runs nothing
    if (reason !== undefined && isAsked(name, { config, wanted, unwanted })) reasons.set(name, reason);
  }
  return { variables, left: [...reasons].map(([name, reason]) => ({ name, reason })) };
}

function isAsked(
  name: string,
  { config, wanted, unwanted }: { config: Rules; wanted: Globs; unwanted: Globs },
): boolean {
  return (config.include.length === 0 || wanted.matches(name)) && !unwanted.matches(name);
}

/** The line about the event shows so many. */
export const shownVariables = 12;

/** Reports which variables of the target were left out because of the list: names, never values. */
export function sayLeft(left: Fetched["left"], emit: Emit): void {
  // Images state the versions of their tools this way (YARN_VERSION): those are worth no line.
  const reasonOf = ({ name, reason }: Fetched["left"][number]) =>
    name.endsWith("_VERSION") ? "place" : reason;
  const names = (reason: Reason) =>
    left.filter((one) => reasonOf(one) === reason).map(({ name }) => name).sort();
  const [code, places] = [names("code"), names("place")];
  if (code.length > 0) {
    emit({ type: "variablesLeft", names: code });
    if (code.length > shownVariables) log.debug(`All of them: ${code.map(shownVariable).join(", ")}`);
  }
  if (places.length > 0) {
    log.debug(
      `This machine's own values of ${places.map(shownVariable).join(", ")} are kept (docs/variables.md)`,
    );
  }
}

/** Long names are somebody's attempt to fill the screen. */
export function shownVariable(name: string): string {
  return name.length > 64 ? `${name.slice(0, 64)}…` : name;
}

function explain(error: unknown): unknown {
  if (error instanceof NonsenseError) {
    return new SessionError(`Cannot take the target's variables: ${error.message}`, { cause: error });
  }
  if (error instanceof LinkError) {
    return new SessionError(`Cannot fetch the target's variables: the agent is gone (${error.message})`, {
      cause: error,
    });
  }
  if (!(error instanceof RemoteError)) return error;
  return new SessionError(error.message, {
    help: 'Without the target\'s variables it goes on: "feature": {"env": false}.',
    exitCode: error.errno === E.EACCES ? exitCodes.permission : exitCodes.unavailable,
  });
}

/** Reads `NAME=value\0` pairs (proc_pid_environ(5)), whatever their bytes: texts of core/base/os_text.ts. */
export function parseEnvironment(chunks: Uint8Array[]): Map<string, string> {
  const block = concatenate(chunks);
  const variables = new Map<string, string>();
  for (let start = 0; start < block.length;) {
    const zero = block.indexOf(0, start);
    const end = zero < 0 ? block.length : zero;
    const equals = block.indexOf(0x3d, start);
    if (equals > start && equals < end) {
      variables.set(osText(block.subarray(start, equals)), osText(block.subarray(equals + 1, end)));
    }
    start = end + 1;
  }
  return variables;
}

/** The app's environment: own, then remote, file, mapping, override; `unset` names removed last. */
export function mergeEnvironment(
  own: Record<string, string>,
  remote: Map<string, string>,
  config: EnvRules,
): Record<string, string> {
  const merged: Record<string, string> = { ...Object.fromEntries(remote), ...config.file };
  for (const name of Object.keys(merged)) {
    const rule = config.mapping.find((one) => one.matches(name));
    if (rule !== undefined) merged[name] = rule.value(name);
  }
  const result = { ...own, ...merged, ...config.override };
  const unset = new Set(config.unset.map((name) => name.toLowerCase()));
  for (const name of Object.keys(result)) if (unset.has(name.toLowerCase())) delete result[name];
  return result;
}
