// Which side a path belongs to: rules of the configuration first, then the built-in lists, then the mode.
// Made by files.ts, asked for every path of the app that the layer did not decide by the table
// (policy_table.ts). Invariant: patterns ignore case and match the absolute path without a slash at its end.

import { compileRegex, type Regex } from "../../protocol-wasm/mod.ts";
import { ConfigError } from "../base/errors.ts";
import { hasRawBytes, osBytes, osText } from "../base/os_text.ts";
import type { FilesConfig } from "../config/config.ts";
import { groupReplacement, nameExpression } from "../config/name_pattern.ts";
import * as lists from "./policy_default.ts";
import { codePatterns } from "./policy_code.ts";
import { mountOf, type Mounts, noMounts } from "./policy_mounts.ts";

/** local: libc; remote: the target; absent: for the app there is no such file. */
export type Place = "local" | "remote" | "absent";

/** What was decided, and by which rule, for people. */
export interface Decision {
  place: Place;
  rule: string;
}

/** A pattern of the configuration. */
interface Pattern {
  regex: Regex;
  source: string;
}

/** One question. */
export interface PathUse {
  path: Uint8Array;
  /** The call would change something. */
  writes: boolean;
  /** The file of the process that asks. */
  executable: string;
  /** Is it that process's own code? */
  isOwn?: (path: Uint8Array) => boolean;
}

export class Policy {
  readonly #mode: FilesConfig["mode"];
  readonly #notFound: Pattern[];
  readonly #readWrite: Pattern[];
  readonly #readOnly: Pattern[];
  readonly #local: Pattern[];
  readonly #mapping: { regex: Regex; expression: RegExp; replacement: string }[];
  readonly #absent: Regex | null;
  readonly #remoteRead: Regex;
  readonly #builtInLocal: Regex;
  readonly #mounts: Mounts;
  /** The folders above the working directory, each with a slash at its end. */
  readonly #above: readonly string[];

