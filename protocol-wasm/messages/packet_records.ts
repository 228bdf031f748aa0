// The bytes of a connection that `packets` opened: one record for each copied packet, and for each loss of
// copies. Written by agent/incoming/packets.ts, read by core/traffic/watch.ts. A record that makes no sense
// ends the reading (NonsenseError).

import { NonsenseError } from "../errors.ts";

/**
 * Which way a packet went, or why copies are missing here: the kernel had no room for them, or the session
 * took those before too slowly.
 */
export const packetKinds = ["toTarget", "fromTarget", "lostByKernel", "lostByLink"] as const;
export type PacketKind = (typeof packetKinds)[number];

/** One record. */
export interface PacketRecord {
  kind: PacketKind;
  /** Nanoseconds since 1970. */
  time: bigint;
  /** The packet from its IP header on; of a loss nothing. */
  bytes: Uint8Array<ArrayBuffer>;
  /** How long the packet was; of a loss how many packets are missing. */
  length: number;
}

/** Little-endian: captured bytes (u32), `length` (u32), `time` (u64), `kind` (u8), three zero bytes. */
const headBytes = 20;
/** The kernel's ring has no longer packet (agent/sys/packet_tap.ts). */
const mostCaptured = 1 << 18;

/** What `record` takes. */
export function packetRecordBytes(record: PacketRecord): number {
  return headBytes + record.bytes.length;
}

/** Writes `record` to `into` at `at`, where there is room for it. */
export function packPacketRecord(record: PacketRecord, into: Uint8Array, at: number): void {
  const view = new DataView(into.buffer, into.byteOffset + at, headBytes);
  view.setUint32(0, record.bytes.length, true);
  view.setUint32(4, record.length, true);
  view.setBigUint64(8, record.time, true);
  view.setUint32(16, packetKinds.indexOf(record.kind), true);
  into.set(record.bytes, at + headBytes);
}

/** Takes the stream in pieces, and hands out its records. */
export class PacketRecords {
  #rest = new Uint8Array();

  /** The records that are complete with `bytes`; each has memory of its own. Throws NonsenseError. */
  *take(bytes: Uint8Array): Iterable<PacketRecord> {
    const all = new Uint8Array(this.#rest.length + bytes.length);
    all.set(this.#rest);
    all.set(bytes, this.#rest.length);
    const view = new DataView(all.buffer);
    let at = 0;
    try {
      while (all.length - at >= headBytes) {
        const captured = view.getUint32(at, true);
        const kind = packetKinds[view.getUint32(at + 16, true)];
        if (kind === undefined || captured > mostCaptured) {
          throw new NonsenseError(`Cannot accept a packet: its kind is ${kind}, its size ${captured}`);
        }
        const end = at + headBytes + captured;
        if (end > all.length) return;
        const content = all.slice(at + headBytes, end);
        const [length, time] = [view.getUint32(at + 4, true), view.getBigUint64(at + 8, true)];
        at = end;
        yield { kind, time, bytes: content, length };
      }
    } finally {
      this.#rest = all.subarray(at);
    }
  }
}
