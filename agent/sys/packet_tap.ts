// Copies of the packets that clients send to mirrored ports, and of what comes back: packet(7) sockets with
// the filter of agent/bpf/mirror.bpf.c and a ring shared with the kernel for each. Called by
// incoming/mirror.ts and incoming/packets.ts. The kernel copies packets as they pass and never waits: a full
// ring loses copies, which are counted, but no packet of the target. Sockets and rings end with this process.
// Facts: packet(7), the kernel's Documentation/networking/packet_mmap.rst, <linux/if_packet.h>.

import { BpfObject, word } from "./bpf.ts";
import { c, check, K, SystemError } from "./libc.ts";
import { takeTurn, Watch } from "../../core/net/linux/poll.ts";

// A block holds the largest packet there is (64 KiB, but for jumbograms, which are cut) some times over.
const blockSize = 1 << 18;
const blockCount = 32;
const ringSize = blockSize * blockCount;
/** After so long a block is handed over half full: what a quiet port's packet waits at most. */
const retireMs = 4;
/** What handling one packet counts of a turn, in bytes. */
const packetCost = 512;

// struct tpacket_block_desc with its tpacket_hdr_v1, struct tpacket3_hdr and, right behind it, struct
// sockaddr_ll.
const blockStatus = 8, blockPackets = 12, blockFirst = 16;
const packetNext = 0, packetSeconds = 4, packetNanoseconds = 8, packetKept = 12, packetLength = 16;
const packetNetwork = 26, packetInterface = 52, packetType = 58;
const ownedByUser = 1; // TP_STATUS_USER
const outgoingType = 4; // PACKET_OUTGOING

/** One packet from its IP header on. The memory is the kernel's again after the call that got it. */
export interface Packet {
  bytes: Uint8Array<ArrayBuffer>;
  /** Index of the device it came by. */
  device: number;
  /** What it had, of which `bytes` are the first. */
  length: number;
  /** This host sent it. */
  isSent: boolean;
  /** When it passed: since 1970, and the nanoseconds beside. */
  seconds: number;
  nanoseconds: number;
}

/** Which packets of a port a tap copies: those that arrive, or those that are sent too. */
export type TapSide = "received" | "both";

export class PacketTap {
  readonly #filter: BpfObject;
  readonly #rings: Ring[] = [];

