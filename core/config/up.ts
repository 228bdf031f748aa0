// Reads mirrord-up.yaml: from the file to one configuration for each service, as if each had a file of its
// own, with the lines of mirrord-up.yaml for errors. Called by cmd/up.ts. The invariant: a key that is not
// of the format, or that needs upstream's operator, is named.

import { ConfigError, exitCodes, MirrordError } from "../base/errors.ts";
import { nearWords, quoteList } from "../base/near.ts";
import { formatOf, parseDocument } from "./document.ts";
import type { ConfigDocument } from "./document.ts";
import type { Variables } from "./env.ts";
import { describeIssues, formatPath, type Problem, refusal, type Sentence, valueAt } from "./issues.ts";
import { isObject } from "./later.ts";
import { gitBranch, renderTemplate } from "./template.ts";
import type { UpMode } from "./config.ts";
import { knownUpKeys, type UpDocument, upSchema, type UpTable } from "./up_schema.ts";

type Path = readonly (string | number)[];

/** What the command line says about the file. */
export interface UpOptions {
  file: string;
  /** The session's key. */
  key: string;
  /** For every service, whatever the file says. */
  mode?: UpMode | undefined;
  context?: string | undefined;
  /** The services to start; none: all but those that are to be skipped. */
  names: readonly string[];
  env: Variables;
  /** What is wrong with the command line of a container engine that runs in a folder; null: nothing. */
  wrongLine: (
    line: readonly string[],
    directory: string | undefined,
  ) => Pick<Problem, "state" | "help"> | null;
}

/** One service that is to be started. */
export interface UpEntry {
  name: string;
  /** Its configuration. */
  document: ConfigDocument;
  /** The target has no path: it is the workload of the service's name. */
  isUnnamed: boolean;
  /** Is the command a program's, or a container engine's? */
  type: "exec" | "container";
  command: readonly string[];
  /** Where the command runs; undefined: where mirrord does. */
  directory: string | undefined;
  /** The requests that it takes are those that carry the session's key. */
  filtersByKey: boolean;
}

/** What a file says. */
export interface UpFile {
  entries: UpEntry[];
  warnings: string[];
}

/** Reads and checks the file; throws ConfigError that lists everything wrong with it. */
export async function readUpFile(options: UpOptions): Promise<UpFile> {
  const { file } = options;
  const text = renderTemplate(file, await readText(file), {
    env: options.env,
    key: () => options.key,
    gitBranch: () => options.env.get("MIRRORD_BRANCH_NAME") || gitBranch("."),
  });
  const document = await parseDocument(file, text, formatOf(file));
  const { errors, warnings, value } = checkShape(document.value);
  const chosen = value === undefined ? [] : choose(value, options.names);
  for (const [name, table] of chosen) errors.push(...problemsOf(name, table, options));
  if (errors.length > 0) throw await refusalOf(errors, file, document);
  const folder = folderOf(file);
  return {
    warnings: (await inOrder(warnings, file, document)).map(({ text, help }) =>
      `Ignoring ${text}${help === undefined ? "" : `. ${help}`}`
    ),
    entries: await Promise.all(
      chosen.map(([name, table]) =>
        entryOf(name, table, { ...options, folder, common: value?.common ?? {}, document })
      ),
    ),
  };
}

/** The names of the services in a file, for completions; templates stay as they are. */
export async function upNames(file: string): Promise<string[]> {
  const { value } = await parseDocument(file, await readText(file), formatOf(file));
  const services = valueAt(value, ["services"]);
  return isObject(services) ? Object.keys(services) : [];
}

async function readText(file: string): Promise<string> {
  try {
    return await Deno.readTextFile(file);
  } catch (cause) {
    const isMissing = cause instanceof Deno.errors.NotFound;
    const state = isMissing
      ? "there is no such file"
      : cause instanceof Error
      ? cause.message
      : String(cause);
    throw new ConfigError(`Cannot read "${file}": ${state}`, {
      ...(isMissing ? { help: "mirrord up init writes one; --config-file names another." } : { cause }),
    });
  }
}

