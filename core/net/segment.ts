// A packet from its IP header on → the TCP segment in it. Pure; called by agent/incoming/{mirror,packets}.ts
// for what agent/bpf/mirror.bpf.c picked, and by core/traffic. Formats: RFC 791, RFC 8200, RFC 9293. Null for
// what is no whole TCP header: in doubt there is no segment.

import { formatIp } from "../../protocol-wasm/mod.ts";

/** One segment of a side of a connection. `payload` is a part of the packet. */
export interface Segment {
  /** The same for all packets of one direction of one connection. */
  key: string;
  sourcePort: number;
  destinationPort: number;
  sequence: number;
  /** Behind the last byte of the other side that its sender has; means something with `ack`. */
  acknowledged: number;
  syn: boolean;
  ack: boolean;
  fin: boolean;
  rst: boolean;
  payload: Uint8Array<ArrayBuffer>;
}

const tcp = 6;
const finFlag = 1, synFlag = 2, rstFlag = 4, ackFlag = 16;
/** Extension headers with their length in units of eight bytes, the first not counted: RFC 8200, 4. */
const extensions = new Set([0, 43, 60]);

/** The segment of `packet`; what lies behind the packet's own length is no part of it. */
export function readSegment(packet: Uint8Array<ArrayBuffer>): Segment | null {
  const view = new DataView(packet.buffer, packet.byteOffset, packet.byteLength);
  if (packet.length < 20) return null;
  const version = (packet[0] ?? 0) >> 4;
  if (version === 4) {
    const header = ((packet[0] ?? 0) & 15) * 4;
    if (packet[9] !== tcp || header < 20) return null;
    // 0: too long for the field, as the kernel's joined packets may be.
    const end = Math.min(view.getUint16(2) || packet.length, packet.length);
    return readTcp(packet, view, { at: header, end, addresses: 12, words: 2 });
  }
  if (version !== 6 || packet.length < 40) return null;
  const length = view.getUint16(4);
  const end = length === 0 ? packet.length : Math.min(40 + length, packet.length);
  let protocol = packet[6] ?? 0;
  let at = 40;
  while (extensions.has(protocol) && at + 2 <= end) {
    protocol = packet[at] ?? 0;
    at += ((packet[at + 1] ?? 0) + 1) * 8;
  }
  return protocol === tcp ? readTcp(packet, view, { at, end, addresses: 8, words: 8 }) : null;
}

/** The key of the other direction. */
export function reversedKey(key: string): string {
  const [ports = 0, ...words] = key.split(":").map(Number);
  const half = words.length / 2;
  return [(ports << 16 | ports >>> 16) >>> 0, ...words.slice(half), ...words.slice(0, half)].join(":");
}

/** Where a packet came from and goes to, in the text of the wire. */
export function readAddresses(packet: Uint8Array): { source: string; destination: string } {
  const [family, at, size] = (packet[0] ?? 0) >> 4 === 4 ? [4, 12, 4] as const : [6, 8, 16] as const;
  const text = (from: number) => {
    const bytes = new Uint8Array(16);
    bytes.set(packet.subarray(from, from + size));
    return formatIp(family, bytes) ?? "";
  };
  return { source: text(at), destination: text(at + size) };
}

function readTcp(
  packet: Uint8Array<ArrayBuffer>,
  view: DataView,
  { at, end, addresses, words }: { at: number; end: number; addresses: number; words: number },
): Segment | null {
  if (at + 20 > end) return null;
  const header = (view.getUint8(at + 12) >> 4) * 4;
  if (header < 20 || at + header > end) return null;
  const flags = view.getUint8(at + 13);
  let key = String(view.getUint32(at));
  for (let i = 0; i < words; i++) key += `:${view.getUint32(addresses + i * 4)}`;
  return {
    key,
    sourcePort: view.getUint16(at),
    destinationPort: view.getUint16(at + 2),
    sequence: view.getUint32(at + 4),
    acknowledged: view.getUint32(at + 8),
    syn: (flags & synFlag) !== 0,
    ack: (flags & ackFlag) !== 0,
    fin: (flags & finFlag) !== 0,
    rst: (flags & rstFlag) !== 0,
    payload: packet.subarray(at + header, end),
  };
}
