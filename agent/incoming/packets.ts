// The floor "packets" of one client: copies of all packets of some ports, both ways, for a client that shows
// or records them; and which ports there are. Made by client.ts. Invariant: the agent never waits for the
// target, nor the target for the agent; copies that are too much are dropped, and each drop is a record of
// the stream.

import {
  type AgentFrame,
  type AgentLink,
  agentMessages,
  type ByteChannel,
  decode,
  type PacketKind,
  type PacketRecord,
  packetRecordBytes,
  packPacketRecord,
} from "../../protocol-wasm/mod.ts";
import { pauseOrEnd } from "../../core/base/pause.ts";
import { heldInodes, sockets } from "../../core/net/linux/listening.ts";
import { readSegment } from "../../core/net/segment.ts";
import { Failure } from "../failure.ts";
import type { Floor } from "../floor.ts";
import { E, SystemError } from "../sys/libc.ts";
import { type Packet, PacketTap } from "../sys/packet_tap.ts";
import { processTree, type TargetProcess } from "../sys/proc.ts";
import { OwnAddresses, targetEnd } from "./own_addresses.ts";
import { explainKernelRefusal, requireKernel } from "./requirements.ts";

/** What may wait for a slow link, for each `packets`. */
export const queueLimit = 16 << 20;
/** Records are joined in blocks of this size, as many small packets as fit. */
const blockBytes = 1 << 16;
/** How often the kernel's losses are asked for, and addresses are asked again. */
const sweepMs = 250, forgetMs = 10_000;
/** A packet may be on its way here for so long; with others behind it, some times as long. */
const lastMs = 50, lastRounds = 4;
/** Streams of packets of one client, which opens one for all its ports: the queues take the pod's memory. */
const mostStreams = 2;
const action = "Cannot copy packets";

export class Packets implements Floor {
  readonly kinds = ["packets", "listening"] as const;
  readonly #link: AgentLink;
  readonly #target: TargetProcess;
  readonly #streams = new Set<PacketStream>();

  constructor(link: AgentLink, target: TargetProcess) {
    this.#link = link;
    this.#target = target;
  }

