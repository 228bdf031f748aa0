// Bodies of messages: a table's entry turned into bytes and back, its TypeScript type inferred from the
// entry. link.ts and all readers of a frame's body call it; scripts/wire.ts writes the same encodings in C.
// Fields stand in table order without padding, little-endian. A body shorter than its fields is malformed;
// bytes past the known fields come from a newer peer and are ignored. Malformed input throws LinkError,
// nothing else.

import { LinkError, NonsenseError } from "../errors.ts";
import { formatIp, parseIp } from "../addresses/ip_address.ts";

/** An IP address ("10.0.0.1", "fd00::1", never IPv4-mapped, "" for none) and a port. */
export interface Address {
  address: string;
  port: number;
}

/** What each field type is in TypeScript. */
interface FieldValues {
  u8: number;
  u16: number;
  u32: number;
  u64: bigint;
  bool: boolean;
  str: string;
  bytes: Uint8Array;
  address: Address;
}
export type FieldType = keyof FieldValues;

/**
 * One kind of message. `since` is the protocol version that brought it. `opens`: the frame's id is a new
 * connection's, whose data may follow at once; both sides have its channel from this frame on.
 */
export interface Message {
  readonly kind: number;
  readonly since: number;
  readonly fields: Readonly<Record<string, FieldType>>;
  readonly opens?: true;
}
export type MessageTable = Readonly<Record<string, Message>>;

/** The body of message `M` as an object. */
export type Body<M extends Message> = { -readonly [F in keyof M["fields"]]: FieldValues[M["fields"][F]] };

/** Most bytes of a body: the largest payload of a frame. */
export const maxBody = 1 << 20;
const addressLength = 19;
const utf8 = new TextEncoder();
const strictUtf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * The bytes of `body`. Throws RangeError for a number out of its field's range, LinkError for a body over
 * MAX_BODY.
 */
export function encode<M extends Message>(message: M, body: Body<M>): Uint8Array {
  const parts = fieldsOf(message).map(([name, type]) => {
    return encodeField(name, type, (body as Record<string, unknown>)[name]);
  });
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  if (length > maxBody) {
    throw new LinkError(`Cannot send a message of ${length} bytes: at most ${maxBody} are allowed`);
  }
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** The object in `bytes`, which is copied from, never referred to. Throws LinkError when it is malformed. */
export function decode<M extends Message>(message: M, bytes: Uint8Array): Body<M> {
  return read(message, bytes, (run) => run.slice());
}

/** As `decode`, but that fields of type bytes are places in `bytes`. */
export function view<M extends Message>(message: M, bytes: Uint8Array): Body<M> {
  return read(message, bytes, (run) => run);
}

function read<M extends Message>(
  message: M,
  bytes: Uint8Array,
  keep: (run: Uint8Array) => Uint8Array,
): Body<M> {
  const body: Record<string, unknown> = {};
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  const take = (name: string, length: number): number => {
    if (length > bytes.length - at) {
      throw malformed(message, `field "${name}" needs ${length} bytes, ${bytes.length - at} are left`);
    }
    at += length;
    return at - length;
  };
  const takeRun = (name: string): Uint8Array => {
    const length = view.getUint32(take(name, 4), true);
    const start = take(name, length);
    return bytes.subarray(start, start + length);
  };
  for (const [name, type] of fieldsOf(message)) {
    if (type === "u8") body[name] = view.getUint8(take(name, 1));
    else if (type === "u16") body[name] = view.getUint16(take(name, 2), true);
    else if (type === "u32") body[name] = view.getUint32(take(name, 4), true);
    else if (type === "u64") body[name] = view.getBigUint64(take(name, 8), true);
    else if (type === "bytes") body[name] = keep(takeRun(name));
    else if (type === "bool") {
      const value = view.getUint8(take(name, 1));
      if (value > 1) throw malformed(message, `field "${name}" is neither true nor false`);
      body[name] = value === 1;
    } else if (type === "str") {
      const run = takeRun(name);
      try {
        body[name] = strictUtf8.decode(run);
      } catch {
        throw malformed(message, `field "${name}" is not UTF-8`);
      }
    } else {
      const start = take(name, addressLength);
      const text = formatIp(view.getUint8(start), bytes.subarray(start + 1, start + 17));
      if (text === null) throw malformed(message, `field "${name}" has an unknown address family`);
      body[name] = { address: text, port: view.getUint16(start + 17, true) };
    }
  }
  return body as Body<M>;
}

/** A number that differs when the names, kinds, order or types of `table` differ: FNV-1a over its text. */
export function tableHash(table: MessageTable): number {
  let hash = 0x811c9dc5;
  for (const [name, message] of Object.entries(table)) {
    const text = JSON.stringify([name, message.kind, message.since, Object.entries(message.fields)]);
    for (const byte of utf8.encode(text)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  }
  return hash;
}

const fieldLists = new WeakMap<Message, readonly [string, FieldType][]>();

/** The fields of a message in their order; the list is made once. */
function fieldsOf(message: Message): readonly [string, FieldType][] {
  let fields = fieldLists.get(message);
  if (fields === undefined) {
    fields = Object.entries(message.fields);
    fieldLists.set(message, fields);
  }
  return fields;
}

function encodeField(name: string, type: FieldType, value: unknown): Uint8Array {
  if (type === "str" && typeof value === "string") return withLength(utf8.encode(value));
  if (type === "bytes" && value instanceof Uint8Array) return withLength(value);
  if (type === "bool" && typeof value === "boolean") return Uint8Array.of(value ? 1 : 0);
  if (type === "address" && typeof value === "object" && value !== null) {
    return encodeAddress(name, value as Address);
  }
  if (type === "u64" && typeof value === "bigint" && BigInt.asUintN(64, value) === value) {
    return new Uint8Array(new BigUint64Array([value]).buffer);
  }
  const width = { u8: 1, u16: 2, u32: 4 }[type as string];
  if (width === undefined || typeof value !== "number") {
    throw new TypeError(`field "${name}" is not a ${type}`);
  }
  return littleEndian(name, width, value);
}

function littleEndian(name: string, width: number, value: number): Uint8Array {
  if (!Number.isInteger(value) || value < 0 || value >= 2 ** (8 * width)) {
    throw new RangeError(`field "${name}" does not fit: ${value}`);
  }
  return Uint8Array.from({ length: width }, (_, index) => value / 2 ** (8 * index));
}

function encodeAddress(name: string, value: Address): Uint8Array {
  const ip = parseIp(value.address);
  if (ip === null) throw new RangeError(`field "${name}" is not an IP address: ${value.address}`);
  const bytes = new Uint8Array(addressLength);
  bytes[0] = ip.family;
  bytes.set(ip.bytes, 1);
  bytes.set(littleEndian(name, 2, value.port), 17);
  return bytes;
}

function withLength(run: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(4 + run.length);
  new DataView(bytes.buffer).setUint32(0, run.length, true);
  bytes.set(run, 4);
  return bytes;
}

function malformed(message: Message, state: string): LinkError {
  return new NonsenseError(`Cannot read a message of kind ${message.kind}: ${state}`);
}
