// A corpus of configuration files, made from testdata/upstream_keys.json: every key of upstream's format
// (3.250.0) alone, null, and in each form that the format allows. Each is taken, warned about or refused by
// name; docs/configuration.md has the outcome as a table, which MIRRORD_TEST_WRITE=1 rewrites. What is taken
// can be written out and read again.

import assert from "node:assert/strict";
import { isObject } from "./later.ts";
import { type Verdict, verifyConfig } from "./load.ts";
import { writtenConfig } from "./written.ts";

/**
 * A key's forms ("bool | list of text | null"), or its members, with its own forms under "=", those of a
 * list's members under "[]", and those of a table of the user's own names under "*".
 */
type Node = string | { [key: string]: Node };

const folder = new URL("./testdata/", import.meta.url);
const tree: Node = JSON.parse(Deno.readTextFileSync(new URL("upstream_keys.json", folder)));
const documentation = new URL("../../docs/configuration.md", import.meta.url);
const directory = Deno.makeTempDirSync();
globalThis.addEventListener("unload", () => Deno.removeSync(directory, { recursive: true }));

interface Key {
  /** ["feature", "db_branches", "[]", "name"] */
  path: string[];
  values: unknown[];
  mayBeNull: boolean;
}

/** Values that a key needs where "x" and 1 are none. */
const texts: [RegExp, string][] = [
  [/^target(\.path)?$/, "pod/a"],
  [/image_pull_policy$/, "Always"],
  [/\.header(_filter)?$/, "x-user: me"],
  [/^agent\.log_level$/, "debug"],
  [/_ip$/, "127.0.0.1"],
];

function sample(form: string, name: string): unknown[] {
  const text = texts.find(([pattern]) => pattern.test(name))?.[1] ?? "x";
  switch (form) {
    case "bool":
      return [true, false];
    case "int":
      return [1];
    case "text":
      return [text];
    case "list":
      return [[]];
    case "map":
      return [{}];
    case "list of text":
      return [[text], []];
    case "list of int":
      return [[1], []];
    case "list of pair":
      return [[[1, 2]], []];
    case "map of text":
      return [{ a: "b" }, {}];
    case "null":
    case "":
      return [];
    default:
      return [JSON.parse(form)];
  }
}

function* keysOf(node: Node, path: string[] = []): Iterable<Key> {
  const name = path.filter((part) => !/^(\[\]|\*)$/.test(part)).join(".");
  const forms = (typeof node === "string" ? node : String(node["="] ?? "")).split(" | ");
  const members = typeof node === "string" ? [] : Object.keys(node).filter((key) => key !== "=");
  const isTable = members.some((key) => !/^(\[\]|\*)$/.test(key));
  if (!/^(\[\]|\*)?$/.test(path[path.length - 1] ?? "")) {
    const values = forms.flatMap((form) => sample(form, name));
    yield { path, values: isTable ? [...values, {}] : values, mayBeNull: forms.includes("null") };
  }
  if (typeof node === "string") return;
  for (const member of members) yield* keysOf(node[member] ?? "", [...path, member]);
}

const keys = [...keysOf(tree)];

/** A file in which `path` has `value`, with what else it takes to be about that key alone. */
function fileWith(path: readonly string[], value: unknown): Record<string, unknown> {
  const place = (parts: readonly string[]): unknown => {
    const [part, ...rest] = parts;
    if (part === undefined) return value;
    if (part === "[]") return [place(rest)];
    return { [part === "*" ? "own" : part]: place(rest) };
  };
  const name = path.join(".");
  const incoming = "feature.network.incoming.";
  const beside: [boolean, string, unknown][] = [
    [path[0] !== "target", "target", "pod/a"],
    [name.startsWith(incoming) && name !== `${incoming}mode`, `${incoming}mode`, "steal"],
    [/^target\.(path\.)?container$/.test(name), path.with(-1, "pod").join("."), "a"],
    [name === "target.namespace", "target.path", "pod/a"],
    [name === `${incoming}http_filter.ports`, `${incoming}http_filter.path_filter`, "^/api"],
    [/_of\.\[\]\.(body|matches)$/.test(name), path.with(-1, "query").join("."), "$.a"],
    [/_of\.\[\]\.body$/.test(name), path.with(-1, "matches").join("."), "a"],
    [/_of\.\[\]\.matches$/.test(name), path.with(-1, "body").join("."), "json"],
  ];
  return beside.filter(([needed]) => needed).reduce((file, [, at, wanted]) => {
    return merge(file, fileOf(at.split("."), wanted));
  }, place(path) as Record<string, unknown>);
}

