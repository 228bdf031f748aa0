// pcap and pcap-ng files → the IP packets in them. Called by recording.ts. Formats: draft-ietf-opsawg-pcap,
// draft-ietf-opsawg-pcapng, and the link types that tcpdump and Wireshark write for IP networks. What is no
// IP packet is left out; a file that ends within a packet has the packets before it.

import { ConfigError } from "../base/errors.ts";

/** A packet from its IP header on. `time`: nanoseconds since 1970. */
export interface FilePacket {
  bytes: Uint8Array<ArrayBuffer>;
  time: bigint;
}

const pcapMicroseconds = 0xa1b2c3d4, pcapNanoseconds = 0xa1b23c4d;
const sectionHeader = 0x0a0d0d0a, byteOrder = 0x1a2b3c4d;
const interfaceDescription = 1, simplePacket = 3, enhancedPacket = 6;
const timeResolution = 9, timeOffset = 14;
const ipv4 = 0x0800, ipv6 = 0x86dd, vlan = 0x8100, serviceVlan = 0x88a8;

/** Bytes before the IP header, by link type; null: there is none. */
const skip: Readonly<Record<number, (view: DataView) => number | null>> = {
  0: () => 4, // BSD loopback
  1: (view) => ethernet(view, 12),
  12: () => 0, // raw IP, as OpenBSD and others number it
  14: () => 0,
  101: () => 0,
  108: () => 4, // OpenBSD loopback
  113: (view) => ethernet(view, 14), // "any" of Linux
  228: () => 0,
  229: () => 0,
  276: (view) => isIp(view.getUint16(0)) ? 20 : null, // "any" of Linux, version 2
};

/** Does a file begin as one of these do? */
export function isPcap(bytes: Uint8Array): boolean {
  if (bytes.length < 24) return false;
  const view = viewOf(bytes);
  const [big, little] = [view.getUint32(0), view.getUint32(0, true)];
  return big === sectionHeader ||
    [big, little].some((one) => one === pcapMicroseconds || one === pcapNanoseconds);
}

/** The packets of the file, in its order. Throws ConfigError for a link type that is not known. */
export function* readPcap(bytes: Uint8Array<ArrayBuffer>): Iterable<FilePacket> {
  if (viewOf(bytes).getUint32(0) === sectionHeader) yield* readPcapng(bytes);
  else yield* readClassic(bytes);
}

function* readClassic(bytes: Uint8Array<ArrayBuffer>): Iterable<FilePacket> {
  const view = viewOf(bytes);
  const magic = view.getUint32(0);
  const isLittle = magic !== pcapMicroseconds && magic !== pcapNanoseconds;
  const unit = view.getUint32(0, isLittle) === pcapNanoseconds ? 1n : 1000n;
  const link = view.getUint32(20, isLittle) & 0xffff;
  for (let at = 24; at + 16 <= bytes.length;) {
    const captured = view.getUint32(at + 8, isLittle);
    const packet = bytes.subarray(at + 16, at + 16 + captured);
    if (packet.length < captured) return;
    const time = BigInt(view.getUint32(at, isLittle)) * 1_000_000_000n +
      BigInt(view.getUint32(at + 4, isLittle)) * unit;
    yield* ipPacket(packet, link, time);
    at += 16 + captured;
  }
}

interface Interface {
  link: number;
  /** Nanoseconds that a unit of its time has, as a fraction. */
  unit: [bigint, bigint];
  offset: bigint;
}

function* readPcapng(bytes: Uint8Array<ArrayBuffer>): Iterable<FilePacket> {
  const view = viewOf(bytes);
  let isLittle = true;
  let interfaces: Interface[] = [];
  for (let at = 0; at + 12 <= bytes.length;) {
    const type = view.getUint32(at, isLittle);
    if (type === sectionHeader) {
      isLittle = view.getUint32(at + 8, true) === byteOrder;
      interfaces = [];
    }
    const length = view.getUint32(at + 4, isLittle);
    if (length < 12 || length % 4 !== 0 || at + length > bytes.length) return;
    const body = new DataView(bytes.buffer, bytes.byteOffset + at + 8, length - 12);
    const content = bytes.subarray(at + 8, at + length - 4);
    if (type === interfaceDescription && body.byteLength >= 8) interfaces.push(readInterface(body, isLittle));
    else if (type === enhancedPacket && body.byteLength >= 20) {
      const from = interfaces[body.getUint32(0, isLittle)];
      const stamp = BigInt(body.getUint32(4, isLittle)) << 32n | BigInt(body.getUint32(8, isLittle));
      const packet = content.subarray(20, 20 + body.getUint32(12, isLittle));
      if (from !== undefined) {
        yield* ipPacket(packet, from.link, stamp * from.unit[0] / from.unit[1] + from.offset);
      }
    } else if (type === simplePacket && body.byteLength >= 4 && interfaces[0] !== undefined) {
      yield* ipPacket(content.subarray(4, 4 + body.getUint32(0, isLittle)), interfaces[0].link, 0n);
    }
    at += length;
  }
}

function readInterface(body: DataView, isLittle: boolean): Interface {
  const found: Interface = { link: body.getUint16(0, isLittle), unit: [1000n, 1n], offset: 0n };
  for (let at = 8; at + 4 <= body.byteLength;) {
    const [code, length] = [body.getUint16(at, isLittle), body.getUint16(at + 2, isLittle)];
    if (code === 0 || at + 4 + length > body.byteLength) break;
    if (code === timeResolution && length === 1) {
      const value = body.getUint8(at + 4);
      const perSecond = value & 0x80 ? 1n << BigInt(value & 0x7f) : 10n ** BigInt(value);
      found.unit = [1_000_000_000n, perSecond];
    }
    if (code === timeOffset && length === 8) {
      found.offset = body.getBigInt64(at + 4, isLittle) * 1_000_000_000n;
    }
    at += 4 + (length + 3 & ~3);
  }
  return found;
}

function* ipPacket(packet: Uint8Array<ArrayBuffer>, link: number, time: bigint): Iterable<FilePacket> {
  const find = skip[link];
  if (find === undefined) {
    throw new ConfigError(`Cannot read the packets: their link type ${link} is not known`, {
      help: "Convert the file, for example with Wireshark's editcap -T rawip.",
    });
  }
  if (packet.length < 24) return;
  const before = find(viewOf(packet));
  if (before === null) return;
  const bytes = packet.subarray(before);
  const version = (bytes[0] ?? 0) >> 4;
  if (version === 4 || version === 6) yield { bytes, time };
}

/** Behind the type at `at`, and those of VLANs. */
function ethernet(view: DataView, at: number): number | null {
  let type = view.getUint16(at);
  while ((type === vlan || type === serviceVlan) && at + 6 <= view.byteLength) {
    at += 4;
    type = view.getUint16(at);
  }
  return isIp(type) ? at + 2 : null;
}

function isIp(type: number): boolean {
  return type === ipv4 || type === ipv6;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
