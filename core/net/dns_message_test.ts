// Queries and replies: what is written can be read, and whatever is read ends soon, as a reply or as none.

import assert from "node:assert/strict";
import {
  addressesIn,
  decodeReply,
  encodeQuery,
  isHostName,
  notAuthentic,
  questionOf,
  type Reply,
  sameName,
} from "./dns_message.ts";

/** A reply to `query` with `records` behind its question. */
function replyTo(query: Uint8Array, records: number[][], flags = 0x8180): Uint8Array {
  const bytes = Uint8Array.from([...query, ...records.flat()]);
  const view = new DataView(bytes.buffer);
  view.setUint16(2, flags);
  view.setUint16(6, records.length);
  return bytes;
}

function query(name: string, type = 1): Uint8Array {
  const bytes = encodeQuery(77, { name, type });
  assert.ok(bytes !== null);
  return bytes;
}

const toQuestion = [0xc0, 12];
const record = (type: number, data: number[], name = toQuestion) => [
  ...name,
  ...[0, type, 0, 1, 0, 0, 0, 60, data.length >> 8, data.length & 255],
  ...data,
];

Deno.test("a reply's records are read, compressed names too", () => {
  const target = [1, 98, 0xc0, 14]; // "b" and what follows the question's first label
  const reply = decodeReply(replyTo(query("a.test"), [record(5, target), record(1, [192, 0, 2, 1])]));
  assert.deepEqual(reply?.answers, [
    { name: "a.test", type: 5, target: "b.test" },
    { name: "a.test", type: 1, address: Uint8Array.of(192, 0, 2, 1) },
  ]);
  assert.deepEqual([reply?.id, reply?.question], [77, { name: "a.test", type: 1 }]);
});

Deno.test("records of other types, classes and lengths are passed over", () => {
  const other = record(1, [192, 0, 2, 1]);
  other[5] = 3; // class
  const records = [record(16, [1, 65]), record(1, [1, 2, 3]), record(28, [1, 2, 3, 4]), other];
  assert.deepEqual(decodeReply(replyTo(query("a.test"), records))?.answers, []);
});

Deno.test("names that no query can carry are refused", () => {
  const labels = Array.from({ length: 4 }, () => "x".repeat(63));
  for (const name of ["a..b", ".a", "x".repeat(64), labels.join("."), "a\u0100"]) {
    assert.equal(encodeQuery(1, { name, type: 1 }), null, name);
  }
  for (const name of ["", ".", "a", "a.", "x".repeat(63), "\u00ff.test", labels.slice(0, 3).join(".")]) {
    assert.ok(encodeQuery(1, { name, type: 1 }) !== null, name);
  }
});

Deno.test("pointers that lead nowhere or in circles are refused", () => {
  const at = query("a.test").length;
  const pointers = [[0xc0, at], [0xc0, 255], [0xff, 0xff], [0xc0, at + 2, 0xc0, at], [0x80, 1], [0x40]];
  for (const pointer of pointers) {
    assert.equal(decodeReply(replyTo(query("a.test"), [record(1, [1, 2, 3, 4], pointer)])), null);
  }
});

Deno.test("a reply that is cut is none, unless it says so", () => {
  const whole = replyTo(query("a.test"), [record(1, [192, 0, 2, 1]), record(1, [192, 0, 2, 2])]);
  for (let length = 0; length < whole.length; length++) {
    assert.equal(decodeReply(whole.subarray(0, length)), null, String(length));
  }
  const cut = Uint8Array.from(whole);
  cut[2] = (cut[2] ?? 0) | 2;
  assert.equal(decodeReply(cut.subarray(0, whole.length - 3))?.truncated, true);
});