  async answer(frame: AgentFrame): Promise<void> {
    if (frame.name === "listening") {
      return await this.#link.reply(frame, "listeningReply", { ports: packPorts(this.#listening()) });
    }
    const { ports } = decode(agentMessages.packets, frame.body);
    if (this.#streams.size >= mostStreams) throw new Failure(E.EMFILE, `${action}: there are ${mostStreams}`);
    const stream = new PacketStream(this.#link.openChannel(frame.id), () => this.#streams.delete(stream));
    this.#streams.add(stream);
    try {
      stream.start(unpackPorts(ports));
    } catch (error) {
      stream.close();
      throw error;
    }
    await this.#link.reply(frame, "packetsReply", {});
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const stream of [...this.#streams]) stream.close();
    await Promise.resolve();
  }

  /** In ascending order. */
  #listening(): number[] {
    const own = heldInodes([Deno.pid]);
    const { pid } = this.#target;
    const theirs = pid === undefined ? null : heldInodes(processTree(pid));
    const found = sockets("tcp").filter(({ inode }) => !own.has(inode) && (theirs?.has(inode) ?? true));
    return [...new Set(found.map(({ port }) => port))].sort((a, b) => a - b);
  }
}

/** One stream of copies, with the kernel's part of it. */
class PacketStream {
  readonly #channel: ByteChannel;
  readonly #gone: () => void;
  readonly #own = new OwnAddresses();
  readonly #lost = new Map<PacketKind, number>();
  /** Full ones, then the one that is being filled; and one that was sent, to be filled again. */
  #blocks: Uint8Array[] = [];
  #block: Uint8Array | null = null;
  #spare: Uint8Array | null = null;
  /** Bytes used of `#block`. */
  #filled = 0;
  #waiting = 0;
  /** Packets that came. */
  #taken = 0;
  #tap: PacketTap | null = null;
  #sending = false;
  /** Resolves when `#sending` ends. */
  #sent: Promise<void> = Promise.resolve();
  #over = false;
  #timers: number[] = [];

  constructor(channel: ByteChannel, gone: () => void) {
    this.#channel = channel;
    this.#gone = gone;
  }

  /** Throws Failure with what is missing. */
  start(ports: readonly number[]): void {
    try {
      this.#tap = new PacketTap("both");
      for (const port of ports) this.#tap.add(port);
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
      if (error.errno === E.E2BIG) throw new Failure(E.E2BIG, `${action}: there are too many ports`);
      requireKernel(action, 8);
      throw explainKernelRefusal(error, action, ["BPF", "NET_RAW"]);
    }
    this.#tap.run((packet) => this.#take(packet)).catch(() => this.close());
    this.#timers = [
      setInterval(() => this.#sweep(), sweepMs),
      setInterval(() => this.#own.forget(), forgetMs),
    ];
    void this.#watchClient();
  }

  close(): void {
    if (this.#over) return;
    this.#over = true;
    for (const timer of this.#timers) clearInterval(timer);
    this.#tap?.close();
    this.#blocks = [];
    this.#block = null;
    this.#channel.reset();
    this.#gone();
  }

  #take(packet: Packet): void {
    const segment = readSegment(packet.bytes);
    if (this.#over || segment === null || !this.#own.has(targetEnd(packet, segment))) return;
    this.#taken++;
    const record: PacketRecord = {
      kind: packet.isSent ? "fromTarget" : "toTarget",
      time: BigInt(packet.seconds) * 1_000_000_000n + BigInt(packet.nanoseconds),
      bytes: packet.bytes,
      length: packet.length,
    };
    if (this.#waiting + packetRecordBytes(record) > queueLimit) return this.#lose("lostByLink", 1);
    this.#tellLost();
    this.#push(record);
  }

  /** Copies the record. */
  #push(record: PacketRecord): void {
    const size = packetRecordBytes(record);
    if (this.#block === null || this.#filled + size > this.#block.length) {
      this.#seal();
      this.#block = size <= blockBytes && this.#spare !== null
        ? this.#spare
        : new Uint8Array(Math.max(blockBytes, size));
      this.#spare = null;
    }
    packPacketRecord(record, this.#block, this.#filled);
    this.#filled += size;
    this.#waiting += size;
    if (!this.#sending) this.#sent = this.#send();
  }

  #lose(kind: PacketKind, packets: number): void {
    this.#lost.set(kind, (this.#lost.get(kind) ?? 0) + packets);
  }

  /** The records of what was lost stand before the next packet. */
  #tellLost(): void {
    for (const [kind, length] of this.#lost) {
      const time = BigInt(Date.now()) * 1_000_000n;
      this.#push({ kind, time, bytes: new Uint8Array(), length });
    }
    this.#lost.clear();
  }

  #sweep(): void {
    const dropped = this.#tap?.dropped() ?? 0;
    if (dropped > 0) this.#lose("lostByKernel", dropped);
    if (this.#waiting < queueLimit / 2) this.#tellLost();
  }

  #seal(): void {
    if (this.#block !== null && this.#filled > 0) this.#blocks.push(this.#block.subarray(0, this.#filled));
    this.#block = null;
    this.#filled = 0;
  }

  #next(): Uint8Array | undefined {
    if (this.#blocks.length === 0) this.#seal();
    return this.#blocks.shift();
  }

  async #send(): Promise<void> {
    this.#sending = true;
    try {
      await Promise.resolve(); // what else comes in this turn goes along
      for (let block = this.#next(); block !== undefined && !this.#over; block = this.#next()) {
        await this.#channel.write(block);
        this.#waiting -= block.length;
        if (block.buffer.byteLength === blockBytes) this.#spare = new Uint8Array(block.buffer);
      }
    } catch {
      this.close(); // the client reset it, or is gone
    } finally {
      this.#sending = false;
    }
    if (this.#filled > 0 && !this.#over) this.#sent = this.#send();
  }

  /** The client sends nothing but its end, or a reset. */
  async #watchClient(): Promise<void> {
    try {
      while (await this.#channel.read() !== null);
      await this.#finish();
    } catch {
      // It is gone.
    }
    this.close();
  }

  /** Copies no more, and sends what there is. */
  async #finish(): Promise<void> {
    // The kernel hands packets over in blocks, some milliseconds later.
    for (let before = -1, rounds = 0; before !== this.#taken && rounds < lastRounds; rounds++) {
      before = this.#taken;
      await pauseOrEnd(lastMs, undefined);
    }
    this.#sweep();
    for (const timer of this.#timers) clearInterval(timer);
    this.#tap?.close();
    this.#tellLost();
    while (this.#sending) await this.#sent;
    await this.#channel.closeWrite();
  }
}

function unpackPorts(bytes: Uint8Array): number[] {
  return Array.from(
    { length: bytes.length / 2 },
    (_, i) => (bytes[2 * i] ?? 0) << 8 | (bytes[2 * i + 1] ?? 0),
  );
}

function packPorts(ports: readonly number[]): Uint8Array {
  return Uint8Array.from(ports.flatMap((port) => [port >> 8, port & 255]));
}