function fileOf(path: readonly string[], value: unknown): Record<string, unknown> {
  const [part = "", ...rest] = path;
  const inner = rest.length === 0 ? value : fileOf(rest, value);
  return part === "[]" ? [inner] as unknown as Record<string, unknown> : { [part]: inner };
}

function merge(a: unknown, b: unknown): Record<string, unknown> {
  if (Array.isArray(a) && Array.isArray(b)) return [merge(a[0], b[0])] as unknown as Record<string, unknown>;
  const result: Record<string, unknown> = { ...a as Record<string, unknown> };
  for (const [key, value] of Object.entries(b as Record<string, unknown>)) {
    result[key] = key in result ? merge(result[key], value) : value;
  }
  return result;
}

async function verify(value: unknown): Promise<Verdict> {
  const file = `${directory}/${crypto.randomUUID()}.json`;
  await Deno.writeTextFile(file, JSON.stringify(value));
  const verdict = await verifyConfig({ file, flags: {}, env: new Map(), targetLater: true });
  await Deno.remove(file);
  const short = (line: string) => line.replace(/ \((line \d+ of|in) "[^"]*"\)/, "");
  return {
    ...verdict,
    ...(verdict.config === undefined ? {} : { config: { ...verdict.config, file: undefined } }),
    errors: verdict.errors.map(short),
    warnings: verdict.warnings.map(short),
  };
}

type Outcome = "taken" | "warned" | "refused";

function outcomeOf({ errors, warnings }: Verdict): Outcome {
  return errors.length > 0 ? "refused" : warnings.length > 0 ? "warned" : "taken";
}

/** The key that a message is about, as the tree's keys are written. */
function keyIn(message: string): string {
  return (/^(?:Cannot \w+|Ignoring|Check) "([^"]*)"/.exec(message)?.[1] ?? "").replace(/\[\d+\]/g, ".[]");
}

Deno.test("the table has every key of upstream's schema", () => {
  assert.equal(keys.length, 421);
});

Deno.test("every key is taken, warned about or refused, by name, in each of its forms", async () => {
  for (const { path, values } of keys) {
    const name = path.join(".");
    for (const value of values) {
      const { errors, warnings, config } = await verify(fileWith(path, value));
      const what = `${name}: ${JSON.stringify(value)}: ${[...errors, ...warnings].join("\n")}`;
      assert.equal(config === undefined, errors.length > 0, what);
      assert.ok(errors.length <= 1, what);
      for (const message of [...errors, ...warnings]) {
        assert.doesNotMatch(message, /no such key/, what);
        const said = keyIn(message);
        const own = name.replaceAll("*", "own");
        assert.ok(said !== "" && (own.startsWith(said) || said.startsWith(own)), what);
      }
    }
  }
});

Deno.test("null says what leaving the key out says", async () => {
  for (const { path, mayBeNull } of keys) {
    if (!mayBeNull) continue;
    const without = fileWith(path, null);
    const parent = path.slice(0, -1).reduce<unknown>(
      (node, part) =>
        Array.isArray(node) ? node[0] : isObject(node) ? node[part === "*" ? "own" : part] : node,
      without,
    );
    if (isObject(parent)) delete parent[path[path.length - 1] ?? ""];
    assert.deepEqual(await verify(fileWith(path, null)), await verify(without), path.join("."));
  }
});

