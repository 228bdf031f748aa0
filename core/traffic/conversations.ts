// Packets of TCP connections → what each side said, in order. Called by `mirrord dump` with packets of the
// target's ports, and by recording.ts with those of a file. Pure, by the packets' own time.
// Invariant: bytes come once and in order; bytes that never came are a gap, and what follows it comes too.
// A connection begins with a packet of its client: answers to nobody are no connection.

import type { Endpoint } from "../net/address.ts";
import { after, distance, Reassembly } from "../net/reassembly.ts";
import { beginsRequest } from "../net/first_line.ts";
import { readAddresses, readSegment, reversedKey, type Segment } from "../net/segment.ts";

/** Who speaks: the one that connected, or the one that was connected to. */
export type Side = "client" | "target";

/** One connection; the object is its identity. */
export interface Connection {
  /** Counted from 1. */
  readonly number: number;
  readonly client: Endpoint;
  readonly target: Endpoint;
  /** It was open before its first packet here. */
  readonly isMidway: boolean;
  /** Nanoseconds since 1970. */
  readonly startedAt: bigint;
}

/**
 * How a connection ended: both sides did, one of them by a reset, the target took it not at all, or nobody
 * looks any longer.
 */
export type Ending = "end" | "reset" | "refused" | "unseen";

/** What a side said. */
export interface Piece {
  side: Side;
  /** Valid during the call. */
  bytes: Uint8Array<ArrayBuffer>;
  /** Nanoseconds since 1970. */
  time: bigint;
  /** The number of its first byte, and up to which number of the other side's its sender had them. */
  sequence: number;
  acknowledged: number;
}

/** What came of the packets, in order. `time`: nanoseconds since 1970. */
export interface StreamTaker {
  opened(connection: Connection): void;
  bytes(connection: Connection, piece: Piece): void;
  /** So many bytes never came. */
  gap(connection: Connection, missed: { side: Side; count: number; time: bigint }): void;
  /** A side will say no more. */
  ended(connection: Connection, side: Side, time: bigint): void;
  closed(connection: Connection, how: Ending, time: bigint): void;
}

/** A packet from its IP header on. */
export interface SeenPacket {
  bytes: Uint8Array<ArrayBuffer>;
  time: bigint;
  /** Whether the target sent it; undefined: not known. */
  fromTarget?: boolean | undefined;
}

/** Connections that are followed at a time; beyond it the longest silent one is let go. */
export const connectionLimit = 2048;
/** What may wait behind missing packets, of one connection and of all. */
const heldLimit = 1 << 20, allHeldLimit = 64 << 20;
/** How long a missing packet is waited for. */
const patience = 3_000_000_000n;
/** As long as copies were just lost, it is most probably one of these. */
const hasty = 200_000_000n, doubt = 1_000_000_000n;
/** How often is looked for what is missing. */
const sweepEvery = 250_000_000n;
/** How long a connection that only its client speaks of is remembered. */
const openingLimit = 60_000_000_000n;

interface Direction {
  reassembly: Reassembly | null;
  missingSince: bigint | null;
  ended: boolean;
}

interface Flow {
  readonly connection: Connection;
  readonly key: string;
  /** The number of the client's first byte; null when it was met midway. */
  readonly first: number | null;
  readonly sides: Record<Side, Direction>;
  /** `opened` was called. */
  told: boolean;
  seenAt: bigint;
}

const otherSide: Record<Side, Side> = { client: "target", target: "client" };

export class Conversations {
  readonly #taker: StreamTaker;
  /** By the key of the client's packets. */
  readonly #flows = new Map<string, Flow>();
  #count = 0;
  #held = 0;
  #now = 0n;
  #sweptAt = 0n;
  #hurriedAt = -doubt;

  constructor(taker: StreamTaker) {
    this.#taker = taker;
  }