  /**
   * Loads the filter and makes the rings; nothing is copied before `add` and `run`. Throws SystemError (EPERM
   * without CAP_NET_RAW), BpfError.
   */
  constructor(side: TapSide = "received") {
    this.#filter = new BpfObject("mirror");
    try {
      // A socket for all protocols sees what is sent too, one for a single protocol does not (packet(7)).
      for (const protocol of side === "both" ? [K.ETH_P_ALL] : [K.ETH_P_IP, K.ETH_P_IPV6]) {
        this.#rings.push(new Ring(protocol, this.#filter.program));
      }
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** From now on packets to `port` are copied. Throws BpfError (E2BIG: too many ports). */
  add(port: number): void {
    this.#filter.set("ports", word(port), word(0));
  }

  /** Ends `add`; packets copied before may still come. */
  remove(port: number): void {
    this.#filter.remove("ports", word(port));
  }

  /**
   * Calls `take` for each packet, in the order of each device and family, until `close`. Rejects with
   * SystemError.
   */
  async run(take: (packet: Packet) => void): Promise<void> {
    await Promise.all(this.#rings.map((ring) => ring.run(take)));
  }

  /** Packets that were not copied, for want of room, since this was asked last. */
  dropped(): number {
    return this.#rings.reduce((sum, ring) => sum + ring.dropped(), 0);
  }

  /** Frees all; may be called twice. */
  close(): void {
    for (const ring of this.#rings.splice(0)) ring.close();
    this.#filter.close();
  }
}

/** One socket and its ring (TPACKET_V3). */
class Ring {
  readonly #protocol: number;
  readonly #fd: number;
  readonly #memory: Deno.PointerObject;
  readonly #bytes: Uint8Array<ArrayBuffer>;
  readonly #words: Int32Array<ArrayBuffer>;
  readonly #view: DataView;
  readonly #watch: Watch;
  #block = 0;
  #open = true;

  constructor(protocol: number, filter: number) {
    this.#protocol = protocol;
    // Without a protocol it sees nothing until it is bound; by then the filter is on.
    this.#fd = check("socket", c.socket(K.AF_PACKET, K.SOCK_DGRAM | K.SOCK_NONBLOCK | K.SOCK_CLOEXEC, 0));
    try {
      option(this.#fd, K.SOL_SOCKET, K.SO_ATTACH_BPF, "SO_ATTACH_BPF", filter);
      option(this.#fd, K.SOL_PACKET, K.PACKET_VERSION, "PACKET_VERSION", K.TPACKET_V3);
      // struct tpacket_req3: block size and count, frame size and count, milliseconds, private bytes,
      // features.
      const frameSize = 2048;
      const request = [blockSize, blockCount, frameSize, ringSize / frameSize, retireMs, 0, 0];
      option(this.#fd, K.SOL_PACKET, K.PACKET_RX_RING, "PACKET_RX_RING", ...request);
      const protection = K.PROT_READ | K.PROT_WRITE;
      const memory = c.mmap(null, BigInt(ringSize), protection, K.MAP_SHARED, this.#fd, 0n);
      if (memory === null || Deno.UnsafePointer.value(memory) === K.MAP_FAILED) {
        throw new SystemError("mmap", 12);
      }
      this.#memory = memory;
      this.#watch = new Watch(this.#fd);
    } catch (error) {
      c.close(this.#fd);
      throw error;
    }
    const buffer = Deno.UnsafePointerView.getArrayBuffer(this.#memory, ringSize);
    this.#bytes = new Uint8Array(buffer);
    this.#words = new Int32Array(buffer);
    this.#view = new DataView(buffer);
  }

  async run(take: (packet: Packet) => void): Promise<void> {
    const name = new Uint8Array(20); // struct sockaddr_ll, of every device
    new DataView(name.buffer).setUint16(0, K.AF_PACKET, true);
    new DataView(name.buffer).setUint16(2, this.#protocol);
    check("bind", c.bind(this.#fd, name, name.length));
    while (this.#open) {
      const status = (this.#block * blockSize + blockStatus) >> 2;
      // The kernel wrote the packets before the status: the load must not come after theirs.
      if ((Atomics.load(this.#words, status) & ownedByUser) === 0) {
        await this.#watch.readable();
        continue;
      }
      const taken = this.#takeBlock(take);
      if (!this.#open) return; // the memory is gone
      Atomics.store(this.#words, status, 0); // the kernel's again
      this.#block = (this.#block + 1) % blockCount;
      await takeTurn(taken);
    }
  }

  dropped(): number {
    const counts = new Uint8Array(12); // struct tpacket_stats_v3; asking clears it
    const size = new Uint8Array(new Uint32Array([counts.length]).buffer);
    check("getsockopt", c.getsockopt(this.#fd, K.SOL_PACKET, K.PACKET_STATISTICS, counts, size));
    return new DataView(counts.buffer).getUint32(4, true);
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#watch.close();
    c.munmap(this.#memory, BigInt(ringSize));
    c.close(this.#fd);
  }

  #takeBlock(take: (packet: Packet) => void): number {
    const block = this.#block * blockSize;
    const count = this.#view.getUint32(block + blockPackets, true);
    let at = block + this.#view.getUint32(block + blockFirst, true);
    let bytes = 0;
    for (let i = 0; i < count && this.#open; i++) {
      const kept = this.#view.getUint32(at + packetKept, true);
      const start = at + this.#view.getUint16(at + packetNetwork, true);
      take({
        bytes: this.#bytes.subarray(start, start + kept),
        device: this.#view.getInt32(at + packetInterface, true),
        length: this.#view.getUint32(at + packetLength, true),
        isSent: this.#view.getUint8(at + packetType) === outgoingType,
        seconds: this.#view.getUint32(at + packetSeconds, true),
        nanoseconds: this.#view.getUint32(at + packetNanoseconds, true),
      });
      bytes += kept + packetCost;
      at += this.#view.getUint32(at + packetNext, true);
    }
    return bytes;
  }
}

/** setsockopt(2) with 32-bit values. Throws SystemError named after the option. */
function option(fd: number, level: number, name: number, label: string, ...values: number[]): void {
  const bytes = new Uint8Array(new Uint32Array(values).buffer);
  check(label, c.setsockopt(fd, level, name, bytes, bytes.length));
}
