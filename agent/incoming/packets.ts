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
/** What a record costs beside its bytes: small packets may be many. */
const recordCost = 256;
/** Written at a time, if there is so much. */
const blockBytes = 1 << 18;
/** How often the kernel's losses are asked for, and addresses are asked again. */
const sweepMs = 250, forgetMs = 10_000;
/** Streams of packets of one client. */
const mostStreams = 16;
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
  #queue: PacketRecord[] = [];
  #waiting = 0;
  #tap: PacketTap | null = null;
  #sending = false;
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
    this.#queue = [];
    this.#channel.reset();
    this.#gone();
  }

  #take(packet: Packet): void {
    const segment = readSegment(packet.bytes);
    if (this.#over || segment === null || !this.#own.has(targetEnd(packet, segment))) return;
    const record: PacketRecord = {
      kind: packet.isSent ? "fromTarget" : "toTarget",
      time: BigInt(packet.seconds) * 1_000_000_000n + BigInt(packet.nanoseconds),
      bytes: packet.bytes,
      length: packet.length,
    };
    if (this.#waiting + costOf(record) > queueLimit) return this.#lose("lostByLink", 1);
    this.#tellLost();
    this.#push({ ...record, bytes: packet.bytes.slice() });
  }

  #push(record: PacketRecord): void {
    this.#queue.push(record);
    this.#waiting += costOf(record);
    if (!this.#sending) void this.#send();
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

  async #send(): Promise<void> {
    this.#sending = true;
    try {
      // What else comes in this turn goes along.
      for (await Promise.resolve(); this.#queue.length > 0 && !this.#over;) {
        const { block, cost } = this.#nextBlock();
        await this.#channel.write(block);
        this.#waiting -= cost;
      }
    } catch {
      this.close(); // the client reset it, or is gone
    } finally {
      this.#sending = false;
    }
    if (this.#queue.length > 0 && !this.#over) void this.#send();
  }

  #nextBlock(): { block: Uint8Array; cost: number } {
    let [count, size] = [0, 0];
    while (count < this.#queue.length && (size < blockBytes || count === 0)) {
      size += packetRecordBytes(this.#queue[count++] as PacketRecord);
    }
    const block = new Uint8Array(size);
    let at = 0;
    for (const record of this.#queue.splice(0, count)) {
      packPacketRecord(record, block, at);
      at += packetRecordBytes(record);
    }
    return { block, cost: size + count * recordCost };
  }

  /** The client sends nothing but its end, or a reset. */
  async #watchClient(): Promise<void> {
    try {
      while (await this.#channel.read() !== null);
    } catch {
      // It is gone.
    }
    this.close();
  }
}

function costOf(record: PacketRecord): number {
  return packetRecordBytes(record) + recordCost;
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
