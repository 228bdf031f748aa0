// Finds, reads and checks the configuration. Called by the commands; its Config is what every later room reads.
// All that is wrong is said at once, each with its key and, where known, its line; nothing has been done to any
// cluster by then.

import { ConfigError } from "../base/errors.ts";
import { log } from "../base/log.ts";
import type { Config } from "./config.ts";
import { type ConfigDocument, formatOf, parseDocument, parseUnnamed } from "./document.ts";
import { applyOverride, collectOverrides, type ConfigFlags, type Override, type Variables } from "./env.ts";
import { describeIssues, formatPath, type Problem } from "./issues.ts";
import { isObject, laterKeysAt, takeLaterKeys } from "./later.ts";
import type { Checks, Findings } from "./findings.ts";
import { resolveConfig } from "./resolve.ts";

export type { Config } from "./config.ts";
export type { ConfigFlags } from "./env.ts";

export interface LoadOptions {
  /** `-f FILE`; `-` is standard input; undefined: MIRRORD_CONFIG_FILE, else `.mirrord/mirrord.*` if there. */
  file?: string | undefined;
  flags: ConfigFlags;
  /** Usually `Deno.env`. */
  env: Variables;
  /** What get_env in a template sees; `env`. */
  templateEnv?: Variables;
  /** Directory in which `.mirrord` is looked for; the current one. */
  directory?: string;
}

/** What `verifyConfig` found: sentences; config is there when there are no errors. */
export interface Verdict {
  config: Config | undefined;
  errors: string[];
  warnings: string[];
  /** What to do about the errors, one line each. */
  help: string[];
}

/** The names looked for in `.mirrord`, first one wins. */
const fileNames = ["mirrord.json", "mirrord.yaml", "mirrord.yml", "mirrord.toml"];
/** A configuration is text written by hand; more than this is another file by mistake. */
const maximumBytes = 1 << 20;

/** Loads the configuration, logs its warnings; throws ConfigError that lists everything wrong with it. */
export async function loadConfig(options: LoadOptions): Promise<Config> {
  const { config, errors, warnings, help } = await verifyConfig(options);
  for (const warning of warnings) log.warning(warning);
  if (config !== undefined) return config;
  throw new ConfigError(errors.join("\n"), help.length === 0 ? {} : { help: help.join("\n") });
}

/** Checks everything and throws only for what cannot be read at all (ConfigError). */
export async function verifyConfig(options: LoadOptions): Promise<Verdict> {
  const { name, document } = await findDocument(options);
  const { overrides, problems } = collectOverrides(options.flags, options.env);
  const findings: Findings = { errors: [...problems], warnings: [] };
  const merged: unknown = structuredClone(document.value);
  if (!isObject(merged)) {
    throw new ConfigError(`Cannot read "${name}": it holds no object at its top`, {
      help: 'A configuration looks like {"target": "deployment/NAME"}.',
    });
  }
  for (const override of overrides) applyOverride(merged, override);
  const later = takeLaterKeys(merged);
  findings.errors.push(...later.errors);
  findings.warnings.push(...later.warnings);
  const config = await check(merged, name, findings);
  const say = (list: Problem[], verb: string) =>
    Promise.all(list.map((one) => sentence(one, verb, name, document, overrides)));
  const errors = await say(findings.errors, "Cannot use");
  return {
    config: errors.length === 0 ? config : undefined,
    errors,
    warnings: await say(findings.warnings, "Cannot honour"),
    help: [...new Set(findings.errors.flatMap(({ help }) => help === undefined ? [] : [help]))],
  };
}

