// Mirrored ports of one client: what their clients send is copied from the target's network and assembled
// into the connections that the session gets. Called by incoming.ts. Invariant: the agent never waits for the
// target, nor the target for the agent; what is too much is dropped, counted and reported. Ports, connections
// and the kernel's part end with the client.

import { log } from "../../core/base/log.ts";
import { compileFilter, type Filter } from "../../protocol-wasm/mod.ts";
import { Failure } from "../failure.ts";
import { E, SystemError } from "../sys/libc.ts";
import { type Packet, PacketTap } from "../sys/packet_tap.ts";
import { reachOf } from "../../core/net/fit.ts";
import { Budget } from "./budget.ts";
import { Copy, type CopyEnd } from "./copy.ts";
import { beginsRequest } from "../../core/net/first_line.ts";
import { Flow } from "./flow.ts";
import { Losses } from "./losses.ts";
import { endsOf, OwnAddresses } from "./own_addresses.ts";
import { Reaches } from "./reach.ts";
import type { Ends, Taker } from "./taker.ts";
import { explainKernelRefusal, requireKernel } from "./requirements.ts";
import { readSegment, type Segment } from "../../core/net/segment.ts";

/** Connections that are followed at a time, and of these the ones that the session may have. */
export const flowLimit = 8192;
export const copyLimit = 2048;
/** What all connections together may have waiting. */
const budgetBytes = 64 << 20;

const sweepMs = 250;
/** How long a missing packet is waited for: it is sent again if the target missed it too. */
const patienceMs = 3000;
/** As long as copies were just dropped for want of room, it is most probably one of these. */
const hastyMs = 200;
const doubtMs = 1000;
/** How long a connection that only its client speaks of is remembered. */
const openingMs = 60_000;

export interface MirrorOptions {
  /** The taker that gets the copies. */
  taker: Pick<Taker, "offer">;
  /** Notifies the developer, more than once if it happens again. */
  say(text: string): void;
  /** As `say`, once for each port and text. */
  notice(port: number, text: string): void;
}

interface MirroredPort {
  readonly port: number;
  readonly filter: Filter | null;
  /** The addresses of it that are copied (`reachBits`). */
  reach: number;
}

export class Mirror implements Disposable {
  readonly #options: MirrorOptions;
  readonly #ports = new Map<number, MirroredPort>();
  readonly #flows = new Map<string, Flow>();
  readonly #portOf = new WeakMap<Flow, number>();
  readonly #copies = new Set<Copy>();
  readonly #budget = new Budget(budgetBytes);
  readonly #losses: Losses;
  /** Which addresses of each port are copied, or will be. */
  readonly reaches = new Reaches((port) => {
    const mirrored = this.#ports.get(port);
    if (mirrored !== undefined) mirrored.reach = this.reaches.now(port);
  });
  readonly #own = new OwnAddresses();
  #tap: PacketTap | null = null;
  #timer: number | undefined;
  #droppedAt = -Infinity;

  constructor(options: MirrorOptions) {
    this.#options = options;
    this.#losses = new Losses(options.say);
  }

