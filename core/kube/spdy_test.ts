// The frames of a port-forward by SPDY, cut in every way.

import assert from "node:assert/strict";
import { control, data } from "../../tests/support/spdy_node.ts";
import { SpdyReader } from "./spdy.ts";

function joined(parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

/** What a reader makes of `pieces`; bytes that follow each other are one event. */
function events(pieces: readonly Uint8Array[]): string[] {
  const found: string[] = [];
  const reader = new SpdyReader({
    opened: () => found.push("opened"),
    data: (bytes) => {
      const last = found.at(-1) ?? "";
      if (last.startsWith("data")) found[found.length - 1] = `${last},${[...bytes]}`;
      else found.push(`data ${[...bytes]}`);
    },
    ended: () => found.push("ended"),
    failed: (reason) => found.push(`failed ${reason}`),
    answer: (frame) => found.push(`answer ${[...frame]}`),
  });
  for (const piece of pieces) reader.take(piece);
  return found;
}

Deno.test("what a node says is the same wherever it is cut", () => {
  const all = joined([
    control(4, [0, 0, 0, 0]), // SETTINGS
    control(2, [0, 0, 0, 1, 0, 0]),
    control(2, [0, 0, 0, 3, 0, 0]),
    data(3, Uint8Array.of(1, 2, 3)),
    control(6, [0, 0, 0, 2]),
    control(6, [0, 0, 0, 7]), // an answer to a ping that was never sent
    data(3, new Uint8Array(0)),
    data(3, Uint8Array.of(4)),
    control(9, [0, 0, 0, 3, 0, 0, 0, 9]), // WINDOW_UPDATE
    data(1, new Uint8Array(0), true),
    data(3, Uint8Array.of(5), true),
    control(7, [0, 0, 0, 0, 0, 0, 0, 0]), // GOAWAY
  ]);
  const pong = [...control(6, [0, 0, 0, 2])];
  assert.deepEqual(events([all]), ["opened", "data 1,2,3", `answer ${pong}`, "data 4,5", "ended"]);
  for (let at = 1; at < all.length; at++) {
    const cut = events([all.subarray(0, at), all.subarray(at)]);
    assert.deepEqual(cut, events([all]), `cut at ${at}`);
  }
  assert.deepEqual(events([...all].map((byte) => Uint8Array.of(byte))), events([all]));
});

Deno.test("the node's reason is the failure, before the end of the bytes and behind it", () => {
  const said = new TextEncoder().encode("connect: connection refused\n");
  const [reason, end] = [data(1, said), data(3, new Uint8Array(0), true)];
  const refused = "failed connect: connection refused";
  assert.deepEqual(events([reason, end]), [refused]);
  assert.deepEqual(events([end, reason]), [refused]);
  const noReason = data(1, new Uint8Array(0), true);
  assert.deepEqual(events([end, noReason]), ["ended"]);
  assert.deepEqual(events([noReason, end]), ["ended"]);
  assert.deepEqual(events([control(3, [0, 0, 0, 3, 0, 0, 0, 5])]), ["failed the node reset the stream"]);
});

Deno.test("other streams of the node end nothing, and give no reason", () => {
  const strangers = [2, 5, 7].flatMap((stream) => [
    data(stream, new TextEncoder().encode("a stranger's")),
    data(stream, new Uint8Array(0), true),
  ]);
  assert.deepEqual(events(strangers), []);
  const ours = [data(3, new Uint8Array(0), true), data(1, new Uint8Array(0), true)];
  assert.deepEqual(events([...strangers, ...ours]), ["ended"]);
  assert.deepEqual(events([...strangers, data(1, new TextEncoder().encode("refused"))]), ["failed refused"]);
});

Deno.test("a control frame that is too long to be one ends the stream", () => {
  const [found] = events([Uint8Array.of(0x80, 3, 0, 4, 0, 2, 0, 0)]);
  assert.equal(found, "failed the node's answer is no port-forward");
});
