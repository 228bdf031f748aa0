// One connection of a mirrored port, seen by its client's packets. Made by mirror.ts, which brings every
// segment.
//
// States: opening  its first packet (SYN) was seen; the session gets it with the next one, when the target
//                  took it.
//         flowing  its bytes are put in order and go to the session: all of them, or the requests that a filter matches.
//         seeking  bytes are missing, or the session ended its copy, or the connection was met in the middle: nothing
//                  goes to the session until a segment begins with the head of an HTTP/1 request. A program that is
//                  handed the middle of a request it never saw the beginning of could make nothing of it.
// Where bytes are missing in what is surely no HTTP/1, the session's copy ends by a reset and another begins
// with the next byte that is there: a program whose protocol can resume gets everything except the gap, any
// other closes it. The same happens, a little later, where the app was too slow.

import { type Filter, HttpReader } from "../../protocol-wasm/mod.ts";
import type { Budget } from "./budget.ts";
import type { Copy, CopyEnd } from "./copy.ts";
import { beginsRequest, FirstLine } from "../../core/net/first_line.ts";
import { after, distance, Reassembly } from "../../core/net/reassembly.ts";
import type { Segment } from "../../core/net/segment.ts";

/** Most bytes that may wait for a missing packet, for each connection. */
export const heldLimit = 1 << 20;
/** How long an app that was too slow is left alone. */
const restMs = 1000;

/** What a flow asks of its mirror. */
export interface FlowContext {
  readonly port: number;
  readonly filter: Filter | null;
  readonly budget: Budget;
  /**
   * A copy of this connection for the session; null when there may be no more of them. `gone`: it ended by
   * itself.
   */
  open(gone: (how: CopyEnd) => void): Copy | null;
  /** Bytes of the client's that are not copied: a packet is missing, or the app was too slow just now. */
  lost(bytes: number, kind: "missed" | "slow"): void;
  /** What comes on a filtered port is no HTTP/1. */
  notHttp(reason: string): void;
}

export class Flow {
  readonly #context: FlowContext;
  /** The number of its first byte; null when it was met in the middle. */
  readonly #first: number | null;
  /** Bytes that came with the SYN, until the target took the connection (RFC 7413). */
  #early: Uint8Array<ArrayBuffer> | null = null;
  /** null: seeking. */
  #reassembly: Reassembly | null;
  /** Behind the last byte seen. */
  #edge: number | null = null;
  #opening: boolean;
  #copy: Copy | null = null;
  #requests: HttpReader | null = null;
  /** The request being read is for the session. */
  #matches = false;
  /** What follows is no HTTP: of a filtered connection, all of it is the session's or nothing. */
  #opaque: "no" | "wanted" | "unwanted" = "no";
  /** What was followed from its beginning on speaks, by its first line; null for the rest. */
  #firstLine: FirstLine | null = null;
  /** The next byte begins another copy. */
  #resumes = false;
  /**
   * The app was too slow: from then on, by `performance.now`, it gets the rest; and what it did not get
   * meanwhile.
   */
  #restsUntil: number | null = null;
  #rested = 0;
  #reserved = 0;
  /** Its first bytes were a request's, or not. */
  #http: boolean | null = null;
  #wasReset = false;
  /** Since when something is missing, by `performance.now`; null when nothing is. */
  missingSince: number | null = null;
  /** When a segment of it came last, by `performance.now`. */
  seenAt: number;

  /** `first`: its SYN, or a segment with which `beginsRequest` of a connection under way. */
  constructor(context: FlowContext, first: Segment, now: number) {
    this.#context = context;
    this.#opening = first.syn;
    this.#first = first.syn ? after(first.sequence, 1) : null;
    this.#reassembly = this.#first === null ? null : new Reassembly(this.#first);
    this.seenAt = now;
  }

  /** Only packets of its client were seen yet. */
  get opening(): boolean {
    return this.#opening;
  }

  /** Is a SYN that of this connection, sent again, and not of the next one of the same ports? */
  isOwn(syn: Segment): boolean {
    return this.#first === after(syn.sequence, 1);
  }

