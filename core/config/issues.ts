// Turns the schema library's findings into sentences: which key, what it holds, what it may hold. Called by
// load.ts and up.ts. Every finding becomes exactly one problem with the path of the key it is about.

import { ConfigError } from "../base/errors.ts";
import { nearWords, quoteList } from "../base/near.ts";

/** One thing that is wrong: `path` of the key, and what to say about it. */
export interface Problem {
  path: readonly (string | number)[];
  state: string;
  help?: string;
}

/** A problem as a sentence, and what to do about it. */
export interface Sentence {
  text: string;
  help?: string | undefined;
}

/** The error that lists all that is wrong; of several each has its help below it. */
export function refusal(wrong: readonly Sentence[]): ConfigError {
  const [first] = wrong;
  if (first !== undefined && wrong.length === 1) {
    return new ConfigError(first.text, first.help === undefined ? {} : { help: first.help });
  }
  const lines = wrong.flatMap(({ text, help }) => help === undefined ? [text] : [text, `  help: ${help}`]);
  return new ConfigError(lines.join("\n"));
}

/** The part of the library's issue type that is read here. */
export interface SchemaIssue {
  readonly code?: string | undefined;
  readonly path: readonly PropertyKey[];
  readonly keys?: readonly string[];
  readonly errors?: readonly (readonly SchemaIssue[])[];
  readonly expected?: string;
  readonly values?: readonly unknown[];
  readonly minimum?: number | bigint;
  readonly maximum?: number | bigint;
  readonly origin?: string;
}

/** Finds the keys allowed at a path, for "did you mean". */
export type KnownKeys = (path: readonly (string | number)[]) => readonly string[];

/** All problems behind `issues`; `root` is the checked document. */
export function describeIssues(issues: readonly SchemaIssue[], root: unknown, known: KnownKeys): Problem[] {
  return issues.flatMap((issue) => describe(issue, [], root, known));
}

function describe(
  issue: SchemaIssue,
  parent: readonly (string | number)[],
  root: unknown,
  known: KnownKeys,
): Problem[] {
  const path = [...parent, ...issue.path.map((part) => typeof part === "number" ? part : String(part))];
  switch (issue.code) {
    case "unrecognized_keys":
      return (issue.keys ?? []).map((key) => unknownKey([...path, key], key, known(path)));
    case "invalid_union": {
      const branches = issue.errors ?? [];
      const branch = likeliestBranch(branches);
      if (branch !== undefined) return branch.flatMap((inner) => describe(inner, path, root, known));
      const wanted = branches.flatMap((inner) => inner.flatMap(expectation));
      return [{ path, state: `${show(valueAt(root, path))} is not ${sentence(wanted)}` }];
    }
    default:
      return [{ path, state: `${show(valueAt(root, path))} is not ${sentence(expectation(issue))}` }];
  }
}

function unknownKey(path: readonly (string | number)[], key: string, siblings: readonly string[]): Problem {
  const near = nearWords(key, siblings);
  const help = near.length > 0
    ? `Did you mean ${quoteList(near)}?`
    : siblings.length > 0
    ? `Known here: ${[...siblings].sort().join(", ")}.`
    : undefined;
  return { path, state: "there is no such key", ...(help === undefined ? {} : { help }) };
}

/** The branch the user meant: one that fits at its root (its issues lie deeper or are unknown keys). */
function likeliestBranch(branches: readonly (readonly SchemaIssue[])[]): readonly SchemaIssue[] | undefined {
  return branches
    .filter((branch) => branch.every((issue) => issue.path.length > 0 || issue.code === "unrecognized_keys"))
    .sort((a, b) => a.length - b.length)[0];
}

/** What would have been right, as words for "is not …". */
function expectation(issue: SchemaIssue): string[] {
  switch (issue.code) {
    case "invalid_type":
      return [typeWords[issue.expected ?? ""] ?? issue.expected ?? "of the right type"];
    case "invalid_value":
      return (issue.values ?? []).map((value) => JSON.stringify(value));
    case "too_small":
    case "too_big": {
      if (issue.origin === "string") return ["a text of at least one character"];
      const bound = issue.minimum === undefined ? `at most ${issue.maximum}` : `at least ${issue.minimum}`;
      return issue.origin === "array" ? [`a list of ${bound} entries`] : [`a number of ${bound}`];
    }
    case "invalid_union":
      return (issue.errors ?? []).flatMap((branch) => branch.flatMap(expectation));
    case "unrecognized_keys":
      return [];
    default:
      return ["of the right form"];
  }
}

const typeWords: Readonly<Record<string, string>> = {
  string: "a text",
  boolean: "true or false",
  int: "a whole number",
  number: "a number",
  array: "a list",
  tuple: "a pair",
  object: "an object",
  record: "an object",
};

function sentence(words: readonly string[]): string {
  const distinct = [...new Set(words)];
  const last = distinct.pop() ?? "what belongs here";
  return distinct.length === 0 ? last : `${distinct.join(", ")} or ${last}`;
}

function show(value: unknown): string {
  const shown = value === undefined ? "nothing" : JSON.stringify(value);
  return shown.length > 60 ? `${shown.slice(0, 57)}…` : shown;
}

/** The value at `path` in a plain document, or undefined. */
export function valueAt(root: unknown, path: readonly (string | number)[]): unknown {
  let node: unknown = root;
  for (const part of path) {
    if (typeof node !== "object" || node === null || !Object.hasOwn(node, part)) return undefined;
    node = Reflect.get(node, part);
  }
  return node;
}

/** `feature.network.incoming.ports[2]`; the whole document is `configuration`. */
export function formatPath(path: readonly (string | number)[]): string {
  if (path.length === 0) return "configuration";
  return path.map((part, index) => typeof part === "number" ? `[${part}]` : index === 0 ? part : `.${part}`)
    .join("");
}