Deno.test("whatever arrives is read in bounded time and never throws", () => {
  let state = 1;
  const random = (below: number) => {
    state = Math.imul(state, 1664525) + 1013904223 >>> 0;
    return Math.floor(state / 2 ** 32 * below);
  };
  const base = replyTo(query("host.some.test", 28), [
    record(5, [1, 98, 0xc0, 17]),
    record(28, new Array(16).fill(7)),
  ]);
  let read = 0;
  for (let turn = 0; turn < 20_000; turn++) {
    const bytes = turn % 4 === 0
      ? Uint8Array.from({ length: random(200) }, () => random(256))
      : Uint8Array.from(base);
    for (let change = random(6); change > 0; change--) bytes[random(bytes.length)] = random(256);
    const reply: Reply | null = decodeReply(bytes.subarray(0, random(bytes.length + 1)));
    for (const answer of reply?.answers ?? []) assert.ok(answer.name.length <= 255);
    for (const { address } of addressesIn(bytes)) assert.ok(address.length === 4 || address.length === 16);
    if (reply !== null) read++;
  }
  assert.ok(read > 100, `only ${read} could be read`);
  // 64 KiB of names that all point to one long name: linear, not quadratic.
  const long = query(Array.from({ length: 3 }, () => "x".repeat(63)).join("."), 5);
  const many = replyTo(long, Array.from({ length: 4500 }, () => record(5, [0xc0, 12])));
  assert.ok(many.length < 65536);
  decodeReply(many);
  addressesIn(many);
});

Deno.test("a query's question is read as it was written, escapes too", () => {
  const ask = (name: string) => questionOf(query(name, 33));
  for (const name of ["_db._tcp.a.test", "a\\.b.test", "back\\\\slash"]) {
    assert.deepEqual(ask(name), { name, type: 33 });
  }
  assert.equal(ask("a\\032b\\c.test.")?.name, "a bc.test");
  assert.equal(ask("")?.name, "");
  for (const name of ["a\\", "a\\256"]) assert.equal(encodeQuery(1, { name, type: 1 }), null, name);
  const chaos = encodeQuery(1, { name: "version.bind", type: 16, class: 3 });
  assert.deepEqual(questionOf(chaos ?? new Uint8Array()), { name: "version.bind", type: 16, class: 3 });
  assert.equal(questionOf(new Uint8Array(12)), null);
});

Deno.test("a query says what was wished beside its question", () => {
  const tail = (options: object) => [...encodeQuery(1, { name: "a", type: 1 }, options) ?? []].slice(19);
  assert.deepEqual(tail({ payload: 600, dnssec: true }), [0, 0, 41, 2, 88, 0, 0, 0x80, 0, 0, 0]);
  assert.deepEqual(tail({}), []);
  const flags = (options: object) => [...encodeQuery(1, { name: "a", type: 1 }, options) ?? []].slice(2, 4);
  assert.deepEqual(flags({}), [1, 0]);
  assert.deepEqual(flags({ authentic: true, noRecursion: true }), [0, 0x20]);
});

Deno.test("a reply's addresses are given with their names, in all sections, and with the name asked for", () => {
  const target = [1, 98, 0xc0, 14];
  const bytes = replyTo(query("a.test"), [
    record(5, target),
    record(1, [192, 0, 2, 1], target),
    record(1, [192, 0, 2, 2], [1, 99, 0]),
  ]);
  new DataView(bytes.buffer).setUint32(6, 2 << 16); // the last one is additional
  new DataView(bytes.buffer).setUint16(10, 1);
  const found = addressesIn(bytes).map(({ name, address }) => `${name} ${address.join(".")}`);
  assert.deepEqual(found, ["b.test 192.0.2.1", "a.test 192.0.2.1", "c 192.0.2.2"]);
  assert.deepEqual(addressesIn(bytes.subarray(0, 40)), []);
});

Deno.test("a reply that nobody vouches for loses that flag alone", () => {
  const bytes = replyTo(query("a.test"), [], 0x81bf);
  assert.deepEqual([...notAuthentic(bytes)].slice(2, 4), [0x81, 0x9f]);
  assert.equal(bytes[3], 0xbf);
});

Deno.test("names are compared without case, and host names are distinguished from others", () => {
  assert.ok(sameName("A.Test", "a.tEST") && !sameName("a.test", "b.test"));
  for (const name of ["a", "a-b.c_d", "_x.y", "1.2"]) assert.ok(isHostName(name), name);
  for (const name of ["", "-a", "a b", "a\n", "a/b", "é"]) assert.ok(!isHostName(name), name);
});