  /** Takes a segment in; true when the connection is over. */
  take(segment: Segment, now: number): boolean {
    this.seenAt = now;
    if (segment.syn) {
      if (this.#opening && segment.payload.length > 0) this.#early ??= segment.payload.slice();
      return false;
    }
    const start = segment.sequence;
    if (segment.rst) return this.#wasReset = this.#believes(start);
    if (this.#opening) this.#opened();
    const end = after(start, segment.payload.length);
    if (this.#reassembly !== null && segment.payload.length === 0) this.#reassembly.passed(start);
    else if (this.#reassembly !== null) this.#put(start, segment.payload);
    else this.#seek(start, segment.payload);
    if (this.#edge === null || distance(end, this.#edge) > 0) this.#edge = end;
    if (segment.fin) {
      if (this.#reassembly === null) return true;
      this.#reassembly.end(end);
    }
    return this.#settle(now);
  }

  /** What is missing will not come: goes on behind it as well as can be. True when the connection is over. */
  giveUp(): boolean {
    const reassembly = this.#reassembly;
    if (reassembly === null) return false;
    const { missing, next } = reassembly;
    const held = reassembly.giveUp();
    this.#account();
    const end = reassembly.endsAt;
    let lost = missing;
    const { isOther = false } = this.#firstLine ?? {};
    if (missing === 1 && held.length === 0 && this.#http === true) {
      this.#copy?.finish("end"); // an end takes one number, and most probably it is that
    } else {
      lost += this.#copy?.waiting ?? 0;
      this.#copy?.abort();
    }
    this.#leaveStream(next);
    if (isOther) this.#resume(held[0]?.sequence ?? after(next, missing));
    for (const { sequence, bytes } of held) {
      if (this.#reassembly !== null) this.#put(sequence, bytes);
      else if (!this.#seek(sequence, bytes)) lost += bytes.length;
    }
    this.#context.lost(lost, "missed");
    if (end !== null) {
      this.#reassembly?.end(end);
      if (this.#reassembly === null || this.#reassembly.ended) return true;
    }
    this.#account();
    // Another gap behind this one has been waited for as long.
    this.missingSince = this.#reassembly?.waiting ? this.seenAt : null;
    return false;
  }

  /**
   * Frees it; the session's copy ends after what waits. By a reset only if the client's was one, and its
   * protocol is not HTTP: many clients reset a connection whose answers they have, and the app may still work
   * on the last request.
   */
  end(): void {
    this.#copy?.finish(this.#wasReset && this.#http !== true ? "reset" : "end");
    this.#free();
  }

  /** As `end`, at once and by a reset. */
  abort(): void {
    this.#copy?.abort();
    this.#free();
  }

  #free(): void {
    this.#copy = null;
    this.#endRest();
    this.#reassembly?.giveUp();
    this.#account();
    this.#requests?.[Symbol.dispose]();
    this.#requests = null;
  }

  /**
   * Only what is close to the expected number is believed, as the target's kernel does: RFC 9293, 3.10.7.4.
   */
  #believes(sequence: number): boolean {
    const next = this.#reassembly?.next ?? this.#edge;
    return next === null || Math.abs(distance(sequence, next)) <= heldLimit;
  }

  #opened(): void {
    this.#opening = false;
    if (this.#context.filter === null) {
      this.#firstLine = new FirstLine();
      this.#open();
    }
    if (this.#early !== null && this.#first !== null) this.#put(this.#first, this.#early);
    this.#early = null;
  }

  #put(sequence: number, payload: Uint8Array<ArrayBuffer>): void {
    this.#reassembly?.add(sequence, payload, (bytes) => this.#deliver(bytes));
  }

  /**
   * True when the segment begins a request, which is then followed, or is counted by the rest that an app is
   * given.
   */
  #seek(sequence: number, payload: Uint8Array<ArrayBuffer>): boolean {
    if (this.#edge !== null && distance(sequence, this.#edge) < 0) return false; // seen before
    if (this.#restsUntil !== null && payload.length > 0) {
      if (this.seenAt < this.#restsUntil) {
        this.#rested += payload.length;
        return true;
      }
      this.#endRest();
      this.#resume(sequence);
      this.#put(sequence, payload);
      return true;
    }
    if (!beginsRequest(payload)) return false;
    this.#reassembly = new Reassembly(sequence);
    if (this.#context.filter === null) this.#open();
    this.#put(sequence, payload);
    return true;
  }

  #settle(now: number): boolean {
    const reassembly = this.#reassembly;
    if (reassembly === null) return false;
    if (!this.#account() || reassembly.cost > heldLimit) return this.giveUp();
    if (reassembly.ended) return true;
    this.missingSince = reassembly.waiting ? this.missingSince ?? now : null;
    return false;
  }

  /** Holds the budget to what is held back; false when there is not so much. */
  #account(): boolean {
    const cost = this.#reassembly?.cost ?? 0;
    if (cost > this.#reserved && !this.#context.budget.take(cost - this.#reserved)) return false;
    if (cost < this.#reserved) this.#context.budget.give(this.#reserved - cost);
    this.#reserved = cost;
    return true;
  }

  #open(): void {
    const copy = this.#context.open((how) => {
      // The session wants no more of it, or is too slow. A filtered one still knows where the next request
      // begins.
      if (this.#copy !== copy) return;
      this.#copy = null;
      this.#matches = false;
      if (this.#opaque === "wanted") this.#opaque = "unwanted";
      if (this.#context.filter !== null) return;
      const rests = how === "slow" && this.#firstLine?.isOther === true;
      this.#leaveStream(this.#reassembly?.next ?? null);
      if (rests) this.#restsUntil = this.seenAt + restMs;
    });
    this.#copy = copy;
    if (copy === null && this.#context.filter === null) this.#leaveStream(this.#reassembly?.next ?? null);
  }

  /** Goes on with the byte at `sequence`, in a copy of its own. */
  #resume(sequence: number): void {
    this.#firstLine = new FirstLine(true);
    this.#resumes = true;
    this.#reassembly = new Reassembly(sequence);
  }

  #endRest(): void {
    if (this.#rested > 0) this.#context.lost(this.#rested, "slow");
    this.#rested = 0;
    this.#restsUntil = null;
  }

  /** Back to seeking, from `edge` on. */
  #leaveStream(edge: number | null): void {
    this.#reassembly = null;
    this.#resumes = false;
    this.#firstLine = null;
    this.#account();
    this.#copy = null;
    this.#matches = false;
    this.#opaque = "no";
    this.#requests?.[Symbol.dispose]();
    this.#requests = null;
    this.missingSince = null;
    this.#edge = edge ?? this.#edge;
  }

  #deliver(bytes: Uint8Array<ArrayBuffer>): void {
    if (bytes.length > 0) this.#http ??= beginsRequest(bytes);
    if (this.#resumes) {
      this.#resumes = false;
      this.#open();
    }
    if (this.#context.filter === null) {
      this.#firstLine?.take(bytes);
      this.#copy?.push(bytes);
    } else if (this.#opaque === "no") this.#route(bytes, this.#context.filter);
    else if (this.#opaque === "wanted") this.#copy?.push(bytes);
  }

  /** Passes on those requests that `filter` matches. */
  #route(bytes: Uint8Array<ArrayBuffer>, filter: Filter): void {
    const requests = this.#requests ??= new HttpReader("request");
    for (let rest = bytes;;) {
      const { state, used } = requests.next(rest);
      const part = rest.subarray(0, used);
      rest = rest.subarray(used);
      if (state === "more") return;
      if (state === "head") {
        this.#matches = filter.matches(requests.head);
        if (!this.#matches) continue;
        if (this.#copy === null) this.#open();
        this.#copy?.push(requests.head);
        this.#matches = this.#copy !== null;
      } else if (state === "body") {
        if (this.#matches) this.#copy?.push(part);
      } else if (state === "raw" || state === "not-http") {
        // Behind a request that asked to leave HTTP come the bytes of what it asked for.
        const tunnel = this.#matches && requests.upgrade;
        if (state === "not-http" && !tunnel) this.#context.notHttp(requests.reason);
        this.#opaque = this.#matches && (tunnel || state === "raw") ? "wanted" : "unwanted";
        if (this.#opaque === "unwanted") return;
        this.#copy?.push(state === "raw" ? part : requests.head);
        this.#copy?.push(rest);
        return;
      }
    }
  }
}