async function check(
  merged: Record<string, unknown>,
  name: string | undefined,
  findings: Findings,
): Promise<Config | undefined> {
  const { configSchema, jsonSchema } = await import("./schema.ts");
  const parsed = configSchema.safeParse(merged);
  if (!parsed.success) {
    const schema = jsonSchema();
    const known = (path: readonly (string | number)[]) => [
      ...keysIn(schema, path),
      ...laterKeysAt(path.join(".")),
    ];
    findings.errors.push(...describeIssues(parsed.error.issues, merged, known));
    return undefined;
  }
  return resolveConfig(parsed.data, { file: name, checks: await loadChecks(parsed.data), findings });
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
): Promise<{ name: string | undefined; document: ConfigDocument }> {
  const asked = options.file ?? options.env.get("MIRRORD_CONFIG_FILE");
  if (asked === "-") {
    const text = await new Response(Deno.stdin.readable).text();
    const plain = await render("standard input", text, options);
    return { name: "standard input", document: await parseUnnamed("standard input", plain) };
  }
  const name = asked === undefined || asked === "" ? await findFile(options.directory ?? ".") : asked;
  if (name === undefined) {
    return { name, document: { value: {}, lineOf: () => Promise.resolve(undefined) } };
  }
  const format = formatOf(name);
  const text = await render(name, await readText(name), options);
  return { name, document: await parseDocument(name, text, format) };
}

/** Replaces the templates in `text`; the module is loaded only when there may be one. */
async function render(name: string, text: string, options: LoadOptions): Promise<string> {
  if (!/\{[{%#]/.test(text)) return text;
  const { gitBranch, keyOf, renderTemplate } = await import("./template.ts");
  const { env, flags } = options;
  let random: string | undefined;
  return renderTemplate(name, text, {
    env: options.templateEnv ?? env,
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

async function findFile(directory: string): Promise<string | undefined> {
  const found: string[] = [];
  for (const fileName of fileNames) {
    const path = directory === "." ? `.mirrord/${fileName}` : `${directory}/.mirrord/${fileName}`;
    const isFile = await Deno.stat(path).then((stat) => stat.isFile, () => false);
    if (isFile) found.push(path);
  }
  const [first, ...others] = found;
  if (others.length > 0) log.warning(`Using "${first}"; not read: ${others.join(", ")}`);
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
    const state = cause instanceof Deno.errors.NotFound
      ? "there is no such file"
      : cause instanceof Error
      ? cause.message
      : String(cause);
    throw new ConfigError(`Cannot read "${name}": ${state}`, { cause });
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new ConfigError(`Cannot read "${name}": it is not UTF-8 text`, { cause });
  }
}

/** `Cannot use "feature.env.include" (line 4 of "mirrord.json"): …` */
async function sentence(
  problem: Problem,
  verb: string,
  name: string | undefined,
  document: ConfigDocument,
  overrides: readonly Override[],
): Promise<string> {
  const path = formatPath(problem.path);
  const source = overrides.findLast((one) =>
    one.path === path || path.startsWith(`${one.path}[`) || one.path.startsWith(`${path}.`)
  )?.source;
  const line = source === undefined ? await document.lineOf(problem.path) : undefined;
  const where = source !== undefined
    ? ` (from ${source})`
    : line !== undefined
    ? ` (line ${line} of "${name}")`
    : name !== undefined && !path.startsWith("--") && !path.startsWith("MIRRORD_")
    ? ` (in "${name}")`
    : "";
  return `${verb} "${path}"${where}: ${problem.state}`;
}

/** The keys that the JSON schema allows at `path`: objects and the object branches of alternatives. */
function keysIn(schema: unknown, path: readonly (string | number)[]): string[] {
  const nodes = path.reduce<unknown[]>(
    (found, part) =>
      found.flatMap(branches).flatMap((node) => {
        if (!isObject(node)) return [];
        const { properties, items } = node;
        if (typeof part === "number") return items === undefined ? [] : [items];
        return isObject(properties) && Object.hasOwn(properties, part) ? [properties[part]] : [];
      }),
    [schema],
  );
  return nodes.flatMap(branches).flatMap((node) =>
    isObject(node) && isObject(node["properties"]) ? Object.keys(node["properties"]) : []
  ).filter((key) => key !== "$schema");
}

function branches(node: unknown): unknown[] {
  return isObject(node) && Array.isArray(node["anyOf"]) ? node["anyOf"].flatMap(branches) : [node];
}
