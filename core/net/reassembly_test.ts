// Order out of disorder: named cases, then random streams that are cut, lost, repeated, reordered and
// overlapped.

import assert from "node:assert/strict";
import { after, distance, Reassembly } from "./reassembly.ts";

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const bytes = (value: string) => new TextEncoder().encode(value);

/** A stream that begins at `start`, and what has come out of it. */
function stream(start = 1000): { put(at: number, value: string): string; reassembly: Reassembly } {
  const reassembly = new Reassembly(start);
  return {
    reassembly,
    put(at, value) {
      let out = "";
      reassembly.add(after(start, at), bytes(value), (part) => out += text(part));
      return out;
    },
  };
}

Deno.test("segments in order pass at once", () => {
  const { put, reassembly } = stream();
  assert.equal(put(0, "one"), "one");
  assert.equal(put(3, "two"), "two");
  assert.equal(reassembly.cost, 0);
});

Deno.test("what comes early waits for what is missing", () => {
  const { put, reassembly } = stream();
  assert.equal(put(6, "three"), "");
  assert.equal(put(3, "two"), "");
  assert.deepEqual([reassembly.waiting, reassembly.missing], [true, 3]);
  assert.equal(put(0, "one"), "onetwothree");
  assert.deepEqual([reassembly.waiting, reassembly.cost], [false, 0]);
});

Deno.test("what is sent again is dropped, and what is new in it taken", () => {
  const { put } = stream();
  assert.equal(put(0, "one"), "one");
  assert.equal(put(0, "one"), "");
  assert.equal(put(0, "onetwo"), "two");
  assert.equal(put(5, "oX"), "X");
  assert.equal(put(0, "x"), "");
});

Deno.test("of two versions of a byte the first that came counts", () => {
  const { put } = stream();
  put(2, "CD");
  put(1, "bcde");
  put(6, "G");
  put(1, "xxxxxxxx");
  assert.equal(put(0, "A"), "AbCDexGxx");
});

Deno.test("numbers wrap around", () => {
  const start = 0xfffffffe;
  const { put, reassembly } = stream(start);
  assert.equal(put(4, "56"), "");
  assert.equal(put(0, "1234"), "123456");
  assert.equal(reassembly.next, 4);
  assert.equal(distance(3, 0xfffffffd), 6);
  assert.equal(distance(0xfffffffd, 3), -6);
});

Deno.test("the end is reached when all before it came", () => {
  const { put, reassembly } = stream();
  reassembly.end(after(1000, 6));
  assert.deepEqual([reassembly.ended, reassembly.waiting, reassembly.missing], [false, true, 6]);
  put(0, "one");
  assert.deepEqual([reassembly.ended, reassembly.missing], [false, 3]);
  assert.equal(put(3, "two and what nobody sent"), "two");
  assert.deepEqual([reassembly.ended, reassembly.waiting], [true, false]);
});

Deno.test("a keep-alive probe changes nothing", () => {
  const { put, reassembly } = stream();
  put(0, "one");
  assert.equal(put(2, "e"), "");
  assert.equal(put(2, ""), "");
  assert.deepEqual([reassembly.next, reassembly.waiting], [1003, false]);
});

Deno.test("what is given up comes out in pieces", () => {
  const { put, reassembly } = stream();
  put(3, "def");
  put(9, "j");
  put(6, "g");
  const held = reassembly.giveUp();
  assert.deepEqual(held.map(({ sequence, bytes }) => [sequence, text(bytes)]), [[1003, "def"], [1006, "g"], [
    1009,
    "j",
  ]]);
  assert.deepEqual([reassembly.cost, reassembly.waiting], [0, false]);
});

Deno.test("held bytes are copies", () => {
  const reassembly = new Reassembly(0);
  const memory = bytes("later");
  reassembly.add(3, memory, () => {});
  memory.fill(0);
  let out = "";
  reassembly.add(0, bytes("now"), (part) => out += text(part));
  assert.equal(out, "nowlater");
});

/** Numbers of a fixed sequence, for a test that fails the same way again. */
function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = Math.imul(state, 1664525) + 1013904223 >>> 0;
    return Math.floor(state / 2 ** 32 * below);
  };
}

Deno.test("random disorder comes out as it was sent", () => {
  for (let seed = 1; seed <= 400; seed++) {
    const below = numbers(seed);
    const start = seed % 3 === 0 ? after(0, -below(3000)) : below(2 ** 32);
    const sent = Uint8Array.from({ length: 1 + below(5000) }, () => below(256));
    // Cut twice at different places, as retransmissions are, in any order within a window.
    const segments: { at: number; size: number; when: number }[] = [];
    for (let copy = 0; copy < 2; copy++) {
      for (let at = 0; at < sent.length;) {
        const size = 1 + below(400);
        segments.push({ at, size, when: at + below(2500) });
        at += copy === 0 ? size : Math.max(1, size - below(50));
      }
    }
    segments.sort((a, b) => a.when - b.when);
    const reassembly = new Reassembly(start);
    reassembly.end(after(start, sent.length));
    const out: number[] = [];
    for (const { at, size } of segments) {
      reassembly.add(after(start, at), sent.slice(at, at + size), (part) => out.push(...part));
      assert.deepEqual(out.length, distance(reassembly.next, start));
    }
    assert.deepEqual(Uint8Array.from(out), sent, `seed ${seed}`);
    assert.deepEqual([reassembly.ended, reassembly.cost], [true, 0], `seed ${seed}`);
  }
});

Deno.test("a random loss is found, and what follows it is whole", () => {
  for (let seed = 1; seed <= 200; seed++) {
    const below = numbers(seed);
    const sent = Uint8Array.from({ length: 2000 }, () => below(256));
    const lostAt = below(1900), lostSize = 1 + below(100);
    const segments: [number, number][] = [];
    for (let at = 0; at < lostAt;) {
      const size = Math.min(1 + below(200), lostAt - at);
      segments.push([at, size]);
      at += size;
    }
    for (let at = lostAt + lostSize; at < sent.length;) {
      const size = Math.min(1 + below(200), sent.length - at);
      segments.push([at, size]);
      at += size;
    }
    segments.sort(() => below(3) - 1);
    const reassembly = new Reassembly(7);
    const out: number[] = [];
    for (const [at, size] of segments) {
      reassembly.add(after(7, at), sent.slice(at, at + size), (part) => out.push(...part));
    }
    assert.deepEqual(Uint8Array.from(out), sent.slice(0, lostAt));
    const { missing } = reassembly;
    const rest = reassembly.giveUp().flatMap((held) => [...held.bytes]);
    assert.equal(missing, rest.length === 0 ? 0 : lostSize, `seed ${seed}`);
    assert.deepEqual(Uint8Array.from(rest), sent.slice(Math.min(sent.length, lostAt + lostSize)));
  }
});
