// Finds, reads and checks the configuration. Called by the commands; its Config is what every later room
// reads. All errors are reported at once, each with its key and, where known, its line; nothing has been done
// to any cluster by then.

import { ConfigError } from "../base/errors.ts";
import { log } from "../base/log.ts";
import { type Config, powers, type ProjectFile } from "./config.ts";
import { type ConfigDocument, formatOf, parseDocument, parseUnnamed } from "./document.ts";
import { applyOverride, collectOverrides, type ConfigFlags, type Override, type Variables } from "./env.ts";
import { dropAbsent } from "./absent.ts";
import { describeIssues, formatPath, type Problem, refusal } from "./issues.ts";
import { isObject, takeLaterKeys } from "./later.ts";
import type { Checks, Findings } from "./findings.ts";
import { resolveConfig } from "./resolve.ts";
import { checkVariables, variableErrors } from "./variables.ts";

export type { Config } from "./config.ts";
export type { ConfigFlags } from "./env.ts";

export interface LoadOptions {
  /**
   * `-f FILE`; `-` is standard input; undefined: MIRRORD_CONFIG_FILE, otherwise `.mirrord/mirrord.*` if
   * there.
   */
  file?: string | undefined;
  /** What was read already, and the name of its file; no file is looked for. */
  given?: { name: string; document: ConfigDocument };
  flags: ConfigFlags;
  /** Usually `Deno.env`. */
  env: Variables;
  /** Directory in which `.mirrord` is looked for; the current one. */
  directory?: string;
  /**
   * The target is named later: a file that steals may have none, and what is asked of a target stays as
   * written.
   */
  targetLater?: boolean;
  /** The file is named before anything else. */
  announced?: boolean;
  /** What `hashOfFile` said of the file when it was checked; a file with another hash is refused. */
  hash?: string | undefined;
}

/** What `verifyConfig` found: sentences; config is there when there are no errors. */
export interface Verdict {
  config: Config | undefined;
  errors: string[];
  warnings: string[];
  /** What to do about each error, in their order. */
  help: (string | undefined)[];
}

/** The names looked for in `.mirrord`, first one wins. */
export const fileNames = ["mirrord.json", "mirrord.yaml", "mirrord.yml", "mirrord.toml"];
/** A configuration is text written by hand; more than this is another file by mistake. */
const maximumBytes = 1 << 20;

/** Loads the configuration, logs its warnings; throws ConfigError that lists everything wrong with it. */
export async function loadConfig(options: LoadOptions): Promise<Config> {
  const { config, errors, warnings, help } = await verifyConfig(options);
  for (const warning of warnings) log.warning(warning);
  if (config !== undefined) return config;
  throw refusal(errors.map((text, index) => ({ text, help: help[index] })));
}

/** Checks everything and throws only for what cannot be read at all (ConfigError). */
export async function verifyConfig(options: LoadOptions): Promise<Verdict> {
  const { name, document, isFound = false, readsVariables = false } = await findDocument(options);
  const { overrides, problems } = collectOverrides(options.flags, options.env);
  const findings: Findings = {
    errors: [...problems, ...variableErrors(options.env)],
    warnings: checkVariables(options.env),
  };
  const merged: unknown = structuredClone(document.value);
  if (!isObject(merged)) {
    throw new ConfigError(`Cannot read "${name}": it holds no object at its top`, {
      help: 'A configuration looks like {"target": "deployment/NAME"}.',
    });
  }
  refuseOtherFormats(merged, name);
  findings.warnings.push(
    ...await dropAbsent(merged, async (path) => (await import("./known_keys.ts")).isKnownKey(path)),
  );
  const project = isFound && name !== undefined
    ? { ...projectFile(name, merged, overrides), readsVariables }
    : null;
  for (const override of overrides) applyOverride(merged, override);
  const later = takeLaterKeys(merged);
  findings.errors.push(...later.errors);
  findings.warnings.push(...later.warnings);
  const config = await check(merged, findings, {
    name,
    project,
    targetLater: options.targetLater ?? false,
  });
  const inOrder = async (list: Problem[]) => {
    const places = await Promise.all(list.map((one) => placeOf(one, name, document, overrides)));
    return list.map((one, index) => ({ ...one, ...places[index] }))
      .sort((a, b) => (a.line ?? Infinity) - (b.line ?? Infinity) || 0);
  };
  const lines = (list: Awaited<ReturnType<typeof inOrder>>, opening: (state: string) => string) =>
    list.map(({ path, where = "", state }) =>
      `${opening(state)} "${formatPath(document.writtenAs?.(path) ?? path)}"${where}: ${state}`
    );
  const errors = await inOrder(findings.errors);
  return {
    config: errors.length === 0 ? config : undefined,
    errors: lines(errors, () => "Cannot use"),
    warnings: lines(
      await inOrder(findings.warnings),
      (state) => isWithoutEffect.test(state) ? "Ignoring" : "Check",
    ),
    help: errors.map(({ help }) => help),
  };
}

