// protocol.wasm through its exports: what it may import, its size, and frames by the vectors of testdata/.

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { Status } from "./assembly/status.ts";
import { endFlag, errorFlag } from "./link/link.ts";
import { type FrameCore, instantiate, protocolModule } from "./wasm.ts";
import vectors from "./testdata/frames.json" with { type: "json" };

const sizeBudget = 64 << 10;

const statuses: Record<string, number> = {
  Frame: Status.Frame,
  Data: Status.Data,
  Credit: Status.Credit,
  Late: Status.Late,
  More: Status.More,
  TooLong: Status.TooLong,
  UnknownFlags: Status.UnknownFlags,
  NoKind: Status.NoKind,
  ShortCredit: Status.ShortCredit,
  WindowExceeded: Status.WindowExceeded,
  CreditOverflow: Status.CreditOverflow,
  DataAfterEnd: Status.DataAfterEnd,
};

function start(open: number[] = []): FrameCore {
  const core = instantiate<FrameCore>();
  core.frame_start(vectors.dataKind, vectors.creditKind);
  for (const id of open) assert.equal(core.connection_open(id), Status.Ok);
  return core;
}

function feed(core: FrameCore, bytes: Uint8Array): void {
  assert.ok(core.receive_space() >= bytes.length);
  new Uint8Array(core.memory.buffer).set(bytes, core.receive_pointer());
  assert.equal(core.receive_take(bytes.length), Status.Ok);
}

/** The frames that are there, and the status that ends them. */
function drain(core: FrameCore): { frames: unknown[]; then: number } {
  const frames = [];
  for (;;) {
    const status = core.frame_next();
    if (status === Status.More || status >= Status.Refused) return { frames, then: status };
    const start = core.frame_payload();
    const payload = new Uint8Array(core.memory.buffer).slice(start, start + core.frame_length()).toHex();
    frames.push({
      status,
      kind: core.frame_kind(),
      flags: core.frame_flags(),
      id: core.frame_id() >>> 0,
      payload,
    });
  }
}

Deno.test("protocol.wasm imports nothing and keeps its size budget", () => {
  assert.deepEqual(WebAssembly.Module.imports(protocolModule()), []);
  const size = Deno.statSync(new URL("./protocol.wasm", import.meta.url)).size;
  assert.ok(size <= sizeBudget, `${size} bytes are over ${sizeBudget}`);
});

Deno.test("the flags of link.ts are those of the Wasm", () => {
  const core = start();
  assert.deepEqual([endFlag, errorFlag], [core.FLAG_END.value, core.FLAG_ERROR.value]);
});

for (const vector of vectors.cases) {
  Deno.test(`frames: ${vector.name}`, () => {
    const bytes = Uint8Array.fromHex(vector.bytes);
    const expected = {
      frames: vector.frames.map((frame) => ({ ...frame, status: statuses[frame.status] })),
      then: statuses[vector.then],
    };
    for (let split = 0; split <= bytes.length; split++) {
      const core = start(vector.open);
      feed(core, bytes.subarray(0, split));
      const before = drain(core);
      if (before.then === Status.More) feed(core, bytes.subarray(split));
      const after = drain(core);
      assert.deepEqual(
        { frames: [...before.frames, ...after.frames], then: after.then },
        expected,
        `split at ${split}`,
      );
    }
  });
}

Deno.test("what is put into the send buffer are the vectors' bytes", () => {
  for (
    const vector of vectors.cases.filter((vector) => vector.frames.every((frame) => frame.status === "Frame"))
  ) {
    const core = start();
    core.send_begin();
    let expected = "";
    for (const { kind, flags, id, payload } of vector.frames) {
      const bytes = Uint8Array.fromHex(payload);
      assert.equal(core.frame_put(kind, flags, id, bytes.length), Status.Ok);
      new Uint8Array(core.memory.buffer).set(bytes, core.send_payload());
      expected = vector.bytes.slice(0, 2 * core.send_length());
    }
    const sent = new Uint8Array(core.memory.buffer, core.send_pointer(), core.send_length()).toHex();
    assert.equal(sent, expected, vector.name);
  }
});

Deno.test("a refused link stays refused whatever comes", () => {
  const core = start();
  feed(core, new Uint8Array(12));
  assert.equal(core.frame_next(), Status.NoKind);
  feed(core, Uint8Array.fromHex("000000000100000001000000"));
  assert.equal(core.frame_next(), Status.NoKind);
});

