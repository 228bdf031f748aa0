// A sealed stream: bytes come through as they were written, whatever the pieces; a record that is changed,
// left out, repeated or sent back on the way ends the stream before one byte of it is read. The seal is
// core/net's.

import assert from "node:assert/strict";
import { loadSeal } from "../../core/net/seal.ts";
import { concatenate } from "./bytes.ts";
import { maxText, type Seal, SealedStream } from "./sealed_stream.ts";
import type { LinkStream } from "../link/stream.ts";

const seal = await loadSeal();
const keys = { client: new Uint8Array(32).fill(1), agent: new Uint8Array(32).fill(2) };

/** Keeps what is written, and gives `come` in pieces of `piece` bytes. */
function wire(come: Uint8Array[] = [], piece = Infinity): LinkStream & { written: Uint8Array[] } {
  const written: Uint8Array[] = [];
  const left = concatenate(come);
  let at = 0;
  return {
    written,
    read(into) {
      if (at === left.length) return Promise.resolve(null);
      const count = Math.min(into.length, left.length - at, piece);
      into.set(left.subarray(at, at + count));
      at += count;
      return Promise.resolve(count);
    },
    write: (bytes) => Promise.resolve(void written.push(bytes.slice())),
    close() {},
  };
}

async function sealed(...texts: Uint8Array[]): Promise<Uint8Array[]> {
  const out = wire();
  const stream = new SealedStream(out, "client", { keys, seal });
  for (const text of texts) await stream.write(text);
  return out.written;
}

/** All that the agent reads of `records`, `room` bytes at a time. */
async function opened(
  records: Uint8Array[],
  { piece = Infinity, room = 1 << 18, limit = {} } = {},
): Promise<Uint8Array> {
  const stream = new SealedStream(wire(records, piece), "agent", { keys, seal, ...limit });
  const into = new Uint8Array(room);
  const parts: Uint8Array[] = [];
  for (let count = await stream.read(into); count !== null; count = await stream.read(into)) {
    parts.push(into.slice(0, count));
  }
  return concatenate(parts);
}

const text = (length: number) => new Uint8Array(length).map((_, at) => at * 31 + (at >> 8));

for (
  const [piece, room] of [[Infinity, 1 << 18], [1, 1 << 18], [7, 5], [65_536, 65_536], [
    70_000,
    1000,
  ]] as const
) {
  Deno.test(`what is written is read, in pieces of ${piece} and with room for ${room}`, async () => {
    const texts = [text(1), text(64), ...(piece < 10 ? [] : [text(maxText), text(6 * maxText + 5)]), text(2)];
    const records = await sealed(...texts);
    assert.equal((await opened(records, { piece, room })).toHex(), concatenate(texts).toHex());
  });
}

Deno.test("nothing of the text is on the wire, and no two records of it look alike", async () => {
  const secret = new TextEncoder().encode("the variables of the target");
  const [first, second] = await sealed(secret, secret);
  assert.ok(first !== undefined && second !== undefined);
  assert.ok(!new TextDecoder("latin1").decode(first).includes("variables"));
  assert.notEqual(first.toHex(), second.toHex());
});

const cannotOpen = /a record is not what the other side wrote/;

Deno.test("records that were changed, left out, repeated, exchanged or turned back do not open", async () => {
  const [first, second, third] = await sealed(text(10), text(20), text(30));
  assert.ok(first !== undefined && second !== undefined && third !== undefined);
  const changed = second.slice();
  changed[9] = (changed[9] ?? 0) ^ 1;
  for (
    const records of [[first, changed], [first, third], [first, first], [second, first], [
      first,
      second,
      second,
    ]]
  ) {
    await assert.rejects(opened(records), cannotOpen);
  }
  // What a side wrote is never what it reads.
  const back = wire([first]);
  await assert.rejects(new SealedStream(back, "client", { keys, seal }).read(new Uint8Array(99)), cannotOpen);
});

Deno.test("a length that no record has is refused before its bytes are waited for", async () => {
  for (const length of [0, maxText + 1, 0xffffffff]) {
    const header = new Uint8Array(new Uint32Array([length]).buffer);
    await assert.rejects(opened([header]), /a record cannot have \d+ bytes/);
  }
});

Deno.test("an end inside a record is distinguished from an end between two", async () => {
  const [record] = await sealed(text(10));
  assert.ok(record !== undefined);
  assert.equal((await opened([record])).length, 10);
  await assert.rejects(opened([record.subarray(0, 12)]), /cut inside a record/);
  await assert.rejects(opened([record.subarray(0, 2)]), /cut inside a record/);
});

Deno.test("past the limit of records both ends go on with the next key, and no key has a number twice", async () => {
  const used: string[] = [];
  const noting: Seal = {
    ...seal,
    seal(into, one, key, number) {
      used.push(`${key.toHex()} ${number}`);
      return seal.seal(into, one, key, number);
    },
  };
  const limit = { recordsPerKey: 3 };
  const out = wire();
  const stream = new SealedStream(out, "client", { keys, seal: noting, ...limit });
  for (let count = 1; count <= 10; count++) await stream.write(text(count));
  assert.deepEqual([new Set(used).size, new Set(used.map((one) => one.split(" ")[0])).size], [10, 4]);
  assert.equal((await opened(out.written, { limit })).length, 55);
});
