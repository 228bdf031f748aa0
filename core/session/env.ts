// The environment variables of the target: fetched through the agent before the app starts, then laid over the
// developer's own. Called by cmd/exec.ts. What the config excludes is never sent by the agent, and not taken if it is:
// what answers in the pod decides nothing about this machine's dynamic linker and tools.

import {
  type agentMessages,
  compileGlobs,
  type Link,
  LinkError,
  RemoteError,
} from "../../protocol-wasm/mod.ts";
import { exitCodes, SessionError } from "../base/errors.ts";
import { log } from "../base/log.ts";
import { groupReplacement, nameExpression } from "../config/name_pattern.ts";
import { defaultExclude } from "./env_default.ts";

/** The rules of `feature.env`, in the order in which they apply. */
export interface EnvConfig {
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

/** What one `env` request asks for: globs over names; no include means all. */
interface Selection {
  include: string[];
  exclude: string[];
}

/**
 * The requests that fetch what `config` asks for. The machine's own variables stay out of each, but for those that
 * `include` names in full: a wildcard does not mean them.
 */
export function selections({ include, exclude }: Pick<EnvConfig, "include" | "exclude">): Selection[] {
  using machine = compileGlobs(defaultExclude);
  const named = include.filter((name) => !/[*?]/.test(name) && machine.matches(name));
  const all = { include, exclude: [...defaultExclude, ...exclude] };
  return named.length === 0 ? [all] : [all, { include: named, exclude }];
}

/** Rules out of `feature.env.mapping`: pattern over the name → value, in which $1 or ${word} stands for a group. */
export function mappingRules(mapping: Record<string, string>): EnvConfig["mapping"] {
  return Object.entries(mapping).map(([pattern, value]) => {
    const expression = nameExpression(pattern);
    const replacement = groupReplacement(value);
    return {
      matches: (name) => expression.test(name),
      value: (name) => expression.exec(name)?.[0].replace(expression, replacement) ?? value,
    };
  });
}

/** What the agent answers when the kernel keeps the variables from it (errno(3)). */
const EACCES = 13;

/** Asks the agent for the variables of the target's process; throws SessionError when they cannot be had. */
export async function fetchEnvironment(
  link: Link<typeof agentMessages>,
  config: Pick<EnvConfig, "include" | "exclude">,
): Promise<Map<string, string>> {
  const parts = await Promise.all(selections(config).map((selection) => fetchSelection(link, selection)));
  return new Map(parts.flatMap((part) => [...part]));
}

async function fetchSelection(
  link: Link<typeof agentMessages>,
  config: Selection,
): Promise<Map<string, string>> {
  const replies = await link.request("env", {
    include: config.include.join("\n"),
    exclude: config.exclude.join("\n"),
  }).catch((error) => {
    throw explain(error);
  });
  return asked(parseEnvironment(replies.map((reply) => reply.body)), config);
}

/** Those of `variables` that were asked for. */
function asked(
  variables: Map<string, string>,
  { include, exclude }: Selection,
): Map<string, string> {
  using wanted = compileGlobs(include);
  using unwanted = compileGlobs(exclude);
  return new Map(
    [...variables].filter(([name]) =>
      (include.length === 0 || wanted.matches(name)) && !unwanted.matches(name)
    ),
  );
}

function explain(error: unknown): unknown {
  if (error instanceof LinkError) {
    return new SessionError(`Cannot fetch the target's variables: the agent is gone (${error.message})`, {
      cause: error,
    });
  }
  if (!(error instanceof RemoteError)) return error;
  return new SessionError(error.message, {
    help: 'Without the target\'s variables it goes on: "feature": {"env": false}.',
    exitCode: error.errno === EACCES ? exitCodes.permission : exitCodes.unavailable,
  });
}

/** Reads `NAME=value\0` pairs (proc_pid_environ(5)); a value that is no UTF-8 is named in a warning, not mangled. */
export function parseEnvironment(chunks: Uint8Array[]): Map<string, string> {
  const block = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
  let offset = 0;
  for (const chunk of chunks) {
    block.set(chunk, offset);
    offset += chunk.length;
  }
  const variables = new Map<string, string>();
  const strict = new TextDecoder("utf-8", { fatal: true });
  for (let start = 0; start < block.length;) {
    const zero = block.indexOf(0, start);
    const end = zero < 0 ? block.length : zero;
    addPair(variables, block.subarray(start, end), strict);
    start = end + 1;
  }
  return variables;
}

function addPair(variables: Map<string, string>, pair: Uint8Array, strict: TextDecoder): void {
  const equals = pair.indexOf(0x3d);
  if (equals <= 0) return;
  const name = new TextDecoder().decode(pair.subarray(0, equals));
  try {
    variables.set(name, strict.decode(pair.subarray(equals + 1)));
  } catch {
    log.warning(`Cannot pass on variable "${name}" of the target: its value is not UTF-8`);
  }
}

/** The app's environment: own, then remote, file, mapping, override; `unset` names removed last. */
export function mergeEnvironment(
  own: Record<string, string>,
  remote: Map<string, string>,
  config: EnvConfig,
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
