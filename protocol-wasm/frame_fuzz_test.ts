// Random bytes, broken frames and random connections against the built Wasm, from a fixed seed. For any input
// the core decodes, asks for more or refuses by a named status, and the split of the bytes does not matter. A
// trap fails the test.

import assert from "node:assert/strict";
import { Status } from "./assembly/status.ts";
import { type FrameCore, instantiate } from "./wasm.ts";

const DATA = 8;
const CREDIT = 9;

/** xorshift32: uniform integers below `bound`, the same in every run. */
function randomFrom(seed: number): (bound: number) => number {
  let state = seed;
  return (bound) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % bound;
  };
}

/** A stream of mostly good frames, with now and then a broken header field or plain noise. */
function randomStream(random: (bound: number) => number): Uint8Array {
  const parts: number[] = [];
  for (let frames = random(12); frames >= 0; frames--) {
    const length = random(40);
    const kind = [1, 4, DATA, DATA, CREDIT, 32, 65535][random(7)] ?? 1;
    const header = new DataView(new ArrayBuffer(12));
    const broken = random(20);
    header.setUint32(0, broken === 0 ? random(0xffffffff) : kind === CREDIT && broken > 2 ? 4 : length, true);
    header.setUint16(4, broken === 1 ? 0 : kind, true);
    header.setUint16(6, broken === 2 ? random(65536) : random(8) === 0 ? random(4) : 0, true);
    header.setUint32(8, random(6), true);
    parts.push(...new Uint8Array(header.buffer));
    const payload = header.getUint32(0, true) > 64 ? random(64) : header.getUint32(0, true);
    for (let i = 0; i < payload; i++) parts.push(kind === CREDIT && broken > 3 ? 0 : random(256));
  }
  if (random(4) === 0) { for (let i = random(30); i > 0; i--) parts.push(random(256)); }
  return Uint8Array.from(parts);
}

/**
 * All that `bytes` decode to when they come in pieces whose lengths `piece` names, ending with the last
 * status.
 */
function decodeIn(bytes: Uint8Array, piece: () => number): string {
  const core = instantiate<FrameCore>();
  core.frame_start(DATA, CREDIT);
  for (const id of [1, 2, 3]) core.connection_open(id);
  const memory = new Uint8Array(core.memory.buffer);
  const seen: string[] = [];
  let status: number = Status.More;
  for (let at = 0; at < bytes.length && status === Status.More;) {
    const part = bytes.subarray(at, at + Math.min(piece(), core.receive_space()));
    memory.set(part, core.receive_pointer());
    assert.equal(core.receive_take(part.length), Status.Ok);
    at += part.length;
    while ((status = core.frame_next()) !== Status.More && status < Status.Refused) {
      assert.ok(status >= Status.Frame && status <= Status.Late, `status ${status}`);
      const start = core.frame_payload();
      const payload = memory.slice(start, start + core.frame_length()).toHex();
      seen.push([status, core.frame_kind(), core.frame_flags(), core.frame_id(), payload].join(" "));
    }
  }
  assert.ok(
    status === Status.More || (status > Status.Refused && status <= Status.DataAfterEnd),
    `status ${status}`,
  );
  return [...seen, status].join("\n");
}

Deno.test("any stream decodes, asks for more or is refused by name, however it is split", () => {
  const random = randomFrom(0x6d697272);
  const outcomes = new Map<string, number>();
  for (let round = 0; round < 300; round++) {
    const bytes = randomStream(random);
    const whole = decodeIn(bytes, () => bytes.length);
    assert.equal(decodeIn(bytes, () => 1), whole, bytes.toHex());
    assert.equal(decodeIn(bytes, () => 1 + random(50)), whole, bytes.toHex());
    const outcome = whole.slice(whole.lastIndexOf("\n") + 1);
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
  }
  for (
    const status of [Status.More, Status.TooLong, Status.UnknownFlags, Status.NoKind, Status.CreditOverflow]
  ) {
    assert.ok(outcomes.has(String(status)), `no stream ended with status ${status}`);
  }
});

Deno.test("connections opened and closed at random are the ones that a map has", () => {
  const random = randomFrom(0x77697265);
  const core = instantiate<FrameCore>();
  core.frame_start(DATA, CREDIT);
  const model = new Map<number, number>();
  for (let round = 0; round < 200_000; round++) {
    const id = random(4) === 0 ? random(0xffffffff) : 2 * random(3000);
    const choice = random(5);
    if (choice < 2) {
      core.connection_open(id);
      if (!model.has(id)) model.set(id, core.WINDOW.value);
    } else if (choice === 2) {
      core.connection_close(id);
      model.delete(id);
    } else {
      const window = model.get(id);
      assert.equal(core.data_room(id), Math.min(window ?? 0, core.MAX_DATA.value));
      if (window === undefined || window < 1000) continue;
      core.send_begin();
      assert.equal(core.frame_put_data(id, 0, 1000), Status.Ok);
      model.set(id, window - 1000);
    }
  }
  assert.equal(core.connection_count(), model.size);
  for (const [id, window] of model) assert.equal(core.data_room(id), Math.min(window, core.MAX_DATA.value));
});