Deno.test("the largest message passes whole, in reads of any size, without memory growing", () => {
  const core = start();
  const memory = core.memory.buffer;
  const message = new Uint8Array(12 + core.MAX_PAYLOAD.value).map((_, i) => i * 31);
  message.set(Uint8Array.fromHex("000010002000010007000000"));
  for (let round = 0; round < 3; round++) {
    feed(core, Uint8Array.fromHex("0100000001000000090000007e")); // so that it begins anywhere
    assert.equal(core.frame_next(), Status.Frame);
    for (let at = 0; at < message.length;) {
      const space = Math.min(core.receive_space(), 100_001, message.length - at);
      feed(core, message.subarray(at, at + space));
      at += space;
      assert.equal(core.frame_next(), at < message.length ? Status.More : Status.Frame);
    }
    const payload = new Uint8Array(core.memory.buffer, core.frame_payload(), core.frame_length());
    assert.equal(Buffer.compare(payload, message.subarray(12)), 0);
  }
  assert.equal(core.memory.buffer, memory);
});

Deno.test("the host cannot say it read more than there was space", () => {
  const core = start();
  assert.equal(core.receive_take(core.receive_space()), Status.Ok);
  for (let space = core.receive_space(); core.frame_next() === Status.More && space > 0;) space = 0;
  assert.equal(core.receive_take(0xffffffff), Status.TooMuchReceived);
});

Deno.test("a peer may send a window of data and not one byte more until it gets credit", () => {
  const core = start([2]);
  const piece = core.WINDOW.value / 8;
  const frame = new Uint8Array(12 + piece);
  frame.set(Uint8Array.fromHex("008000000800000002000000"));
  for (let i = 0; i < 8; i++) {
    feed(core, frame);
    assert.equal(core.frame_next(), Status.Data);
  }
  core.send_begin();
  assert.equal(core.frame_put_credit(2, core.MAX_WINDOW.value + 1), Status.NotCreditable);
  assert.equal(core.frame_put_credit(2, piece), Status.Ok);
  feed(core, frame);
  assert.equal(core.frame_next(), Status.Data);
  feed(core, Uint8Array.fromHex("01000000080000000200000000"));
  assert.equal(core.frame_next(), Status.WindowExceeded);
});

Deno.test("this side sends a window of data, then as much as the peer credits, then nothing after its END", () => {
  const core = start([7]);
  for (let sent = 0; sent < core.WINDOW.value; sent += core.MAX_DATA.value) {
    core.send_begin();
    assert.equal(core.data_room(7), core.MAX_DATA.value);
    assert.equal(core.frame_put_data(7, 0, core.MAX_DATA.value), Status.Ok);
  }
  core.send_begin();
  assert.equal(core.data_room(7), 0);
  assert.equal(core.frame_put_data(7, 0, 1), Status.NotSendable);
  feed(core, Uint8Array.fromHex("04000000090000000700000005000000"));
  assert.equal(core.frame_next(), Status.Credit);
  assert.equal(core.data_room(7), 5);
  assert.equal(core.frame_put_data(7, endFlag, 5), Status.Ok);
  assert.equal(core.frame_put_data(7, 0, 0), Status.NotSendable);
  assert.equal(core.frame_put_data(9, 0, 0), Status.NotSendable);
});

Deno.test("the send buffer refuses what does not fit, and a long message gets its header alone", () => {
  const core = start([1]);
  core.send_begin();
  assert.equal(core.frame_put(32, 0, 1, core.MAX_PAYLOAD.value + 1), Status.TooLong);
  assert.equal(core.frame_put(32, 0, 1, core.MAX_PAYLOAD.value), Status.Full);
  assert.equal(core.send_length(), 0);
  assert.equal(core.frame_put_header(32, 0, 1, core.MAX_PAYLOAD.value), Status.Ok);
  assert.equal(core.send_length(), core.HEADER_BYTES.value);
  core.send_begin();
  while (core.frame_put(32, 0, 1, 1000) === Status.Ok);
  assert.ok(core.send_space() < 1012);
});

Deno.test("as many connections as the limit are open together, and one more is refused", () => {
  const core = start();
  const memory = core.memory.buffer;
  const limit = core.MAX_CONNECTIONS.value;
  for (let i = 0; i < limit; i++) assert.equal(core.connection_open(2 * i + 2), Status.Ok);
  assert.equal(core.connection_open(2 * limit + 2), Status.TooManyConnections);
  assert.equal(core.connection_open(2), Status.Ok);
  for (let i = 0; i < limit; i += 2) core.connection_close(2 * i + 2);
  assert.equal(core.connection_count(), limit / 2);
  for (let i = 0; i < limit; i++) assert.equal(core.data_room(2 * i + 2) > 0, i % 2 === 1);
  assert.equal(core.memory.buffer, memory);
});

Deno.test("a link without connections has no room for any, and takes no memory for them", () => {
  const core = instantiate<FrameCore>();
  core.frame_start(0, 0);
  assert.equal(core.connection_open(2), Status.TooManyConnections);
  assert.equal(core.data_room(2), 0);
  const most = core.MAX_PAYLOAD.value + (1 << 20);
  assert.ok(core.memory.buffer.byteLength < most, `${core.memory.buffer.byteLength} bytes`);
});