/** A key that is not of the format is dropped with a warning; everything else that is wrong is an error. */
function checkShape(root: unknown): { errors: Problem[]; warnings: Problem[]; value?: UpDocument } {
  const plain = withoutNull(structuredClone(root));
  const warnings: Problem[] = [];
  let parsed = upSchema.safeParse(plain);
  while (!parsed.success) {
    const unknown = parsed.error.issues.filter(({ code }) => code === "unrecognized_keys");
    if (unknown.length === 0) {
      return { errors: describeIssues(parsed.error.issues, plain, knownUpKeys), warnings };
    }
    const problems = describeIssues(unknown, plain, knownUpKeys);
    warnings.push(...problems);
    for (const { path } of problems) {
      const parent = valueAt(plain, path.slice(0, -1));
      if (isObject(parent)) delete parent[String(path[path.length - 1])];
    }
    parsed = upSchema.safeParse(plain);
  }
  return { errors: [], warnings, value: parsed.data };
}

/** An empty value counts as absent, but in what is merged: there null takes a key away. */
function withoutNull(value: unknown): unknown {
  if (!isObject(value)) return value;
  for (const [key, member] of Object.entries(value)) {
    if (member === null) delete value[key];
    else if (key !== "config_patch") withoutNull(member);
  }
  return value;
}

/** The services to start, in the file's order. */
function choose({ services }: UpDocument, names: readonly string[]): [string, UpTable][] {
  const all = Object.entries(services);
  const known = all.map(([name]) => name);
  for (const name of names) {
    if (known.includes(name)) continue;
    const near = nearWords(name, known);
    throw new MirrordError(`Cannot start "${name}": the file has no such service`, {
      help: near.length > 0 ? `Did you mean ${quoteList(near)}?` : `It has ${quoteList(known, "and")}.`,
      exitCode: exitCodes.usage,
    });
  }
  const chosen = all.filter(([name, { skip }]) => names.length === 0 ? skip !== true : names.includes(name));
  if (chosen.length > 0) return chosen;
  throw new ConfigError(
    known.length === 0
      ? 'Cannot start "services": the file has none'
      : 'Cannot start "services": the file says "skip" for each',
    {
      help: known.length === 0
        ? "mirrord up init writes an example."
        : "Name those to start: mirrord up NAME",
    },
  );
}

/** What cannot be run: it needs upstream's operator, or it is no command line of a container engine. */
function problemsOf(name: string, table: UpTable, { file, mode, wrongLine }: UpOptions): Problem[] {
  const found: Problem[] = [];
  const at = (...path: string[]) => ["services", name, ...path];
  if ((mode ?? table.default_mode) === "replace") {
    found.push({
      path: mode === undefined ? at("default_mode") : ["--mode"],
      state: '"replace" needs upstream\'s operator, which copies the target and stops the original',
      help: 'For all of the traffic: "split" with config_patch: ' +
        "{feature: {network: {incoming: {http_filter: null}}}}.",
    });
  }
  const { type, command, directory } = table.run;
  const wrong = type === "container" ? wrongLine(command, pathOf(directory, folderOf(file))) : null;
  if (wrong !== null) found.push({ path: at("run", "command"), ...wrong });
  return found;
}

async function refusalOf(
  errors: readonly Problem[],
  file: string,
  document: ConfigDocument,
): Promise<ConfigError> {
  const said = await inOrder(errors, file, document);
  return refusal(said.map(({ text, help }) => ({ text: `Cannot use ${text}`, help })));
}

/** Each problem with its line, as the file has them. */
async function inOrder(
  problems: readonly Problem[],
  file: string,
  document: ConfigDocument,
): Promise<Sentence[]> {
  const located = await Promise.all(problems.map(async ({ path, state, help }) => {
    const line = String(path[0]).startsWith("--") ? undefined : await document.lineOf(path);
    const where = line === undefined ? "" : ` (line ${line} of "${file}")`;
    return { line: line ?? Infinity, text: `"${formatPath(path)}"${where}: ${state}`, help };
  }));
  return located.sort((a, b) => a.line - b.line || 0);
}

interface EntryContext extends UpOptions {
  /** The folder of the file. */
  folder: string;
  common: NonNullable<UpDocument["common"]>;
  document: ConfigDocument;
}