/**
 * What a warning says of a key that changes nothing; others are about a value that may not mean what its
 * author wanted.
 */
const isWithoutEffect =
  /^it has no effect|is not in this release yet|counts as not given$|^there is no target whose/;

/** Throws for a file of another command of upstream. */
function refuseOtherFormats(document: Record<string, unknown>, name: string | undefined): void {
  const { services } = document;
  if (!Object.hasOwn(document, "services") || Object.hasOwn(document, "target")) return;
  const count = isObject(services) ? Object.keys(services).length : 0;
  throw new ConfigError(
    `Cannot use "${name}": it is a file for "mirrord up" (${count} services)`,
    { help: `Start them: mirrord up${name === undefined ? "" : ` -f ${name}`}` },
  );
}

async function check(
  merged: Record<string, unknown>,
  findings: Findings,
  { name, project, targetLater }: {
    name: string | undefined;
    project: ProjectFile | null;
    targetLater: boolean;
  },
): Promise<Config | undefined> {
  const { configSchema } = await import("./schema.ts");
  const parsed = configSchema.safeParse(merged);
  if (!parsed.success) {
    const { knownKeys } = await import("./known_keys.ts");
    findings.errors.push(...describeIssues(parsed.error.issues, merged, knownKeys));
    return undefined;
  }
  const checks = await loadChecks(parsed.data);
  return resolveConfig(parsed.data, { file: name, project, checks, findings, targetLater });
}

/** Which of the keys that have something run or sent are the file's own. */
function projectFile(
  file: string,
  document: Record<string, unknown>,
  overrides: readonly Override[],
): Omit<ProjectFile, "readsVariables"> {
  const isThere = (path: string) => {
    let value: unknown = document;
    for (const key of path.split(".")) value = isObject(value) ? value[key] : undefined;
    return value !== undefined;
  };
  return {
    file,
    powers: powers.filter((path) => isThere(path) && !overrides.some((one) => one.path === path)),
  };
}

/** The compilers. The Wasm core that they run in is loaded only when there may be something to compile. */
async function loadChecks({ feature }: { feature?: unknown }): Promise<Checks> {
  if (isObject(feature) && ["fs", "network", "env"].some((section) => isObject(feature[section]))) {
    return (await import("./checks.ts")).wasmChecks;
  }
  return { filter: () => null, pattern: () => null, rule: () => null, matched: () => [] };
}

async function findDocument(
  options: LoadOptions,
): Promise<
  { name: string | undefined; document: ConfigDocument; isFound?: boolean; readsVariables?: boolean }
> {
  if (options.given !== undefined) return options.given;
  const asked = options.file ?? options.env.get("MIRRORD_CONFIG_FILE");
  if (asked === "-") {
    const text = await new Response(Deno.stdin.readable).text();
    const plain = await render("standard input", text, options);
    return { name: "standard input", document: insideVerdict(await parseUnnamed("standard input", plain)) };
  }
  const name = asked === undefined || asked === "" ? await findFile(options) : asked;
  if (name === undefined) {
    return { name, document: { value: {}, lineOf: () => Promise.resolve(undefined) } };
  }
  if (asked === name) announce(name, [], options);
  const format = formatOf(name);
  const written = await readText(name);
  const text = await render(name, written, options);
  if (options.hash !== undefined && await hashOf(text) !== options.hash) {
    throw new ConfigError(`Cannot use "${name}": it is not what was checked before`);
  }
  return {
    name,
    readsVariables: /get_env/.test(written),
    document: insideVerdict(await parseDocument(name, text, format)),
    isFound: asked !== name,
  };
}

