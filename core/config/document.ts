// Text of a configuration file → plain document, with the line of each key for error messages. Called by
// load.ts. JSON may hold comments and trailing commas (editors allow them in settings files); YAML and TOML
// parsers are loaded only when such a file is there.

import { ConfigError } from "../base/errors.ts";

export type ConfigFormat = "json" | "yaml" | "toml";

/** A parsed file: the value as written, and where a key stands (1-based line, undefined when not known). */
export interface ConfigDocument {
  value: unknown;
  lineOf(path: readonly (string | number)[]): Promise<number | undefined>;
  /** Where a key stands in a file of another format, of which this is a part; absent: where it is. */
  writtenAs?(path: readonly (string | number)[]): readonly (string | number)[];
}

/** The format by the file's extension; none means JSON. Throws ConfigError on any other. */
export function formatOf(file: string): ConfigFormat {
  const extension = /\.([^./\\]+)$/.exec(file)?.[1]?.toLowerCase();
  switch (extension) {
    case undefined:
    case "json":
      return "json";
    case "yaml":
    case "yml":
      return "yaml";
    case "toml":
      return "toml";
    default:
      throw new ConfigError(`Cannot read "${file}": ".${extension}" is not a configuration format`, {
        help: "Use a file that ends in .json, .yaml, .yml or .toml.",
      });
  }
}

/** Parses `text`; `name` is what errors call it. Throws ConfigError with the line of a syntax error. */
export async function parseDocument(
  name: string,
  text: string,
  format: ConfigFormat,
): Promise<ConfigDocument> {
  switch (format) {
    case "json":
      return { value: parseJson(name, text), lineOf: (path) => lineInYaml(blankComments(text), path) };
    case "yaml":
      return { value: await parseYaml(name, text), lineOf: (path) => lineInYaml(text, path) };
    case "toml":
      return {
        value: await parseToml(name, text),
        lineOf: (path) => Promise.resolve(lineInToml(text, path)),
      };
  }
}

/**
 * Standard input has no name that shows its format: JSON when it begins like it, otherwise YAML, then TOML.
 */
export async function parseUnnamed(name: string, text: string): Promise<ConfigDocument> {
  if (/^\s*(\{|\/\/|\/\*)/.test(text)) return await parseDocument(name, text, "json");
  const toml = /^\s*(\[[^\]]+\]|[\w."-]+\s*=)/m.test(text.replace(/^\s*#.*$/gm, ""));
  return await parseDocument(name, text, toml ? "toml" : "yaml");
}

function parseJson(name: string, text: string): unknown {
  const plain = blankComments(text);
  if (plain.trim() === "") return {};
  try {
    const value: unknown = JSON.parse(plain);
    const repeated = repeatedKey(plain);
    if (repeated === undefined) return value;
    throw new ConfigError(
      `Cannot read "${name}": "${repeated.key}" is there twice, the second time in ${
        placeAt(text, repeated.offset)
      }`,
      { help: "Put both into one: the first would not count." },
    );
  } catch (cause) {
    if (cause instanceof ConfigError) throw cause;
    const offset = firstOddToken(plain);
    const line = plain.slice(offset).split("\n", 1)[0]?.trim().slice(0, 40) ?? "";
    const state = offset >= plain.trimEnd().length
      ? "the text ends too early"
      : `${line} does not belong here`;
    throw new ConfigError(`Cannot read "${name}": no valid JSON in ${placeAt(text, offset)}: ${state}`, {
      cause,
    });
  }
}

async function parseYaml(name: string, text: string): Promise<unknown> {
  const { parseDocument: parse } = await import("./yaml.ts");
  const document = parse(text);
  const [error] = document.errors;
  if (error !== undefined) {
    const state = error.message.split("\n")[0]?.replace(/ at line \d+, column \d+:?$/, "");
    throw new ConfigError(
      `Cannot read "${name}": no valid YAML in ${placeAt(text, error.pos[0])}: ${state}`,
      { cause: error },
    );
  }
  // An alias bomb is refused by the library's default of at most 100 aliases.
  return document.toJS() ?? {};
}

async function parseToml(name: string, text: string): Promise<unknown> {
  const { parse, TomlError } = await import("smol-toml");
  try {
    return structuredClone(parse(text)); // plain objects: the parser's have no prototype
  } catch (cause) {
    const where = cause instanceof TomlError ? ` in line ${cause.line}, column ${cause.column}` : "";
    const said = cause instanceof Error ? cause.message.split("\n")[0] : String(cause);
    throw new ConfigError(`Cannot read "${name}": no valid TOML${where}: ${said}`, { cause });
  }
}

/**
 * JSON is YAML as far as positions go, so one look-up serves both. Only called when there is an error to
 * show.
 */
async function lineInYaml(text: string, path: readonly (string | number)[]): Promise<number | undefined> {
  const { isMap, isNode, isPair, isScalar, isSeq, parseDocument: parse } = await import("./yaml.ts");
  let node: unknown = parse(text, { strict: false, logLevel: "silent" }).contents;
  let offset: number | undefined;
  for (const part of path) {
    if (isMap(node)) {
      const pair = node.items.find((item) =>
        isPair(item) && isScalar(item.key) && String(item.key.value) === part
      );
      if (pair === undefined) break;
      offset = isNode(pair.key) ? pair.key.range?.[0] : offset;
      node = pair.value;
    } else if (isSeq(node) && typeof part === "number") {
      node = node.items[part];
      offset = isNode(node) ? node.range?.[0] : offset;
    } else break;
  }
  return offset === undefined ? undefined : lineAt(text, offset);
}

/** The line of the table header or key that lies nearest to `path`; the parser keeps no positions. */
function lineInToml(text: string, path: readonly (string | number)[]): number | undefined {
  const names = path.filter((part) => typeof part === "string");
  const split = (key: string) =>
    (key.match(/"[^"]*"|'[^']*'|[\w-]+/g) ?? []).map((one) => one.replace(/^["']|["']$/g, ""));
  let table: string[] = [];
  let best: { depth: number; line: number } | undefined;
  text.split("\n").forEach((line, index) => {
    const [, header, key] = /^\s*(?:\[{1,2}([^\]]+)\]|((?:"[^"]*"|'[^']*'|[\w.\s-])+?)\s*=)/.exec(line) ?? [];
    if (header !== undefined) table = split(header);
    if (header === undefined && key === undefined) return;
    const here = [...table, ...split(key ?? "")];
    const isStart = here.every((part, at) => names[at] === part);
    if (isStart && here.length > (best?.depth ?? 0)) best = { depth: here.length, line: index + 1 };
  });
  return best?.line;
}

/** Replaces comments and trailing commas of JSON by blanks, so that every offset stays what it was. */
export function blankComments(text: string): string {
  return text
    .replace(
      /"(?:[^"\\\n]|\\.)*"|\/\/[^\n]*|\/\*[^]*?\*\//g,
      (part) => part.startsWith('"') ? part : part.replace(/[^\n]/g, " "),
    )
    .replace(/"(?:[^"\\\n]|\\.)*"|,(?=\s*[}\]])/g, (part) => part === "," ? " " : part);
}

