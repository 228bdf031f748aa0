// What is gathered while a checked file is resolved, and the checks that need the Wasm core. Called by
// resolve.ts and floors.ts; load.ts makes the checks. A check answers with what is wrong, in words, or null:
// it never throws.

import type { Problem } from "./issues.ts";

/** Where problems go while a file is resolved. */
export interface Findings {
  errors: Problem[];
  warnings: Problem[];
}

/** Each compiles what it gets, as session and agent will, and says why that cannot be used; null: it can. */
export interface Checks {
  /** Text of an HTTP filter. */
  filter(source: string): string | null;
  /** A regular expression; the answer names the place in it. */
  pattern(pattern: string): string | null;
  /** A rule over destinations. */
  rule(rule: string): string | null;
  /** Those of `names` that `rules` match. */
  matched(rules: readonly string[], names: readonly string[]): string[];
}

/** One text or a list of them, as the format allows, always as a list. */
export function asList(value: string | string[] | undefined): string[] {
  return value === undefined ? [] : typeof value === "string" ? [value] : value;
}

/** Names of variables or programs, which a text may separate by `;` as variables and flags do. */
export function asNames(value: string | string[] | undefined): string[] {
  return asList(value).flatMap((text) => text.split(";")).filter((name) => name !== "");
}