async function entryOf(name: string, table: UpTable, context: EntryContext): Promise<UpEntry> {
  const { common, document, key } = context;
  const target = table.target ?? {};
  const isTargetless = target === "none";
  const mode = context.mode ?? table.default_mode ?? "split";
  const filtersByKey = !isTargetless && !hasFilter(table.http_filter);
  const filter = filtersByKey ? { ...table.http_filter, header_filter: keyFilter(key) } : table.http_filter;
  const incoming = {
    ...(isTargetless ? {} : { mode: mode === "mirror" ? "mirror" : "steal" }),
    ...(filter === undefined ? {} : { http_filter: filter }),
    ...(table.ignore_ports === undefined ? {} : { ignore_ports: table.ignore_ports }),
  };
  const kubeContext = context.context ?? table.context ?? common.context;
  const value = {
    target: isTargetless ? "targetless" : { ...target },
    ...(kubeContext === undefined ? {} : { kube_context: kubeContext }),
    ...given("accept_invalid_certificates", common.accept_invalid_certificates),
    ...given("operator", common.operator),
    ...given("telemetry", common.telemetry),
    key,
    feature: {
      ...(table.env === undefined ? {} : { env: table.env }),
      ...(Object.keys(incoming).length === 0 ? {} : { network: { incoming } }),
    },
  };
  const written = (path: Path) => whereWritten(name, table, path);
  const merged = table.config_patch === undefined ? value : merge(value, table.config_patch);
  const path = valueAt(merged, ["target", "path"]);
  return {
    name,
    document: {
      value: merged,
      lineOf: (one) => document.lineOf(written(one)),
      writtenAs: written,
    },
    isUnnamed: !isTargetless && path === undefined && isObject(valueAt(merged, ["target"])),
    type: table.run.type ?? "exec",
    command: table.run.command,
    directory: await directoryOf(name, table.run.directory, context),
    filtersByKey: filtersByKey && valueAt(merged, filterPath) !== undefined,
  };
}

const filterPath = ["feature", "network", "incoming", "http_filter", "header_filter"];

function given(key: string, value: boolean | undefined): Record<string, boolean> {
  return value === undefined ? {} : { [key]: value };
}

/** Ports alone are none. */
function hasFilter(filter: Record<string, unknown> | undefined): boolean {
  return Object.keys(filter ?? {}).some((key) => key !== "ports");
}

/** The requests whose W3C baggage has the key as one of its members, whatever others there are. */
function keyFilter(key: string): string {
  const literal = key.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  return `^baggage: (.*[,\\s])?mirrord-session=${literal}([,;\\s].*)?$`;
}

function folderOf(file: string): string {
  return /^(.*)\//.exec(file)?.[1] ?? ".";
}

function pathOf(directory: string | undefined, folder: string): string | undefined {
  return directory === undefined || directory.startsWith("/") ? directory : `${folder}/${directory}`;
}

async function directoryOf(
  name: string,
  directory: string | undefined,
  { folder, file, document }: EntryContext,
): Promise<string | undefined> {
  const path = pathOf(directory, folder);
  if (path === undefined) return undefined;
  const isDirectory = await Deno.stat(path).then((stat) => stat.isDirectory, () => false);
  if (isDirectory) return path;
  const problem = { path: ["services", name, "run", "directory"], state: `"${path}" is no folder` };
  throw await refusalOf([problem], file, document);
}

/** A JSON merge patch (RFC 7396). */
function merge(value: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch;
  const merged = isObject(value) ? { ...value } : {};
  for (const [key, member] of Object.entries(patch)) {
    if (member === null) delete merged[key];
    else merged[key] = merge(merged[key], member);
  }
  return merged;
}

/** Where the service's configuration has which keys of the file. */
const places: readonly [configured: Path, written: Path][] = [
  [["feature", "env"], ["env"]],
  [["feature", "network", "incoming", "http_filter"], ["http_filter"]],
  [["feature", "network", "incoming", "ignore_ports"], ["ignore_ports"]],
  [["feature", "network", "incoming", "mode"], ["default_mode"]],
  [["target"], ["target"]],
];

function whereWritten(name: string, table: UpTable, path: Path): Path {
  const [first = ""] = path;
  if (String(first).startsWith("--") || String(first).startsWith("MIRRORD_")) return path;
  if (table.config_patch !== undefined && valueAt(table.config_patch, path) !== undefined) {
    return ["services", name, "config_patch", ...path];
  }
  for (const [configured, written] of places) {
    if (configured.every((part, index) => path[index] === part)) {
      return ["services", name, ...written, ...path.slice(configured.length)];
    }
  }
  if (first === "kube_context") {
    return table.context === undefined ? ["common", "context"] : ["services", name, "context"];
  }
  return path.length === 1 ? ["common", ...path] : ["services", name, ...path];
}