/** SHA-256 of what the file says, its templates replaced. Throws ConfigError where it cannot be read. */
export async function hashOfFile(name: string, options: LoadOptions): Promise<string> {
  return await hashOf(await render(name, await readText(name), options));
}

async function hashOf(text: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return new Uint8Array(digest).toHex();
}

/** What `verify-config --resolved` prints is a configuration too: the one that it holds. */
function insideVerdict(document: ConfigDocument): ConfigDocument {
  const { value } = document;
  const key = "resolved_config";
  if (!isObject(value) || value["type"] !== "Success" || !isObject(value[key])) return document;
  return { value: value[key], lineOf: (path) => document.lineOf([key, ...path]) };
}

/** Replaces the templates in `text`; the module is loaded only when there may be one. */
async function render(name: string, text: string, options: LoadOptions): Promise<string> {
  if (!/\{[{%#]/.test(text)) return text;
  const { gitBranch, keyOf, renderTemplate } = await import("./template.ts");
  const { env, flags } = options;
  let random: string | undefined;
  return renderTemplate(name, text, {
    env,
    key: () => {
      const given = flags.key ?? (env.get("MIRRORD_KEY") || undefined) ?? keyOf(text);
      if (given !== undefined) return given;
      if (random === undefined) {
        random = crypto.randomUUID().slice(0, 5);
        log.info(`The session's key is "${random}" (--key chooses one)`);
      }
      return random;
    },
    gitBranch: () => env.get("MIRRORD_BRANCH_NAME") || gitBranch(options.directory ?? "."),
  });
}

/** Logs which file counts, before anything else is logged. */
function announce(name: string, others: readonly string[], { announced }: LoadOptions): void {
  const using = `Using the configuration "${name}"`;
  if (others.length > 0) log.warning(`${using}; not read: ${others.join(", ")}`);
  else if (announced) log.info(using);
}

async function findFile(options: LoadOptions): Promise<string | undefined> {
  const { directory = "." } = options;
  const found: string[] = [];
  for (const fileName of fileNames) {
    const path = directory === "." ? `.mirrord/${fileName}` : `${directory}/.mirrord/${fileName}`;
    const isFile = await Deno.stat(path).then((stat) => stat.isFile, () => false);
    if (isFile) found.push(path);
  }
  const [first, ...others] = found;
  if (first !== undefined) announce(first, others, options);
  return first;
}

async function readText(name: string): Promise<string> {
  let bytes: Uint8Array;
  try {
    const { size } = await Deno.stat(name);
    if (size > maximumBytes) {
      throw new ConfigError(`Cannot read "${name}": ${size} bytes are too many for a configuration`);
    }
    bytes = await Deno.readFile(name);
  } catch (cause) {
    if (cause instanceof ConfigError) throw cause;
    if (cause instanceof Deno.errors.NotFound) {
      throw new ConfigError(`Cannot read "${name}": there is no such file`);
    }
    const state = cause instanceof Error ? cause.message : String(cause);
    throw new ConfigError(`Cannot read "${name}": ${state}`, { cause });
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new ConfigError(`Cannot read "${name}": it is not UTF-8 text`, { cause });
  }
}

/** Where a problem is: ` (line 4 of "mirrord.json")`, and that line when it is the file's. */
async function placeOf(
  problem: Problem,
  name: string | undefined,
  document: ConfigDocument,
  overrides: readonly Override[],
): Promise<{ where: string; line: number | undefined }> {
  const path = formatPath(problem.path);
  const source = overrides.findLast((one) =>
    one.path === path || path.startsWith(`${one.path}[`) || path.startsWith(`${one.path}.`) ||
    one.path.startsWith(`${path}.`)
  )?.source;
  const line = source === undefined ? await document.lineOf(problem.path) : undefined;
  const where = source !== undefined
    ? ` (from ${source})`
    : line !== undefined
    ? ` (line ${line} of "${name}")`
    : name !== undefined && !path.startsWith("--") && !path.startsWith("MIRRORD_")
    ? ` (in "${name}")`
    : "";
  return { where, line };
}