  /** Prepares the kernel's part; nothing is copied yet. Throws Failure with what is missing. */
  prepare(): void {
    if (this.#tap !== null) return;
    const action = "Cannot mirror ports";
    try {
      this.#tap = new PacketTap();
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
      // An older kernel may allow it: it asks for SYS_ADMIN, or for nothing (bpf(2)).
      requireKernel(action, 8);
      throw explainKernelRefusal(error, action, ["BPF", "NET_RAW"]);
    }
    const tap = this.#tap;
    tap.run((packet) => this.#take(packet)).catch((error) => {
      if (this.#tap === tap) this.#options.say(`Cannot mirror any longer: ${error.message}`);
    });
    this.#timer = setInterval(() => this.#sweep(), sweepMs);
  }

  /** From now on the session gets what clients send to `port`. Throws Failure, FilterError. */
  add(port: number, filter: string): void {
    const action = `Cannot mirror port ${port}`;
    if (port === 0) throw new Failure(E.EINVAL, `${action}: it is not a port`);
    if (this.#ports.has(port)) throw new Failure(E.EEXIST, `${action}: this session has it already`);
    this.prepare();
    const compiled = filter === "" ? null : compileFilter(filter);
    try {
      this.#tap?.add(port);
      this.#ports.set(port, { port, filter: compiled, reach: this.reaches.now(port) });
    } catch (error) {
      compiled?.[Symbol.dispose]();
      if (!(error instanceof SystemError)) throw error;
      throw new Failure(error.errno, `${action}: ${error.message}`, { cause: error });
    }
  }

  /** Whether `port` is mirrored. */
  has(port: number): boolean {
    return this.#ports.has(port);
  }

  /** Ends `add`; connections that the session has end as if their clients had. */
  remove(port: number): void {
    const mirrored = this.#ports.get(port);
    if (mirrored === undefined) return;
    this.#tap?.remove(port);
    this.#ports.delete(port);
    this.reaches.forget(port);
    for (const [key, flow] of this.#flows) if (this.#portOf.get(flow) === port) this.#drop(key, flow);
    mirrored.filter?.[Symbol.dispose]();
  }

  /** Frees all. */
  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    this.reaches[Symbol.dispose]();
    const tap = this.#tap;
    this.#tap = null;
    tap?.close();
    for (const flow of this.#flows.values()) flow.abort();
    this.#flows.clear();
    for (const copy of [...this.#copies]) copy.abort();
    for (const { filter } of this.#ports.values()) filter?.[Symbol.dispose]();
    this.#ports.clear();
    this.#losses.tell();
  }

  #take(packet: Packet): void {
    const segment = readSegment(packet.bytes);
    if (segment === null) return;
    const now = performance.now();
    let flow = this.#flows.get(segment.key);
    if (segment.syn && flow !== undefined && !flow.isOwn(segment)) {
      this.#drop(segment.key, flow);
      flow = undefined;
    }
    flow ??= this.#begin(packet, segment, now);
    if (flow?.take(segment, now)) this.#drop(segment.key, flow);
  }

  #begin(packet: Packet, segment: Segment, now: number): Flow | undefined {
    const mirrored = this.#ports.get(segment.destinationPort);
    if (mirrored === undefined || segment.rst || segment.fin) return undefined;
    if (!segment.syn && !beginsRequest(segment.payload)) return undefined;
    const ends = endsOf(packet, segment);
    const { address } = ends.localAddress;
    if ((reachOf({ address, only6: true }) & mirrored.reach) === 0) return undefined;
    if (!this.#own.has(ends.localAddress)) return undefined;
    if (this.#flows.size >= flowLimit) this.#dropOldest();
    const flow = new Flow(
      {
        ...mirrored,
        budget: this.#budget,
        open: (gone) => this.#open(mirrored, ends, gone),
        lost: (bytes, kind) => this.#losses.add(mirrored.port, kind, bytes),
        notHttp: (reason) => this.#options.notice(mirrored.port, reason),
      },
      segment,
      now,
    );
    this.#flows.set(segment.key, flow);
    this.#portOf.set(flow, mirrored.port);
    return flow;
  }

  #open({ port, filter }: MirroredPort, ends: Ends, gone: (how: CopyEnd) => void): Copy | null {
    if (this.#copies.size >= copyLimit) {
      this.#losses.add(port, "many", 0);
      return null;
    }
    const { channel, answer } = this.#options.taker.offer(ends, { port, http: filter !== null });
    const copy: Copy = new Copy({
      channel,
      answer,
      budget: this.#budget,
      ended: (how, bytes) => {
        if (how === "slow") this.#losses.add(port, "slow", bytes);
        gone(how);
      },
      gone: () => void this.#copies.delete(copy),
    });
    this.#copies.add(copy);
    return copy;
  }

  #drop(key: string, flow: Flow): void {
    this.#flows.delete(key);
    flow.end();
  }

  #dropOldest(): void {
    let oldest: [string, Flow] | undefined;
    for (const entry of this.#flows) {
      const older = oldest === undefined || rank(entry[1]) < rank(oldest[1]);
      if (older) oldest = entry;
    }
    if (oldest === undefined) return;
    if (!oldest[1].opening) {
      log.debug(`more than ${flowLimit} connections: the longest silent one is dropped`);
    }
    this.#drop(...oldest);
  }

  #sweep(): void {
    const now = performance.now();
    const dropped = this.#tap?.dropped() ?? 0;
    if (dropped > 0) {
      this.#droppedAt = now;
      this.#losses.addPackets(dropped);
    }
    const patience = now - this.#droppedAt < doubtMs ? hastyMs : patienceMs;
    for (const [key, flow] of this.#flows) {
      if (flow.missingSince !== null && now - flow.missingSince >= patience) {
        if (flow.giveUp()) this.#drop(key, flow);
      } else if (flow.opening && now - flow.seenAt >= openingMs) this.#drop(key, flow);
    }
    if (this.#flows.size === 0) this.#own.forget();
    this.#losses.tellInTime(now);
  }
}

/** Connections that only their client speaks of go first, then the longest silent. */
function rank(flow: Flow): number {
  return flow.opening ? flow.seenAt - 1e12 : flow.seenAt;
}
