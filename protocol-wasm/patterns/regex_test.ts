// The regular-expression engine through the built Wasm: shared vectors, JavaScript's RegExp for comparison,
// linearity by counting steps, and any bytes as pattern and text.

import assert from "node:assert/strict";
import { compileRegex, RegexError } from "./regex.ts";
import vectors from "../testdata/regex.json" with { type: "json" };
import { randomRegex, RandomSource } from "../testdata/random_regex.ts";

type Case = [pattern: string, text: string, matches: boolean, why?: string];

function verdict(pattern: string, text: string | Uint8Array): boolean {
  using regex = compileRegex(pattern);
  return regex.matches(text);
}

Deno.test("patterns match as the vectors say", () => {
  for (const [pattern, text, expected] of [...vectors.shared, ...vectors.own] as Case[]) {
    assert.equal(verdict(pattern, text), expected, `${pattern} on ${JSON.stringify(text)}`);
  }
});

Deno.test("the shared vectors are JavaScript's verdicts too", () => {
  for (const [pattern, text, expected] of vectors.shared as Case[]) {
    assert.equal(new RegExp(pattern, "u").test(text), expected, `${pattern} on ${JSON.stringify(text)}`);
  }
});

Deno.test("bytes that are no UTF-8 count as one character each", () => {
  for (const [pattern, hex, expected, why] of vectors.bytes as Case[]) {
    assert.equal(verdict(pattern, Uint8Array.fromHex(hex)), expected, `${pattern} on ${hex}: ${why}`);
  }
});

Deno.test("what cannot be matched in linear time is refused by name and place", () => {
  for (const [pattern, reason, at] of vectors.refused as [string, string, number][]) {
    assert.throws(() => compileRegex(pattern), (error) => {
      assert.ok(error instanceof RegexError, pattern);
      assert.deepEqual([error.reason, error.at], [reason, at], pattern);
      return true;
    });
  }
  assert.throws(() => compileRegex("a".repeat(4097)), /longer than 4096 bytes/);
  assert.throws(() => compileRegex("a".repeat(70000)), /longer than 4096 bytes/);
});

Deno.test("random patterns have JavaScript's verdict on random texts", () => {
  // Kept out of the generator, since JavaScript differs there on purpose: code points beyond the BMP (its
  // search also stops inside a surrogate pair), \r and U+2028 (they end lines in JavaScript), letters beyond
  // ASCII that have two cases, spaces beyond ASCII (ours are ASCII's).
  const random = new RandomSource(20260101);
  const alphabet = [..."abABz09_ -=\n:é日€"];
  let verdicts = 0;
  for (let round = 0; round < 1200; round++) {
    const { pattern, flags } = randomRegex(random);
    const inline = [...flags].filter((flag) => flag === "m" || flag === "s").join("");
    const script = new RegExp(pattern, flags + "u");
    let regex;
    try {
      regex = compileRegex((inline === "" ? "" : `(?${inline})`) + pattern, {
        ignoreCase: flags.includes("i"),
      });
    } catch (error) {
      assert.match(String(error), /more than 8 look-arounds|more than 4096 instructions/, pattern);
      continue;
    }
    for (let i = 0; i < 12; i++) {
      const text = Array.from({ length: random.below(10) }, () => random.pick(alphabet)).join("");
      assert.equal(regex.matches(text), script.test(text), `/${pattern}/${flags} on ${JSON.stringify(text)}`);
      verdicts++;
    }
    regex[Symbol.dispose]();
  }
  assert.ok(verdicts > 10000);
});