Deno.test("what is taken can be written out and read again", async () => {
  let read = 0;
  for (const { path, values } of keys) {
    for (const value of values) {
      const { config } = await verify(fileWith(path, value));
      if (config === undefined) continue;
      const again = await verify(writtenConfig(config));
      assert.deepEqual(again.errors, [], path.join("."));
      assert.deepEqual(again.config, config, path.join("."));
      read++;
    }
  }
  assert.ok(read > 200, String(read));
});

/** One line of the table in the documentation: keys that fare alike. */
interface Row {
  name: string;
  count: number;
  outcome: string;
  reason: string;
}

async function rowOf({ path, values }: Key): Promise<Row | null> {
  const seen: { shown: string; outcome: Outcome }[] = [];
  let reason = "";
  for (const value of values) {
    const verdict = await verify(fileWith(path, value));
    const message = [...verdict.errors, ...verdict.warnings][0] ?? "";
    const state = message.replace(/^(?:Cannot \w+|Ignoring|Check) "[^"]*": /, "").replace(
      / \([a-z_, ]*\)$/,
      "",
    );
    if (typeof value === "object" && JSON.stringify(value).length === 2) continue;
    if (reason === "") reason = state;
    seen.push({ shown: JSON.stringify(value), outcome: outcomeOf(verdict) });
  }
  const outcomes = [...new Set(seen.map(({ outcome }) => outcome))];
  if (outcomes.length === 0) return null;
  const outcome = outcomes.length === 1 ? outcomes.join() : outcomes.map((one) => {
    const shown = seen.filter((value) => value.outcome === one).map((value) => `\`${value.shown}\``);
    return `${one}: ${shown.join(", ")}`;
  }).join("; ");
  return { name: path.join(".").replaceAll(".[]", "[]"), count: 1, outcome, reason };
}

/** The rows of `node`; members that all fare alike are one row. */
async function rowsOf(node: Node, path: string[]): Promise<Row[]> {
  const key = keys.find((one) => one.path.join(".") === path.join("."));
  const own = key === undefined ? null : await rowOf(key);
  const members = typeof node === "string" ? [] : Object.entries(node).filter(([member]) => member !== "=");
  const inner = (await Promise.all(members.map(([member, one]) => rowsOf(one, [...path, member])))).flat();
  const [first] = inner;
  const alike = first !== undefined && path.length > 0 && inner.length > 1 &&
    inner.every(({ outcome, reason }) => outcome === first.outcome && reason === first.reason);
  if (!alike) return own === null ? inner : [own, ...inner];
  const count = keys.filter((one) => one.path.join(".").startsWith(`${path.join(".")}.`)).length;
  const name = `${path.join(".").replaceAll(".[]", "[]")}.…`;
  return [...(own === null ? [] : [own]), { ...first, name, count }];
}

Deno.test("the documentation has the outcome for every key", async () => {
  const rows = await rowsOf(tree, []);
  const table = [
    "| key | outcome | why |",
    "|---|---|---|",
    ...rows.map(({ name, count, outcome, reason }) =>
      `| \`${name}\`${count > 1 ? ` (${count})` : ""} | ${outcome} | ${reason.replaceAll("|", "\\|")} |`
    ),
  ].join("\n");
  const text = await Deno.readTextFile(documentation);
  const [begin, end] = ["<!-- keys: begin -->\n", "\n<!-- keys: end -->"];
  const expected = text.slice(0, text.indexOf(begin) + begin.length) + table + text.slice(text.indexOf(end));
  if (Deno.env.get("MIRRORD_TEST_WRITE") === "1") await Deno.writeTextFile(documentation, expected);
  else {assert.equal(
      text,
      expected,
      "write it again: MIRRORD_TEST_WRITE=1 deno test -A core/config/corpus_test.ts",
    );}
});