/**
 * The first key that an object of the valid JSON `text` has twice: JSON.parse would take the last in silence.
 */
function repeatedKey(text: string): { key: string; offset: number } | undefined {
  const open: (Set<string> | undefined)[] = [];
  for (
    const { 0: token, 1: word, index } of text.matchAll(
      /("(?:[^"\\\n]|\\.)*")\s*:|"(?:[^"\\\n]|\\.)*"|[{}[\]]/g,
    )
  ) {
    if (token === "{" || token === "[") open.push(token === "{" ? new Set() : undefined);
    else if (token === "}" || token === "]") open.pop();
    else if (word !== undefined) {
      const key: string = JSON.parse(word);
      const keys = open[open.length - 1];
      if (keys?.has(key)) return { key, offset: index };
      keys?.add(key);
    }
  }
  return undefined;
}

/** Offset of the first token that cannot stand where it stands: JSON.parse does not always say where. */
function firstOddToken(text: string): number {
  const token = /\s*(?:([{}[\],:])|("(?:[^"\\\n]|\\.)*")|(?:-?\d[\d.eE+-]*|true|false|null)(?!\w))/y;
  const open: string[] = [];
  let wanted: "value" | "first" | "key" | "colon" | "after" = "value";
  for (;;) {
    const start = token.lastIndex;
    const match = token.exec(text);
    const offset = start + (/^\s*/.exec(text.slice(start))?.[0].length ?? 0);
    if (match === null) return offset;
    const [, mark, string] = match;
    const inObject = open[open.length - 1] === "{";
    if (mark === "{" || mark === "[") {
      if (wanted !== "value" && !(wanted === "first" && !inObject)) return offset;
      open.push(mark);
      wanted = "first";
    } else if (mark === "}" || mark === "]") {
      if ((wanted !== "first" && wanted !== "after") || inObject !== (mark === "}") || open.length === 0) {
        return offset;
      }
      open.pop();
      wanted = "after";
    } else if (mark === ",") {
      if (wanted !== "after" || open.length === 0) return offset;
      wanted = inObject ? "key" : "value";
    } else if (mark === ":") {
      if (wanted !== "colon") return offset;
      wanted = "value";
    } else if (wanted === "key" || (wanted === "first" && inObject)) {
      if (string === undefined) return offset;
      wanted = "colon";
    } else {
      if (wanted !== "value" && wanted !== "first") return offset;
      wanted = "after";
    }
  }
}

function placeAt(text: string, offset: number): string {
  const line = lineAt(text, offset);
  return `line ${line}, column ${offset - text.lastIndexOf("\n", offset - 1)}`;
}

function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split("\n").length;
}
