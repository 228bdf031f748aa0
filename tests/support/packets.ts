// TCP packets as a network would carry them, for tests that look at traffic without a network.

import type { SeenPacket } from "../../core/traffic/conversations.ts";

type Side = "client" | "target";
const flags = { fin: 1, syn: 2, rst: 4, ack: 16 } as const;

export interface WireOptions {
  client?: { address: string; port: number };
  target?: { address: string; port: number };
  /** Milliseconds since 1970 of its first packet; each further one comes a millisecond later. */
  startsAt?: number;
}

/** One connection: makes the next packet of a side. */
export class Wire {
  readonly #ends: Record<Side, { address: string; port: number }>;
  readonly #next: Record<Side, number> = { client: 0xffff_fff0, target: 1000 };
  #time: number;

  constructor(options: WireOptions = {}) {
    const { client = { address: "10.0.0.7", port: 40_000 }, target = { address: "10.0.0.1", port: 8080 } } =
      options;
    this.#ends = { client, target };
    this.#time = options.startsAt ?? 1_700_000_000_000;
  }

  /** The handshake. */
  open(): SeenPacket[] {
    return [
      this.#packet("client", "", ["syn"]),
      this.#packet("target", "", ["syn", "ack"]),
      this.#packet("client"),
    ];
  }

  /** `side` says `what`. */
  say(side: Side, what: string | Uint8Array): SeenPacket {
    return this.#packet(side, what);
  }

  /** Both sides end. */
  close(): SeenPacket[] {
    return [this.end("client"), this.end("target"), this.#packet("client")];
  }

  end(side: Side): SeenPacket {
    return this.#packet(side, "", ["fin", "ack"]);
  }

  reset(side: Side): SeenPacket {
    return this.#packet(side, "", ["rst"]);
  }

  /** Time passes. */
  wait(milliseconds: number): void {
    this.#time += milliseconds;
  }

  #packet(side: Side, what: string | Uint8Array = "", marks: (keyof typeof flags)[] = ["ack"]): SeenPacket {
    const payload = typeof what === "string" ? new TextEncoder().encode(what) : what;
    const other = side === "client" ? "target" : "client";
    const bytes = ipv4(this.#ends[side].address, this.#ends[other].address, 20 + payload.length);
    const view = new DataView(bytes.buffer);
    view.setUint16(20, this.#ends[side].port);
    view.setUint16(22, this.#ends[other].port);
    view.setUint32(24, this.#next[side] >>> 0);
    if (!marks.includes("syn") || marks.includes("ack")) view.setUint32(28, this.#next[other] >>> 0);
    view.setUint8(32, 5 << 4);
    view.setUint8(33, marks.reduce((sum, mark) => sum | flags[mark], 0));
    view.setUint16(34, 65_535);
    bytes.set(payload, 40);
    const takes = marks.includes("syn") || marks.includes("fin") ? 1 : 0;
    this.#next[side] = (this.#next[side] + payload.length + takes) >>> 0;
    return { bytes, time: BigInt(this.#time++) * 1_000_000n, fromTarget: side === "target" };
  }
}

function ipv4(source: string, destination: string, length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(20 + length);
  new DataView(bytes.buffer).setUint16(2, bytes.length);
  bytes[0] = 0x45;
  bytes[8] = 64;
  bytes[9] = 6;
  bytes.set(source.split(".").map(Number), 12);
  bytes.set(destination.split(".").map(Number), 16);
  return bytes;
}
