// One connection of a mirrored port, seen by its client's packets. Made by mirror.ts, which brings every segment.
//
// States: opening  its first packet (SYN) was seen; the session hears of it with the next one, when the target took it.
//         flowing  its bytes are put in order and go to the session: all of them, or the requests that a filter matches.
//         seeking  bytes are missing, or the session ended its copy, or the connection was met in the middle: nothing
//                  goes to the session until a segment begins with the head of an HTTP/1 request. A program that is
//                  handed the middle of a stream it never saw the beginning of could make nothing of it.

import { type Filter, HttpReader } from "../../protocol-wasm/mod.ts";
import type { Budget } from "./budget.ts";
import type { Copy } from "./copy.ts";
import { after, distance, Reassembly } from "./reassembly.ts";
import type { Segment } from "./segment.ts";

/** Most bytes that may wait for a missing packet, for each connection. */
export const heldLimit = 1 << 20;

/** What a flow asks of its mirror. */
export interface FlowContext {
  readonly port: number;
  readonly filter: Filter | null;
  readonly budget: Budget;
  /** A copy of this connection for the session; null when there may be no more of them. `gone`: the session ended it. */
  open(gone: () => void): Copy | null;
  /** Bytes of the client's that cannot be copied: a packet is missing. */
  lost(bytes: number): void;
  /** What comes on a filtered port is no HTTP/1. */
  notHttp(reason: string): void;
}

/** A request line at the beginning of a segment: RFC 9112, 3. */
const requestLine = /^[A-Z][A-Z-]{0,31} [!-~]{1,8000} HTTP\/1\.[01]\r\n/;
const longestLine = 8192;
const decoder = new TextDecoder("latin1");

/** Does a segment with this payload begin a request? Then a connection met in the middle is followed from here. */
export function beginsRequest(payload: Uint8Array): boolean {
  const [first = 0] = payload;
  if (first < 0x41 || first > 0x5a) return false; // A to Z: nearly all that is none ends here
  return requestLine.test(decoder.decode(payload.subarray(0, longestLine)));
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

  /** Nobody but its client has spoken for it yet. */
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
    if (this.#reassembly !== null) this.#put(start, segment.payload);
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
    this.missingSince = null;
    const end = reassembly.endsAt;
    let lost = missing + (this.#copy?.waiting ?? 0);
    this.#copy?.abort();
    this.#leaveStream(next);
    for (const { sequence, bytes } of held) {
      if (this.#reassembly !== null) this.#put(sequence, bytes);
      else if (!this.#seek(sequence, bytes)) lost += bytes.length;
    }
    this.#context.lost(lost);
    if (end === null) return false;
    this.#reassembly?.end(end);
    return this.#reassembly === null || this.#reassembly.ended;
  }

  /**
   * Frees it; the session's copy ends after what waits. By a reset only if the client's was one, and what it speaks no HTTP:
   * many reset a connection whose answers they have, and the app may still be at work on the last request.
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
    this.#reassembly?.giveUp();
    this.#account();
    this.#requests?.[Symbol.dispose]();
    this.#requests = null;
  }

  /** Only what is close to the expected number is believed, as the target's kernel does: RFC 9293, 3.10.7.4. */
  #believes(sequence: number): boolean {
    const next = this.#reassembly?.next ?? this.#edge;
    return next === null || Math.abs(distance(sequence, next)) <= heldLimit;
  }

  #opened(): void {
    this.#opening = false;
    if (this.#context.filter === null) this.#open();
    if (this.#early !== null && this.#first !== null) this.#put(this.#first, this.#early);
    this.#early = null;
  }

  #put(sequence: number, payload: Uint8Array<ArrayBuffer>): void {
    this.#reassembly?.add(sequence, payload, (bytes) => this.#deliver(bytes));
  }

  /** True when the segment begins a request, which is then followed. */
  #seek(sequence: number, payload: Uint8Array<ArrayBuffer>): boolean {
    if (this.#edge !== null && distance(sequence, this.#edge) < 0) return false; // seen before
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
    const copy = this.#context.open(() => {
      // The session wants no more of it, or is too slow. A filtered one still knows where the next request begins.
      if (this.#copy !== copy) return;
      this.#copy = null;
      this.#matches = false;
      if (this.#opaque === "wanted") this.#opaque = "unwanted";
      if (this.#context.filter === null) this.#leaveStream(this.#reassembly?.next ?? null);
    });
    this.#copy = copy;
    if (copy === null && this.#context.filter === null) this.#leaveStream(this.#reassembly?.next ?? null);
  }

  /** Back to seeking, from `edge` on. */
  #leaveStream(edge: number | null): void {
    this.#reassembly = null;
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
    if (this.#context.filter === null) this.#copy?.push(bytes);
    else if (this.#opaque === "no") this.#route(bytes, this.#context.filter);
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