Deno.test("steps are at most linear in program and text, whatever the pattern", () => {
  const patterns: [pattern: string, unit: string, end: string][] = [
    ["(a+)+$", "a", "!"],
    ["^(a|a)*$", "a", "!"],
    ["^(a|aa)+$", "a", "!"],
    ["(x+x+)+y", "x", ""],
    ["^(.*)(.*)(.*)(.*)z$", "a", ""],
    ["(a|b)*a(a|b){12}c", "abbabaab", ""],
    ["(?:a?){30}a{30}b", "a", ""],
    ["^(?!.*(a+)+z).*q$", "a", ""],
    ["(?=(?=(?=a*b)a*c)a*d)", "a", ""],
    ["(?<=a*b)c|(?<!a+)d", "a", ""],
    ["(?:(?=.*x)a)*b", "a", ""],
    ["(?=a)(?=a)(?=a)(?=a)(?!b)(?!b)(?!b)a*(?!.*c)d", "a", ""],
    ["[^é]*日[^é]*€$", "日é", ""],
    ["(?:[a-f]|[d-k]|[h-z]){50,60}7", "abcdefghijklmnopqrstuvwxyz", ""],
  ];
  for (const [pattern, unit, end] of patterns) {
    using regex = compileRegex(pattern);
    const lengths = [1000, 8000, 60000].map((length) => {
      const text = new TextEncoder().encode(unit.repeat(length).slice(0, length) + end).subarray(0, 65536);
      const before = regex.steps;
      regex.matches(text);
      return { bytes: text.length, steps: regex.steps - before };
    });
    for (const { bytes, steps } of lengths) {
      assert.ok(
        steps <= 1.1 * (regex.size + 32) * (bytes + 2),
        `${pattern}: ${steps} steps for ${bytes} bytes`,
      );
    }
  }
});

Deno.test("a pattern that explodes a backtracking engine is matched in a step or two for each byte", () => {
  using regex = compileRegex("^(a+)+$");
  assert.equal(regex.matches("a".repeat(65535) + "!"), false);
  assert.ok(regex.steps < 2 * 65536 + 1000, String(regex.steps));
});

Deno.test("verdicts stay the same when the table of states is emptied again and again", () => {
  const random = new RandomSource(13);
  for (
    const source of ["a[ab]{12}c", "a[ab]{12}c\\B", "\\B[ab]{12}a[ab]{12}c(?!b)", "(?<!bb)a[ab]{13}c(?=.a)"]
  ) {
    using regex = compileRegex(source);
    const script = new RegExp(source, "u");
    let matched = 0;
    for (let round = 0; round < 150; round++) {
      const letter = () => random.below(round % 2 === 0 ? 40 : 400) === 0 ? "c" : random.pick(["a", "b"]);
      const text = Array.from({ length: 400 }, letter).join("");
      assert.equal(regex.matches(text), script.test(text), `${source} on ${text}`);
      if (script.test(text)) matched++;
    }
    assert.ok(matched > 20 && matched < 150, `${source}: ${matched}`);
  }
});

Deno.test("text over the limit never matches", () => {
  using regex = compileRegex("a");
  assert.equal(regex.matches("a".repeat(65536)), true);
  assert.equal(regex.matches("a".repeat(65537)), false);
});

Deno.test("any bytes as a pattern compile or are refused, and any bytes can be matched", () => {
  const random = new RandomSource(7);
  const pieces = [
    ..."()[]{}|*+?.^$\\,-:=!<>#&~",
    "(?",
    "(?<",
    "(?i)",
    "[[:",
    "\\x",
    "\\u{",
    "\\p",
    "{2,3}",
    "a",
    "é",
  ];
  let compiled = 0;
  let refused = 0;
  for (let round = 0; round < 2400; round++) {
    const bytes = round % 3 === 0 ? random.bytes(random.below(40)) : new TextEncoder().encode(
      Array.from({ length: random.below(16) }, () => random.pick(pieces)).join(""),
    );
    try {
      using regex = compileRegex(bytes, { ignoreCase: round % 2 === 0 });
      for (let i = 0; i < 3; i++) regex.matches(random.bytes(random.below(60)));
      compiled++;
    } catch (error) {
      assert.ok(error instanceof RegexError, `${bytes}: ${error}`);
      assert.notEqual(error.reason, "");
      refused++;
    }
  }
  assert.ok(compiled > 100 && refused > 100, `${compiled} compiled, ${refused} refused`);
});
