// Packets → a pcap-ng file, as Wireshark and tcpdump read it. Called by cmd/dump.ts. What was not copied is a
// comment of the packet behind the hole, and a count at the end. Format: draft-ietf-opsawg-pcapng; link type
// 101 is "raw IP", IPv4 or IPv6 by the packet's first four bits.

import { mirrordVersion } from "../base/version.ts";
import { concatenate } from "../../protocol-wasm/mod.ts";
import { RecordingFile } from "./recording_file.ts";

const sectionHeader = 0x0a0d0d0a, interfaceDescription = 1, enhancedPacket = 6, interfaceStatistics = 5;
const byteOrder = 0x1a2b3c4d;
const rawIp = 101;
const nanoseconds = 9;
// Options: of all blocks, of the section header, an interface, a packet, statistics.
const comment = 1, userApplication = 4;
const interfaceName = 2, interfaceDescriptionText = 3, timeResolution = 9;
const packetFlags = 2, inbound = 1, outbound = 2;
const received = 4, dropped = 5;
const encoder = new TextEncoder();

type Option = readonly [code: number, value: Uint8Array];

/** A packet of the target. */
export interface RecordedPacket {
  bytes: Uint8Array;
  /** What it had, of which `bytes` are the first. */
  length: number;
  /** Nanoseconds since 1970. */
  time: bigint;
  fromTarget: boolean;
}

export class PcapngFile implements Disposable {
  readonly #file: RecordingFile;
  #packets = 0n;
  #dropped = 0n;
  #time = 0n;
  #comments: string[] = [];

  /** `about`: whose packets these are. Throws ConfigError. */
  constructor(path: string, about: string) {
    this.#file = new RecordingFile(path);
    const header = new Uint8Array(16);
    const view = new DataView(header.buffer);
    view.setUint32(0, byteOrder, true);
    view.setUint16(4, 1, true); // version 1.0
    view.setBigInt64(8, -1n, true); // of unknown length
    const description = new Uint8Array(8);
    new DataView(description.buffer).setUint16(0, rawIp, true);
    this.#file.append(concatenate([
      block(sectionHeader, header, [[userApplication, encoder.encode(`mirrord ${mirrordVersion}`)]]),
      block(interfaceDescription, description, [
        [interfaceName, encoder.encode("target")],
        [interfaceDescriptionText, encoder.encode(about)],
        [timeResolution, Uint8Array.of(nanoseconds)],
      ]),
    ]));
    this.#file.flush();
  }

  /** Throws MirrordError. */
  add(packet: RecordedPacket): void {
    this.#packets++;
    this.#time = packet.time;
    const { bytes } = packet;
    const body = new Uint8Array(20 + padded(bytes.length));
    const view = new DataView(body.buffer);
    setTime(view, 4, packet.time);
    view.setUint32(12, bytes.length, true);
    view.setUint32(16, packet.length, true);
    body.set(bytes, 20);
    const comments = this.#comments.splice(0).map((text): Option => [comment, encoder.encode(text)]);
    const flags = word(packet.fromTarget ? outbound : inbound);
    this.#file.append(block(enhancedPacket, body, [...comments, [packetFlags, flags]]));
  }

  /** So many packets are missing before the next one; `text` says why. */
  lose(packets: number, text: string): void {
    this.#dropped += BigInt(packets);
    this.#comments.push(text);
  }

  /** Writes what was added. Throws MirrordError. */
  flush(): void {
    this.#file.flush();
  }

  /** Writes what is known at the end, and closes the file. */
  [Symbol.dispose](): void {
    const body = new Uint8Array(12);
    setTime(new DataView(body.buffer), 4, this.#time);
    const comments = this.#comments.map((text): Option => [comment, encoder.encode(text)]);
    try {
      this.#file.append(block(interfaceStatistics, body, [
        ...comments,
        [received, long(this.#packets)],
        [dropped, long(this.#dropped)],
      ]));
    } finally {
      this.#file[Symbol.dispose]();
    }
  }
}

function block(type: number, body: Uint8Array, options: readonly Option[]): Uint8Array {
  const all = options.flatMap(([code, value]) => {
    const option = new Uint8Array(4 + padded(value.length));
    new DataView(option.buffer).setUint16(0, code, true);
    new DataView(option.buffer).setUint16(2, value.length, true);
    option.set(value, 4);
    return [option];
  });
  const content = concatenate([body, ...all, new Uint8Array(4)]); // opt_endofopt
  return concatenate([word(type), word(content.length + 12), content, word(content.length + 12)]);
}

/** High half first, each half little-endian. */
function setTime(view: DataView, at: number, time: bigint): void {
  view.setUint32(at, Number(time >> 32n), true);
  view.setUint32(at + 4, Number(time & 0xffffffffn), true);
}

function padded(length: number): number {
  return (length + 3) & ~3;
}

function word(value: number): Uint8Array {
  return new Uint8Array(new Uint32Array([value]).buffer);
}

function long(value: bigint): Uint8Array {
  return new Uint8Array(new BigUint64Array([value]).buffer);
}
