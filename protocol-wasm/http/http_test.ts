// HttpReader through the built Wasm: shared vectors in one piece, in every two pieces and byte by byte; no
// byte changed or lost; any bytes as input.

import assert from "node:assert/strict";
import { HttpReader } from "./http.ts";
import vectors from "../testdata/http.json" with { type: "json" };
import { RandomSource } from "../testdata/random_regex.ts";

type Case = { name: string; side: string; text: string; events: string[]; eof: string; expect?: string[] };

/** What a reader reports of `pieces`, and all bytes that it gave out or still holds. */
function read(side: "request" | "response", pieces: Uint8Array[], expect: string[] = []) {
  using reader = new HttpReader(side);
  for (const method of expect) reader.expect(method);
  const events: string[] = [];
  const out: number[] = [];
  let held: number[] = [];
  let body = 0;
  let opaque = false;
  const endBody = () => {
    if (body > 0) events.push(`body ${body}`);
    body = 0;
  };
  for (const piece of pieces) {
    let input = piece;
    for (let steps = 0, state = ""; state !== "more" && !opaque; steps++) {
      assert.ok(steps < 100000, "no end of steps");
      const step = reader.next(input);
      state = step.state;
      const taken = input.subarray(0, step.used);
      input = input.subarray(step.used);
      if (state === "body") {
        body += step.used;
        out.push(...taken);
      } else if (state === "head") {
        endBody();
        const about = side === "request" ? reader.method : String(reader.status);
        events.push(
          `head ${about} ${reader.keepAlive ? "keep" : "close"}${reader.interim ? " interim" : ""}${
            reader.upgrade ? " upgrade" : ""
          }`,
        );
        assert.deepEqual([...reader.head], [...held, ...taken]);
        out.push(...reader.head);
        held = [];
      } else if (state === "end") {
        assert.equal(step.used, 0);
        endBody();
        events.push("end");
      } else if (state === "more") {
        held.push(...taken);
        assert.equal(input.length, 0);
      } else {
        endBody();
        if (state === "not-http") {
          assert.deepEqual([...reader.head], [...held, ...taken]);
          out.push(...reader.head);
        } else {
          out.push(...taken);
        }
        held = [];
        events.push(state === "raw" ? "raw" : `not-http ${reader.reason}`);
        opaque = true;
      }
    }
    if (opaque) out.push(...input);
  }
  endBody();
  if (events.length === 0) events.push("more");
  return { events, eof: reader.atEof(), bytes: [...out, ...held] };
}

const cases = vectors.cases as Case[];

for (const { name, side, text, events, eof, expect } of cases) {
  Deno.test(`http: ${name}`, () => {
    const bytes = new TextEncoder().encode(text);
    const direction = side === "request" ? "request" : "response";
    const expected = { events, eof, bytes: [...bytes] };
    assert.deepEqual(read(direction, [bytes], expect), expected);
    assert.deepEqual(read(direction, [...bytes].map((byte) => Uint8Array.of(byte)), expect), expected);
    // Every split of a short text; of a long one those that leave its ends.
    for (let at = 1; at < bytes.length; at += at > 300 && at < bytes.length - 50 ? 97 : 1) {
      assert.deepEqual(
        read(direction, [bytes.subarray(0, at), bytes.subarray(at)], expect),
        expected,
        `at ${at}`,
      );
    }
  });
}

Deno.test("a head of 64 KiB is read and one byte more is not", () => {
  const head = (bytes: number) => {
    const start = "GET / HTTP/1.1\r\nA: ";
    return new TextEncoder().encode(start + "x".repeat(bytes - start.length - 4) + "\r\n\r\n");
  };
  assert.deepEqual(read("request", [head(65536)]).events, ["head GET keep", "end"]);
  const over = read("request", [head(65537)]);
  assert.deepEqual(over.events, ["not-http head-too-large"]);
  assert.equal(over.bytes.length, 65537);
});

Deno.test("a long body is counted without being looked at", () => {
  using reader = new HttpReader("request");
  const head = new TextEncoder().encode("PUT / HTTP/1.1\r\nContent-Length: 9007199254740991\r\n\r\n");
  assert.deepEqual(reader.next(head), { state: "head", used: head.length });
  const piece = new Uint8Array(1 << 20);
  for (let i = 0; i < 8; i++) assert.deepEqual(reader.next(piece), { state: "body", used: piece.length });
  assert.equal(reader.atEof(), "truncated");
});

Deno.test("the head stays readable while the body passes and no longer when the body turns out malformed", () => {
  using reader = new HttpReader("request");
  const head = new TextEncoder().encode("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n");
  reader.next(head);
  reader.next(new TextEncoder().encode("1\r\nx"));
  assert.deepEqual(reader.head, head);
  assert.deepEqual(reader.next(new TextEncoder().encode("!")), { state: "not-http", used: 0 });
  assert.equal(reader.reason, "chunk-end");
  assert.equal(reader.head.length, 0);
  assert.deepEqual(reader.next(new Uint8Array(3)), { state: "not-http", used: 0 });
});

Deno.test("a disposed reader's place serves the next one, which knows nothing of it", () => {
  for (let i = 0; i < 500; i++) {
    using reader = new HttpReader("request");
    assert.deepEqual(reader.next(new TextEncoder().encode("GET /secret")), { state: "more", used: 11 });
    assert.equal(reader.head.length, 0);
    assert.equal(reader.atEof(), "truncated");
  }
  const ended = new HttpReader("request");
  ended[Symbol.dispose]();
  ended[Symbol.dispose]();
  assert.throws(() => ended.next(new Uint8Array()), TypeError);
});

Deno.test("many readers at once do not disturb each other", () => {
  const readers = Array.from({ length: 300 }, () => new HttpReader("request"));
  const encoder = new TextEncoder();
  readers.forEach((reader, i) => reader.next(encoder.encode(`GET /${i} HT`)));
  readers.forEach((reader, i) => {
    assert.equal(reader.next(encoder.encode("TP/1.1\r\n\r\n")).state, "head");
    assert.equal(new TextDecoder().decode(reader.head), `GET /${i} HTTP/1.1\r\n\r\n`);
    reader[Symbol.dispose]();
  });
});

Deno.test("any bytes are read or refused, in any pieces, and none is lost", () => {
  const random = new RandomSource(11);
  const seeds = cases.filter(({ text }) => text.length < 400);
  for (let round = 0; round < 3000; round++) {
    const { side, text, expect } = random.pick(seeds);
    const bytes = new TextEncoder().encode(round % 8 === 0 ? "" : text + random.pick(seeds).text);
    const mutated = round % 8 === 0 ? random.bytes(random.below(200)) : bytes;
    for (let i = random.below(4); i > 0 && mutated.length > 0; i--) {
      mutated[random.below(mutated.length)] = random.pick([
        0,
        9,
        10,
        13,
        32,
        48,
        58,
        59,
        255,
        random.below(256),
      ]);
    }
    const direction = side === "request" ? "request" : "response";
    const pieces: Uint8Array[] = [];
    for (let at = 0; at < mutated.length;) {
      const size = 1 + random.below(40);
      pieces.push(mutated.subarray(at, at + size));
      at += size;
    }
    const whole = read(direction, [mutated], expect);
    const parts = read(direction, pieces, expect);
    assert.deepEqual(whole.bytes, [...mutated]);
    assert.deepEqual(parts, whole);
  }
});
