// Wildcards through the built Wasm.

import assert from "node:assert/strict";
import { compileGlobs } from "./glob.ts";
import { RandomSource } from "../testdata/random_regex.ts";

Deno.test("globs match whole names, letter case included", () => {
  const cases: [patterns: string[], names: string[], not: string[]][] = [
    [[], [], ["", "A"]],
    [[""], [""], ["A"]],
    [["PATH"], ["PATH"], ["path", "PATHS", "XPATH", ""]],
    [["*"], ["", "A", "A_B", "é"], []],
    [["DB_*"], ["DB_", "DB_HOST"], ["XDB_HOST", "db_host", "DB"]],
    [["*_URL"], ["_URL", "A_URL", "A_URL_URL"], ["A_URLS"]],
    [["*SECRET*"], ["SECRET", "MY_SECRET_KEY"], ["SECRE"]],
    [["A?C"], ["ABC", "AéC", "A😀C", "A?C"], ["AC", "ABBC"]],
    [["A*B*C"], ["ABC", "AxBxC", "ABCBC", "ABBC"], ["ACB", "AB"]],
    [["**A**"], ["A", "xAy"], ["b"]],
    [["?*"], ["A", "AB"], [""]],
    [["A.B", "[x]"], ["A.B", "[x]"], ["AxB", "x"]],
    [["A", "B*"], ["A", "B", "BC"], ["AB"]],
  ];
  for (const [patterns, names, not] of cases) {
    using globs = compileGlobs(patterns);
    assert.deepEqual([...names, ...not].filter((name) => globs.matches(name)), names, String(patterns));
  }
});

Deno.test("random globs have the verdict of the same pattern as a regular expression", () => {
  const random = new RandomSource(9);
  const text = (letters: string[]) =>
    Array.from({ length: random.below(8) }, () => random.pick(letters)).join("");
  let matched = 0;
  for (let round = 0; round < 500; round++) {
    const pattern = text(["a", "b", "é", "*", "?", "*"]);
    const script = new RegExp(`^${pattern.replaceAll("*", ".*").replaceAll("?", ".")}$`, "su");
    using globs = compileGlobs([pattern]);
    for (let i = 0; i < 20; i++) {
      const name = text(["a", "b", "é"]);
      assert.equal(globs.matches(name), script.test(name), `${pattern} on ${name}`);
      if (script.test(name)) matched++;
    }
  }
  assert.ok(matched > 500);
});

Deno.test("a glob over 64 KiB is refused and a longer name never matches", () => {
  assert.throws(() => compileGlobs(["a".repeat(65537)]), RangeError);
  using globs = compileGlobs(["*"]);
  assert.equal(globs.matches("a".repeat(65536)), true);
  assert.equal(globs.matches("a".repeat(65537)), false);
  globs[Symbol.dispose]();
  assert.throws(() => globs.matches("a"), TypeError);
});
