// Frames of either link, right ones and broken ones: bodies out of the message tables, headers as
// assembly/frame.ts has them. The broken ones differ from right ones in one place or a few, so that they get
// past the first checks.

import {
  type Body,
  concatenate,
  encode,
  formatIp,
  type Message,
  type MessageTable,
} from "../../protocol-wasm/mod.ts";
import type { Random } from "./random.ts";

export interface Frame {
  kind: number;
  flags: number;
  id: number;
  body: Uint8Array;
}

const headerBytes = 12;

/** `frames` as they travel. */
export function framesBytes(frames: readonly Frame[]): Uint8Array<ArrayBuffer> {
  const [first] = frames;
  return frames.length === 1 && first !== undefined
    ? frameBytes(first)
    : concatenate(frames.map((frame) => frameBytes(frame)));
}

/** Values that a field of a name is apt to have; the type's own otherwise. */
export type Values = Record<string, (random: Random) => unknown>;

/** `frame` as it travels; length: what the header says instead. */
export function frameBytes(
  { kind, flags, id, body }: Frame,
  length = body.length,
): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(headerBytes + body.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, length >>> 0, true);
  view.setUint16(4, kind, true);
  view.setUint16(6, flags, true);
  view.setUint32(8, id >>> 0, true);
  bytes.set(body, headerBytes);
  return bytes;
}

/** A body of `message`, right by its types; once in `anyOnce` a field that `values` names is anything. */
export function randomBody(
  random: Random,
  message: Message,
  values: Values = {},
  { anyOnce = 12 }: { anyOnce?: number } = {},
): Uint8Array {
  const body = Object.fromEntries(
    Object.entries(message.fields).map(([name, type]) => [
      name,
      values[name] === undefined || random.once(anyOnce)
        ? valueOf(random, type)
        : fitted(random, type, values[name](random)),
    ]),
  );
  return encode(message, body as Body<Message>);
}

const widths: Record<string, number> = { u8: 8, u16: 16, u32: 32 };

/** One value serves fields of several types. */
function fitted(random: Random, type: string, value: unknown): unknown {
  if (type === "address" && typeof value === "string") return randomAddress(random);
  if (type === "u64") return BigInt.asUintN(64, BigInt(value as number));
  if (typeof value === "number") return value % 2 ** (widths[type] ?? 32);
  if (type === "bytes" && typeof value === "string") return new TextEncoder().encode(value);
  return value;
}

function valueOf(random: Random, type: string): unknown {
  switch (type) {
    case "u8":
      return random.number(8);
    case "u16":
      return random.number(16);
    case "u32":
      return random.number(32);
    case "u64":
      return random.big();
    case "bool":
      return random.once(2);
    case "str":
      return randomText(random);
    case "bytes":
      return random.bytes(random.once(20) ? random.below(5000) : random.below(40));
  }
  return randomAddress(random);
}

export function randomText(random: Random): string {
  const parts = ["", "a", "x.y", "\0", "é", "/", "\n", "name", "\u202e", "%s", "\x1b[2J", "{", "\ud7ff"];
  const text = Array.from({ length: random.below(6) }, () => random.pick(parts)).join("");
  return random.once(60) ? text.repeat(random.below(2000)) : text;
}

export function randomAddress(random: Random): { address: string; port: number } {
  const known = [
    "",
    "127.0.0.1",
    "::1",
    "0.0.0.0",
    "::",
    "127.1.2.3",
    "10.0.0.1",
    "fe80::1",
    "255.255.255.255",
  ];
  const port = random.once(2) ? random.pick([0, 1, 80, 8080, 65_535]) : random.number(16);
  if (!random.once(4)) return { address: random.pick(known), port };
  const family = random.pick([4, 6]);
  return { address: formatIp(family, random.bytes(16)) ?? "", port };
}

/** `frames` with one thing or a few changed; as it travels. */
export function mutated(random: Random, frames: readonly Frame[], kinds: readonly number[]): Uint8Array {
  const parts: Uint8Array[] = frames.map((frame) => frameBytes(frame));
  for (let times = 1 + random.below(3); times > 0; times--) {
    const index = random.below(parts.length);
    const part = parts[index] ?? new Uint8Array();
    const frame = frames[index % frames.length] ?? { kind: 1, flags: 0, id: 0, body: part };
    parts[index] = mutatedPart(random, part, frame, kinds);
    if (random.once(12)) parts.splice(random.below(parts.length + 1), 0, part);
    if (random.once(12) && parts.length > 1) parts.splice(random.below(parts.length), 1);
    if (random.once(12)) parts.reverse();
  }
  return concatenate(parts);
}

function mutatedPart(random: Random, part: Uint8Array, frame: Frame, kinds: readonly number[]): Uint8Array {
  const changed = Uint8Array.from(part);
  const view = new DataView(changed.buffer);
  switch (random.below(9)) {
    case 0: // a byte
      if (changed.length > 0) changed[random.below(changed.length)] = random.below(256);
      return changed;
    case 1: // cut
      return changed.subarray(0, random.below(changed.length + 1));
    case 2: // a body cut, with a length that fits
      return frameBytes({ ...frame, body: frame.body.subarray(0, random.below(frame.body.length + 1)) });
    case 3: // longer
      return frameBytes({ ...frame, body: concatenate([frame.body, random.bytes(random.below(64))]) });
    case 4: // another length than it has
      return frameBytes(frame, random.once(2) ? random.number(32) : frame.body.length + random.below(9) - 4);
    case 5: // another kind
      return frameBytes({ ...frame, kind: random.once(4) ? random.number(16) : random.pick(kinds) });
    case 6: // other flags
      return frameBytes({ ...frame, flags: random.once(4) ? random.number(16) : random.below(4) });
    case 7: // another id
      return frameBytes({
        ...frame,
        id: random.once(2) ? random.number(32) : frame.id + random.below(5) - 2,
      });
  }
  // A number somewhere in the body: a length, a count, a size.
  const at = headerBytes + random.below(Math.max(1, changed.length - headerBytes - 3));
  if (at + 4 <= changed.length) view.setUint32(at, random.number(32), true);
  return changed;
}

/** Whole frames out of written bytes, whatever the pieces. */
export class FrameReader {
  #rest: Uint8Array<ArrayBuffer> = new Uint8Array();

  take(bytes: Uint8Array): Frame[] {
    this.#rest = this.#rest.length === 0 ? bytes.slice() : concatenate([this.#rest, bytes]);
    const frames: Frame[] = [];
    for (let at = 0;;) {
      const view = new DataView(this.#rest.buffer, at);
      const length = view.byteLength < headerBytes ? Infinity : headerBytes + view.getUint32(0, true);
      if (length > view.byteLength) {
        this.#rest = this.#rest.slice(at);
        return frames;
      }
      const body = this.#rest.slice(at + headerBytes, at + length);
      const [kind, flags] = [view.getUint16(4, true), view.getUint16(6, true)];
      frames.push({ kind, flags, id: view.getUint32(8, true), body });
      at += length;
    }
  }
}

/** The numbers of a table's kinds. */
export function kindsOf(table: MessageTable): number[] {
  return [...new Set(Object.values(table).map(({ kind }) => kind))];
}
