// What a source gives back to its stream: never bytes of which another may hold a part.

import assert from "node:assert/strict";
import type { ByteChannel } from "../../protocol-wasm/mod.ts";
import { Source } from "./source.ts";

/** A stream that gives these pieces, and keeps what is given back to it. */
function streamOf(...pieces: Uint8Array[]): ByteChannel & { released: Uint8Array[] } {
  const released: Uint8Array[] = [];
  return {
    released,
    read: () => Promise.resolve(pieces.shift() ?? null),
    release: (bytes) => void released.push(bytes),
    write: () => Promise.resolve(),
    closeWrite: () => Promise.resolve(),
    reset() {},
  };
}

Deno.test("a piece that was passed on whole is given back", async () => {
  const stream = streamOf(new Uint8Array(5));
  const source = new Source(stream);
  const bytes = await source.read();
  assert.ok(bytes !== null);
  source.release(bytes);
  assert.deepEqual(stream.released, [bytes]);
});

Deno.test("a part of a piece is not, since the other part may still be on its way", async () => {
  const stream = streamOf(new Uint8Array(5));
  const source = new Source(stream);
  const whole = await source.peek();
  source.consume(2);
  const rest = await source.read();
  assert.equal(rest?.length, 3);
  source.release(rest);
  source.release(whole?.subarray(0, 2) ?? rest);
  assert.deepEqual(stream.released, []);
});

Deno.test("bytes that were put back are not", async () => {
  const stream = streamOf(new Uint8Array(5));
  const source = new Source(stream);
  const first = await source.read();
  assert.ok(first !== null);
  source.unread([first]);
  source.release(first);
  assert.deepEqual(stream.released, []);
});

Deno.test("a source is idle only while it holds nothing and reads nothing", async () => {
  const piece = Promise.withResolvers<Uint8Array>();
  const source = new Source({ ...streamOf(), read: () => piece.promise });
  assert.equal(source.idle, true);
  const looking = source.peek();
  assert.equal(source.idle, false, "a read is under way");
  piece.resolve(new Uint8Array(5));
  await looking;
  assert.equal(source.idle, false, "a piece is held");
  source.consume(5);
  assert.equal(source.idle, true);
});
