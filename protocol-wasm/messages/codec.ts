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
const addressPortAt = 17;
/** Bytes of a field; those of others are behind their length. */
const widths: Readonly<Partial<Record<FieldType, number>>> = {
  u8: 1,
  u16: 2,
  u32: 4,
  u64: 8,
  bool: 1,
  address: addressLength,
};
const utf8 = new TextEncoder();
const strictUtf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * The bytes of `body`. Throws RangeError for a number out of its field's range, LinkError for a body over
 * MAX_BODY.
 */
export function encode<M extends Message>(message: M, body: Body<M>): Uint8Array {
  const fields = fieldsOf(message);
  let length = 0;
  const values = fields.map(([name, type]) => {
    const value = valueOf(name, type, (body as Record<string, unknown>)[name]);
    length += widths[type] ?? 4 + (value as Uint8Array).length;
    return value;
  });
  if (length > maxBody) {
    throw new LinkError(`Cannot send a message of ${length} bytes: at most ${maxBody} are allowed`);
  }
  const bytes = new Uint8Array(length);
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const [index, [, type]] of fields.entries()) {
    const value = values[index];
    if (typeof value === "bigint") view.setBigUint64(at, value, true);
    else if (typeof value === "number") {
      if (type === "u32") view.setUint32(at, value, true);
      else if (type === "u16") view.setUint16(at, value, true);
      else bytes[at] = value;
    } else if (value instanceof Uint8Array) {
      view.setUint32(at, value.length, true);
      bytes.set(value, at + 4);
      at += 4 + value.length;
    } else if (value !== undefined) {
      bytes[at] = value.family;
      bytes.set(value.bytes, at + 1);
      view.setUint16(at + addressPortAt, value.port, true);
    }
    at += widths[type] ?? 0;
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
      const text = formatIp(view.getUint8(start), bytes.subarray(start + 1, start + addressPortAt));
      if (text === null) throw malformed(message, `field "${name}" has an unknown address family`);
      body[name] = { address: text, port: view.getUint16(start + addressPortAt, true) };
    }
  }
  return body as Body<M>;
}

const tableHashes = new WeakMap<MessageTable, number>();

/**
 * A number that differs when the names, kinds, order or types of `table` differ: FNV-1a over its text. Made
 * once: every process of the app is greeted by it.
 */
export function tableHash(table: MessageTable): number {
  const known = tableHashes.get(table);
  if (known !== undefined) return known;
  let hash = 0x811c9dc5;
  for (const [name, message] of Object.entries(table)) {
    const text = JSON.stringify([name, message.kind, message.since, Object.entries(message.fields)]);
    for (const byte of utf8.encode(text)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  }
  tableHashes.set(table, hash);
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

/** What of a field is written: a number, bytes behind their length, or an address. */
type Value = number | bigint | Uint8Array | { family: number; bytes: Uint8Array; port: number };

function valueOf(name: string, type: FieldType, value: unknown): Value {
  if (type === "str" && typeof value === "string") return utf8.encode(value);
  if (type === "bytes" && value instanceof Uint8Array) return value;
  if (type === "bool" && typeof value === "boolean") return value ? 1 : 0;
  if (type === "address" && typeof value === "object" && value !== null) {
    return addressOf(name, value as Address);
  }
  if (type === "u64" && typeof value === "bigint" && BigInt.asUintN(64, value) === value) return value;
  const most = { u8: 0xff, u16: 0xffff, u32: 0xffff_ffff }[type as string];
  if (most === undefined || typeof value !== "number") {
    throw new TypeError(`field "${name}" is not a ${type}`);
  }
  return fitting(name, value, most);
}

function fitting(name: string, value: number, most: number): number {
  if (!Number.isInteger(value) || value < 0 || value > most) {
    throw new RangeError(`field "${name}" does not fit: ${value}`);
  }
  return value;
}

function addressOf(name: string, { address, port }: Address): Value {
  const ip = parseIp(address);
  if (ip === null) throw new RangeError(`field "${name}" is not an IP address: ${address}`);
  return { family: ip.family, bytes: ip.bytes, port: fitting(name, port, 0xffff) };
}

function malformed(message: Message, state: string): LinkError {
  return new NonsenseError(`Cannot read a message of kind ${message.kind}: ${state}`);
}
