// Is a path the target's business? Rules of the configuration first, then the built-in lists, then the mode. Made by
// files.ts, asked for every path of the app that the layer did not decide by the table (policy_table.ts).
// Invariant: patterns match without regard to case over the absolute path without a slash at its end.

import { compileRegex, type Regex } from "../../protocol-wasm/mod.ts";
import { ConfigError } from "../base/errors.ts";
import type { FilesConfig } from "../config/config.ts";
import { groupReplacement, nameExpression } from "../config/name_pattern.ts";
import * as lists from "./policy_default.ts";

/** local: libc; remote: the target; absent: the app is told that there is nothing. */
export type Place = "local" | "remote" | "absent";

/** One question. */
export interface PathUse {
  path: Uint8Array;
  /** The call would change something. */
  writes: boolean;
  /** The file of the process that asks. */
  executable: string;
}

export class Policy {
  readonly #mode: FilesConfig["mode"];
  readonly #notFound: Regex[];
  readonly #readWrite: Regex[];
  readonly #readOnly: Regex[];
  readonly #local: Regex[];
  readonly #mapping: { regex: Regex; expression: RegExp; replacement: string }[];
  readonly #absent: Regex | null;
  readonly #remoteRead: Regex;
  readonly #builtInLocal: Regex;

  /** Throws RegexError for a pattern that cannot be used, ConfigError for one that cannot rewrite. */
  constructor(config: FilesConfig, places: lists.LocalPlaces) {
    this.#mode = config.mode;
    this.#notFound = config.notFound.map(anyCase);
    this.#readWrite = config.readWrite.map(anyCase);
    this.#readOnly = config.readOnly.map(anyCase);
    this.#local = config.local.map(anyCase);
    this.#mapping = config.mapping.map(([pattern, path]) => ({
      regex: anyCase(pattern),
      expression: rewriting(pattern),
      replacement: groupReplacement(path),
    }));
    const { home } = places;
    const isHome = home !== undefined && /^\/+[^/]/.test(home);
    this.#absent = isHome ? anyOf(lists.absentTrees.map((path) => lists.tree(home + path))) : null;
    this.#remoteRead = anyOf([
      ...lists.remoteFiles.map((path) => `^${lists.literal(path)}$`),
      ...lists.remoteTrees.map(lists.tree),
    ]);
    this.#builtInLocal = anyOf([
      ...lists.localSuffixes.map((end) => `.${lists.literal(end)}$|^${lists.literal(end)}$`),
      ...lists.localPatterns,
      ...lists.localTrees.map(lists.tree),
      ...lists.localPlaceTrees(places).map(lists.tree),
      ...lists.leadingPaths(places).map((path) => `^${lists.literal(path)}$`),
      ...(isHome ? [`^${lists.literal(home)}/\\.`] : []),
    ]);
  }

  /** The path that is meant where `path` (absolute) was said; itself when no rule rewrites it. */
  rewrite(path: Uint8Array): Uint8Array {
    const rule = this.#mapping.find(({ regex }) => regex.matches(path));
    if (rule === undefined) return path;
    let text: string;
    try {
      text = new TextDecoder("utf-8", { fatal: true }).decode(path);
    } catch {
      return path; // rules are text, this is none
    }
    return new TextEncoder().encode(text.replace(rule.expression, rule.replacement));
  }

  /** In the original's order. */
  decide({ path, writes, executable }: PathUse): Place {
    const end = path.length > 1 && path[path.length - 1] === 0x2f ? path.length - 1 : path.length;
    const text = path.subarray(0, end);
    const matches = (regexes: Regex[]) => regexes.some((regex) => regex.matches(text));
    if (this.#mode === "local") return "local";
    if (matches(this.#notFound)) return "absent";
    if (matches(this.#readWrite)) return "remote";
    if (matches(this.#readOnly)) return writes ? "local" : "remote";
    if (matches(this.#local)) return "local";
    if (this.#absent?.matches(text) === true) return "absent";
    if (!writes && this.#remoteRead.matches(text)) return "remote";
    if (this.#builtInLocal.matches(text) || isText(text, executable)) return "local";
    if (this.#mode === "localwithoverrides") return "local";
    return this.#mode === "read" && writes ? "local" : "remote";
  }
}

function anyCase(pattern: string): Regex {
  return compileRegex(pattern, { ignoreCase: true });
}

function anyOf(patterns: readonly string[]): Regex {
  return anyCase(patterns.map((pattern) => `(?:${pattern})`).join("|"));
}

/** The same pattern as JavaScript's, which can tell what the groups matched. */
function rewriting(pattern: string): RegExp {
  try {
    const { source, flags } = nameExpression(pattern);
    return new RegExp(source, flags.includes("i") ? flags : `${flags}i`);
  } catch (cause) {
    throw new ConfigError(`Cannot use feature.fs.mapping "${pattern}": its groups cannot be told`, {
      help: "Write the pattern without look-behind of varying length and without POSIX classes.",
      cause,
    });
  }
}

function isText(path: Uint8Array, text: string): boolean {
  return text !== "" && new TextDecoder().decode(path).toLowerCase() === text.toLowerCase();
}