  /** Takes a packet in. False: it belongs to no connection that is followed. */
  take(packet: SeenPacket): boolean {
    const segment = readSegment(packet.bytes);
    if (segment === null) return false;
    if (packet.time - this.#sweptAt >= sweepEvery) this.sweep(packet.time);
    const side = this.#sideOf(packet, segment);
    if (side === null) return false;
    const flow = this.#flowOf(packet, segment, side);
    if (flow === null) return false;
    flow.seenAt = packet.time;
    if (packet.time > this.#now) this.#now = packet.time;
    this.#follow(flow, side, segment, packet.time);
    return true;
  }

  /**
   * Gives up what is missing for too long by `now`, in nanoseconds. Packets do so by their time; to be called
   * where none may come.
   */
  sweep(now: bigint): void {
    if (now > this.#now) this.#now = now;
    this.#sweptAt = now;
    const limit = this.#now - this.#hurriedAt < doubt ? hasty : patience;
    for (const flow of [...this.#flows.values()]) {
      for (const side of ["client", "target"] as const) {
        const { missingSince } = flow.sides[side];
        if (missingSince !== null && this.#now - missingSince >= limit) this.#giveUp(flow, side);
      }
      if (!flow.told && this.#now - flow.seenAt >= openingLimit) this.#flows.delete(flow.key);
    }
  }

  /** Packets were lost: what is missing now is not waited for as long as otherwise. */
  hurry(): void {
    this.#hurriedAt = this.#now;
  }

  /** Nothing more will come: gives up what is missing; connections that are open are seen no longer. */
  end(): void {
    for (const flow of [...this.#flows.values()]) this.#letGo(flow, "unseen");
  }

  /** Null: not known, as the file does not say it and no packet before did. */
  #sideOf({ fromTarget }: SeenPacket, segment: Segment): Side | null {
    if (fromTarget !== undefined) return fromTarget ? "target" : "client";
    if (segment.syn) return segment.ack ? "target" : "client";
    if (this.#flows.has(segment.key)) return "client";
    if (this.#flows.has(reversedKey(segment.key))) return "target";
    return beginsRequest(segment.payload) ? "client" : null;
  }

  #flowOf(packet: SeenPacket, segment: Segment, side: Side): Flow | null {
    const key = side === "client" ? segment.key : reversedKey(segment.key);
    let flow = this.#flows.get(key);
    if (side === "target") return flow ?? null;
    const first = segment.syn ? after(segment.sequence, 1) : null;
    if (flow !== undefined && first !== null && flow.first !== first) {
      this.#letGo(flow, "unseen"); // the ports are used again
      flow = undefined;
    }
    if (flow !== undefined) return flow;
    if (segment.rst || segment.fin) return null;
    if (this.#flows.size >= connectionLimit) this.#letOldestGo();
    const { source, destination } = readAddresses(packet.bytes);
    const connection: Connection = {
      number: ++this.#count,
      client: { address: source, port: segment.sourcePort },
      target: { address: destination, port: segment.destinationPort },
      isMidway: first === null,
      startedAt: packet.time,
    };
    const direction = (next: number | null): Direction => ({
      reassembly: next === null ? null : new Reassembly(next),
      missingSince: null,
      ended: false,
    });
    const fresh: Flow = {
      connection,
      key,
      first,
      sides: { client: direction(first), target: direction(null) },
      told: false,
      seenAt: packet.time,
    };
    this.#flows.set(key, fresh);
    return fresh;
  }

  #follow(flow: Flow, side: Side, segment: Segment, time: bigint): void {
    const direction = flow.sides[side];
    if (segment.rst) return this.#reset(flow, side, segment);
    if (segment.syn) {
      if (side === "target") {
        direction.reassembly ??= new Reassembly(after(segment.sequence, 1));
        this.#tell(flow);
      }
      // Bytes that come with a SYN come again, unless the target took them (RFC 7413).
      if (segment.payload.length > 0) {
        this.#put(flow, side, { ...segment, sequence: after(segment.sequence, 1) }, time);
      }
      return;
    }
    direction.reassembly ??= new Reassembly(segment.sequence);
    if (segment.payload.length > 0 || side === "target") this.#tell(flow);
    if (segment.payload.length === 0) direction.reassembly.passed(segment.sequence);
    else this.#put(flow, side, segment, time);
    if (segment.fin) direction.reassembly.end(after(segment.sequence, segment.payload.length));
    this.#settle(flow, side, time);
  }

  #put(
    flow: Flow,
    side: Side,
    segment: Pick<Segment, "sequence" | "payload" | "acknowledged">,
    time: bigint,
  ): void {
    const { reassembly } = flow.sides[side];
    if (reassembly === null) return;
    const before = reassembly.cost;
    const { acknowledged } = segment;
    reassembly.add(segment.sequence, segment.payload, (bytes) => {
      this.#tell(flow);
      const sequence = after(reassembly.next, -bytes.length);
      this.#taker.bytes(flow.connection, { side, bytes, time, sequence, acknowledged });
    });
    this.#held += reassembly.cost - before;
  }

  #settle(flow: Flow, side: Side, time: bigint): void {
    const direction = flow.sides[side];
    const { reassembly } = direction;
    if (reassembly === null) return;
    if (reassembly.cost > heldLimit || (reassembly.cost > 0 && this.#held > allHeldLimit)) {
      return this.#giveUp(flow, side);
    }
    direction.missingSince = reassembly.waiting && !reassembly.ended ? direction.missingSince ?? time : null;
    if (reassembly.ended && !direction.ended) this.#end(flow, side, time);
  }

  #end(flow: Flow, side: Side, time: bigint): void {
    flow.sides[side].ended = true;
    this.#tell(flow);
    this.#taker.ended(flow.connection, side, time);
    if (flow.sides[otherSide[side]].ended) this.#letGo(flow, "end");
  }

  /** Only a reset close to the expected number is believed, as kernels do: RFC 9293, 3.10.7.4. */
  #reset(flow: Flow, side: Side, segment: Segment): void {
    const { reassembly } = flow.sides[side];
    if (reassembly !== null && Math.abs(distance(segment.sequence, reassembly.next)) > heldLimit) return;
    const refused = side === "target" && reassembly === null && flow.first !== null;
    this.#tell(flow);
    this.#letGo(flow, refused ? "refused" : "reset");
  }

  /** What is missing will not come: goes on behind it. */
  #giveUp(flow: Flow, side: Side): void {
    const direction = flow.sides[side];
    const { reassembly } = direction;
    if (reassembly === null) return;
    const { missing, next, endsAt } = reassembly;
    this.#held -= reassembly.cost;
    const held = reassembly.giveUp();
    direction.missingSince = null;
    const time = this.#now;
    // An end takes one number, and an acknowledgement behind it is most probably of that.
    const isEnd = held.length === 0 && missing === 1 && endsAt === null;
    if (missing > 0 && !isEnd) {
      this.#tell(flow);
      this.#taker.gap(flow.connection, { side, count: missing, time });
    }
    direction.reassembly = new Reassembly(after(next, missing));
    for (const { sequence, bytes } of held) {
      const acknowledged = flow.sides[otherSide[side]].reassembly?.next ?? 0;
      this.#put(flow, side, { sequence, payload: bytes, acknowledged }, time);
    }
    if (endsAt !== null) direction.reassembly.end(endsAt);
    if (isEnd) direction.reassembly.end(direction.reassembly.next);
    this.#settle(flow, side, time);
  }

  #tell(flow: Flow): void {
    if (flow.told) return;
    flow.told = true;
    this.#taker.opened(flow.connection);
  }

  #letGo(flow: Flow, how: Ending): void {
    if (this.#flows.get(flow.key) !== flow) return;
    if (how !== "end") {
      for (const side of ["client", "target"] as const) {
        for (let rounds = 0; flow.sides[side].reassembly?.waiting === true && rounds < 1000; rounds++) {
          this.#giveUp(flow, side);
          if (this.#flows.get(flow.key) !== flow) return; // the last missing piece was its end
        }
      }
    }
    this.#flows.delete(flow.key);
    for (const { reassembly } of Object.values(flow.sides)) this.#held -= reassembly?.cost ?? 0;
    if (flow.told) this.#taker.closed(flow.connection, how, this.#now);
  }

  #letOldestGo(): void {
    let oldest: Flow | undefined;
    for (const flow of this.#flows.values()) {
      if (oldest === undefined || flow.seenAt < oldest.seenAt) oldest = flow;
    }
    if (oldest !== undefined) this.#letGo(oldest, "unseen");
  }
}
