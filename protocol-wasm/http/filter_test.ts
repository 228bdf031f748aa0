// Filters through the built Wasm: shared vectors, refusals, and any bytes as a head.

import assert from "node:assert/strict";
import { FilterError } from "../errors.ts";
import { compileFilter } from "./filter.ts";
import vectors from "../testdata/filters.json" with { type: "json" };
import { RandomSource } from "../testdata/random_regex.ts";

const encoder = new TextEncoder();

for (const { name, filter, matches } of vectors.cases) {
  Deno.test(`filters: ${name}`, () => {
    using compiled = compileFilter(JSON.stringify(filter));
    const matched = Object.entries(vectors.heads)
      .filter(([, head]) => compiled.matches(encoder.encode(head)))
      .map(([head]) => head);
    assert.deepEqual(matched, matches);
  });
}

Deno.test("a filter that cannot be used is refused with its place and reason", () => {
  for (const [source, message] of vectors.refused as [string, string][]) {
    assert.throws(() => compileFilter(source), (error) => {
      assert.ok(error instanceof FilterError, source);
      assert.ok(error.message.startsWith(message), `${source}: ${error.message}`);
      return true;
    });
  }
});

Deno.test("a head over 64 KiB never matches and one of 64 KiB can", () => {
  using filter = compileFilter('{"header": "^x-last: yes$"}');
  const head = (bytes: number) => {
    const [start, end] = ["GET / HTTP/1.1\r\nA: ", "\r\nX-Last: yes\r\n\r\n"];
    return encoder.encode(start + "x".repeat(bytes - start.length - end.length) + end);
  };
  assert.equal(filter.matches(head(65536)), true);
  assert.equal(filter.matches(head(65537)), false);
  assert.equal(filter.matches(new Uint8Array(1 << 20)), false);
});

Deno.test("a join stops at the first member that decides it", () => {
  const head = encoder.encode(vectors.heads.browser);
  using decided = compileFilter('{"any_of": [{"method": "GET"}, {"header": "x"}]}');
  assert.equal(decided.matches(head), true);
  assert.equal(decided.steps, 0);
  using undecided = compileFilter('{"all_of": [{"method": "GET"}, {"header": "nothing"}]}');
  assert.equal(undecided.matches(head), false);
  assert.ok(undecided.steps > 0);
});

Deno.test("a disposed filter says so", () => {
  const filter = compileFilter('{"method": "GET"}');
  filter[Symbol.dispose]();
  assert.throws(() => filter.matches(encoder.encode(vectors.heads.bare)), TypeError);
});

Deno.test("a filter of 64 patterns takes at most 8 MiB", () => {
  const leaf = { header: "^x-session: [0-9a-f]{8}-(?!.*test).*(dev|stage)$" };
  using filter = compileFilter(JSON.stringify({ any_of: Array.from({ length: 64 }, () => leaf) }));
  assert.equal(filter.matches(encoder.encode(vectors.heads.browser)), false);
  assert.ok(filter.memoryBytes <= 8 << 20, String(filter.memoryBytes));
});

Deno.test("matching takes no memory", () => {
  using filter = compileFilter('{"header": "(?<!x)(a|b)*a(a|b){12}c(?!.*d)"}');
  const random = new RandomSource(5);
  const before = filter.memoryBytes;
  for (let round = 0; round < 200; round++) {
    const value = Array.from({ length: 300 }, () => random.pick(["a", "b", "c"])).join("");
    filter.matches(encoder.encode(`GET / HTTP/1.1\r\nA: ${value}\r\n\r\n`));
  }
  assert.equal(filter.memoryBytes, before);
});

Deno.test("any bytes as a head match or not", () => {
  using filter = compileFilter(
    '{"any_of": [{"header": "b.b"}, {"path": "^/a"}, {"not": {"method": "GET"}}]}',
  );
  const random = new RandomSource(3);
  const heads = Object.values(vectors.heads);
  let matched = 0;
  for (let round = 0; round < 20000; round++) {
    const bytes = round % 4 === 0 ? random.bytes(random.below(100)) : encoder.encode(random.pick(heads));
    for (let i = random.below(3); i > 0 && bytes.length > 0; i--) {
      bytes[random.below(bytes.length)] = random.below(256);
    }
    if (filter.matches(bytes)) matched++;
  }
  assert.ok(matched > 100 && matched < 19000, String(matched));
});

Deno.test("a pattern where a method belongs is refused, it would never match", () => {
  for (const method of ["^POST$", "GET|POST", ".*"]) {
    assert.throws(
      () => compileFilter(JSON.stringify({ method })),
      /"method": a method such as GET is expected, not a pattern/,
    );
  }
});