  /** Throws RegexError for a pattern that cannot be used, ConfigError for one that cannot rewrite. */
  constructor(config: FilesConfig, places: lists.LocalPlaces, mounts: Mounts = noMounts) {
    this.#mode = config.mode;
    this.#mounts = mounts;
    this.#above = ["/", ...lists.foldersAbove(places.workingDirectory).map((path) => `${path}/`)];
    this.#notFound = config.notFound.map(patternOf);
    this.#readWrite = config.readWrite.map(patternOf);
    this.#readOnly = config.readOnly.map(patternOf);
    this.#local = config.local.map(patternOf);
    this.#mapping = config.mapping.map(([pattern, path]) => ({
      regex: anyCase(pattern),
      expression: rewriting(pattern),
      replacement: groupReplacement(path),
    }));
    const { home } = places;
    const isHome = home !== undefined && /^\/+[^/]/.test(home);
    this.#absent = isHome ? anyOf(lists.absentTrees.map((path) => lists.tree(home + path))) : null;
    const remote = lists.remotePlaces(places);
    this.#remoteRead = anyOf([
      ...remote.files.map((path) => `^${lists.literal(path)}$`),
      ...remote.trees.map(lists.tree),
    ]);
    this.#builtInLocal = anyOf([
      ...lists.localPatterns,
      ...lists.localTrees.map(lists.tree),
      ...lists.localPlaceTrees(places).map(lists.tree),
      ...lists.leadingPaths(places).map((path) => `^${lists.literal(path)}$`),
      ...lists.homesOf(places).map((path) => `^${lists.literal(path)}/\\.`),
    ]);
  }

  /** The path that a rule makes of `path` (absolute); `path` itself when no rule rewrites it. */
  rewrite(path: Uint8Array): Uint8Array {
    const seen = asPatternsSee(path);
    const rule = this.#mapping.find(({ regex }) => regex.matches(seen));
    return rule === undefined ? path : osBytes(osText(path).replace(rule.expression, rule.replacement));
  }

  /** In upstream's order. */
  decide({ path, writes, executable, isOwn }: PathUse): Decision {
    const end = path.length > 1 && path[path.length - 1] === 0x2f ? path.length - 1 : path.length;
    const text = asPatternsSee(path.subarray(0, end));
    const mode = `feature.fs.mode "${this.#mode}"`;
    if (this.#mode === "local") return { place: "local", rule: mode };
    const byPattern = this.#byPattern(text, writes);
    if (byPattern !== null) return byPattern;
    const mount = this.#mountOf(text, writes);
    if (mount !== null) return mount;
    if (this.#absent?.matches(text) === true) {
      return { place: "absent", rule: "the built-in list of absent trees" };
    }
    if (!writes && this.#remoteRead.matches(text)) {
      return { place: "remote", rule: "the built-in list of the target's files" };
    }
    if (this.#builtInLocal.matches(text) || hasLocalSuffix(osText(path.subarray(0, end)))) {
      return { place: "local", rule: "the built-in list of this machine's files" };
    }
    const bare = path.subarray(0, end);
    if (isText(bare, executable)) return { place: "local", rule: "being the program itself" };
    if (isOwn?.(bare) === true) return { place: "local", rule: "being what the program runs" };
    if (this.#mode === "localwithoverrides") return { place: "local", rule: mode };
    return { place: this.#mode === "read" && writes ? "local" : "remote", rule: mode };
  }

  /** By the configuration's patterns; null when none matches. */
  #byPattern(text: Uint8Array, writes: boolean): Decision | null {
    const first = (patterns: Pattern[]) => patterns.find(({ regex }) => regex.matches(text))?.source;
    const by = (key: string, place: Place, source: string): Decision => ({
      place,
      rule: `feature.fs.${key} ${JSON.stringify(source)}`,
    });
    const absent = first(this.#notFound);
    if (absent !== undefined) return by("not_found", "absent", absent);
    const readWrite = first(this.#readWrite);
    if (readWrite !== undefined) return by("read_write", "remote", readWrite);
    const readOnly = first(this.#readOnly);
    if (readOnly !== undefined) return by("read_only", writes ? "local" : "remote", readOnly);
    const local = first(this.#local);
    return local === undefined ? null : by("local", "local", local);
  }

  /** By the target's volume mounts: what is written there is the mode's business alone. */
  #mountOf(path: Uint8Array, writes: boolean): Decision | null {
    if (this.#mounts.trees.length === 0) return null;
    const text = decoder.decode(path);
    const mount = mountOf(text, this.#mounts);
    if (mount !== undefined && this.#isFoundByTools(text, mount)) {
      return { place: "local", rule: "being a tool's, above the working directory" };
    }
    if (mount !== undefined) {
      const place = writes && this.#mode !== "write" ? "local" : "remote";
      return { place, rule: `the target's mount ${JSON.stringify(mount)}` };
    }
    const leads = !writes && this.#mounts.leading.includes(text);
    return leads ? { place: "remote", rule: "leading to a mount of the target" } : null;
  }

  /**
   * Tools look for their settings in each folder above the working one: those are not taken from a mount of
   * such a folder.
   */
  #isFoundByTools(text: string, mount: string): boolean {
    return this.#above.some((folder) => {
      if (!text.startsWith(folder) || !folder.startsWith(`${mount}/`)) return false;
      const [first = "", ...below] = text.slice(folder.length).split("/");
      return below.length === 0 && hasLocalSuffix(`/${first}`) || toolFolder.test(`/${first}/`);
    });
  }
}

const decoder = new TextDecoder();
/** The patterns have the same meaning for JavaScript. */
const toolFolder = new RegExp(["/node_modules", ...codePatterns].join("|"), "i");

function patternOf(source: string): Pattern {
  return { regex: anyCase(source), source };
}

function anyCase(pattern: string): Regex {
  return compileRegex(pattern, { ignoreCase: true });
}

function anyOf(patterns: readonly string[]): Regex {
  return anyCase(patterns.map((pattern) => `(?:${pattern})`).join("|"));
}

/** The same pattern as JavaScript's, which reports what the groups matched. */
function rewriting(pattern: string): RegExp {
  try {
    const { source, flags } = nameExpression(pattern);
    return new RegExp(source, flags.includes("i") ? flags : `${flags}i`);
  } catch (cause) {
    throw new ConfigError(`Cannot use feature.fs.mapping "${pattern}": its groups cannot be determined`, {
      help: "Write the pattern without look-behind of varying length and without POSIX classes.",
      cause,
    });
  }
}

const suffixes: ReadonlySet<string> = new Set(lists.localSuffixes.map((end) => end.toLowerCase()));

/** None of the suffixes has a slash but at its start: no more than the last name is looked at. */
function hasLocalSuffix(path: string): boolean {
  const text = path.toLowerCase();
  for (let at = text.length - 1; at >= 0; at--) {
    if (suffixes.has(text.slice(at))) return true;
    if (text[at] === "/") return false;
  }
  return false;
}

function isText(path: Uint8Array, text: string): boolean {
  return text !== "" && osText(path).toLowerCase() === text.toLowerCase();
}

/** Patterns are text, with the developer's own paths in them as osText writes them. */
function asPatternsSee(path: Uint8Array): Uint8Array {
  const text = osText(path);
  return hasRawBytes(text) ? new TextEncoder().encode(text) : path;
}
