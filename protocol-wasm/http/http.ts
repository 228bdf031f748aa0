// Reads the HTTP/1 messages of one direction of a connection. The agent has two readers for each connection
// it splits; assembly/http_head.ts and http_body.ts decide everything.
// Invariant: bytes are only counted. The reported heads and bodies, in order, are exactly the input.

import { instantiate, staticText } from "../wasm.ts";

/** What assembly/http_body.ts exports; `reader` is a place in the instance's memory. */
interface HttpCore {
  readonly memory: WebAssembly.Memory;
  http_open(place: number, side: number): number;
  http_buffer(reader: number): number;
  http_head_size(reader: number): number;
  http_stage(reader: number): number;
  http_reason(reader: number): number;
  http_status(reader: number): number;
  http_method_start(reader: number): number;
  http_method_end(reader: number): number;
  http_keep_alive(reader: number): number;
  http_upgrade(reader: number): number;
  http_idle(reader: number): number;
  http_head(reader: number, added: number, expected: number): number;
  http_next_message(reader: number): void;
  http_plain(reader: number): number;
  http_skip(reader: number, count: number): void;
  http_framing(reader: number, length: number): number;
}

/** What the first `used` bytes of the input were. */
export interface HttpStep {
  /**
   * - "more": all input is taken and the message goes on; nothing to pass on yet.
   * - "head": the head is complete, its exact bytes are in `head`.
   * - "body": `used` body bytes, chunk framing and trailers included.
   * - "end": the message is complete; `used` is 0. The next call begins the next message.
   * - "raw": these and all later bytes are opaque.
   * - "not-http": `head` holds the bytes retained so far (those of this call included), `used` counts this
   *   call's; all later bytes are opaque. See `reason`.
   */
  readonly state: "more" | "head" | "body" | "end" | "raw" | "not-http";
  readonly used: number;
}

const headLimit = 65536;
/** Bytes shown to Wasm at a time: a usual head whole, and of a body only the framing between chunks. */
const headStep = 4096;
const framingStep = 256;
/** Readers of one instance; each takes 64 KiB of its memory. */
const readersPerCore = 128;
const stages = { head: 0, chunked: 2, end: 3, raw: 4, bad: 5 } as const;

/** One instance and the places in it that ended readers left. */
class Pool {
  readonly core = instantiate<HttpCore>();
  readonly free: number[] = [];
  made = 0;
}

const pools: Pool[] = [];

function claimPool(): Pool {
  const pool = pools.find((pool) => pool.free.length > 0 || pool.made < readersPerCore);
  if (pool !== undefined) return pool;
  const fresh = new Pool();
  pools.push(fresh);
  return fresh;
}

/** One direction of a connection. Dispose it when the connection ends: its memory goes to the next reader. */
export class HttpReader implements Disposable {
  readonly #side: "request" | "response";
  readonly #pool: Pool;
  readonly #core: HttpCore;
  readonly #expected: string[] = [];
  readonly #payload: ((bytes: Uint8Array) => void) | undefined;
  #reader: number;
  #head = new Uint8Array();
  #method = "";
  #status = 0;
  #keepAlive = false;
  #upgrade = false;
  #open = true;

  /** `payload` gets what of each body step is content, and not the framing of chunks: parts of the input. */
  constructor(side: "request" | "response", payload?: (bytes: Uint8Array) => void) {
    this.#side = side;
    this.#payload = payload;
    this.#pool = claimPool();
    this.#core = this.#pool.core;
    const place = this.#pool.free.pop();
    if (place === undefined) this.#pool.made++;
    this.#reader = this.#core.http_open(place ?? 0, side === "request" ? 0 : 1);
  }

  /**
   * Feeds `input` and reports what its first `used` bytes were; call again with the rest, even when nothing
   * is left, until it answers "more", "raw" or "not-http". It never blocks and holds at most one head of 64
   * KiB.
   */
  next(input: Uint8Array): HttpStep {
    if (!this.#open) throw new TypeError("This HttpReader is disposed");
    switch (this.#core.http_stage(this.#reader)) {
      case stages.head:
        return this.#nextOfHead(input);
      case stages.raw:
        return { state: "raw", used: input.length };
      case stages.bad:
        this.#head = new Uint8Array();
        return { state: "not-http", used: 0 };
      default:
        return this.#nextOfBody(input);
    }
  }

  /** How many of the next bytes are content of a body whatever they are: as many may be missing. */
  get plain(): number {
    return this.#open ? this.#core.http_plain(this.#reader) : 0;
  }

  /** The bytes of the last complete head, or those retained when it turned out not to be HTTP. A copy. */
  get head(): Uint8Array {
    return this.#head;
  }

  /**
   * Why "not-http", in one word: http2 (its preface), start-line, version, bare-lf, bare-cr, obs-fold,
   * header-name, space-before-colon, header-value, content-length, transfer-encoding, ambiguous-length,
   * head-too-large, too-many-headers, chunk-size, chunk-end, chunk-too-long, trailer; "" while it is HTTP.
   */
  get reason(): string {
    return this.#open ? staticText(this.#core.memory, this.#core.http_reason(this.#reader)) : "";
  }

  /** The method of the last request head; "" on a response reader. */
  get method(): string {
    return this.#method;
  }

  /** The status of the last response head; 0 on a request reader. */
  get status(): number {
    return this.#status;
  }

  /** The last head was an interim response (1xx but 101): the response proper is still to come. */
  get interim(): boolean {
    return this.#status >= 100 && this.#status < 200 && this.#status !== 101;
  }

  /** The last head allows another message on the connection (RFC 9112, 9.3). */
  get keepAlive(): boolean {
    return this.#keepAlive;
  }

  /**
   * Request: it asks to leave HTTP (Upgrade, or CONNECT); hold what follows it until the response is known.
   * Response: it leaves HTTP now (101, or 2xx to CONNECT), so the request direction is opaque too.
   */
  get upgrade(): boolean {
    return this.#upgrade;
  }

  /**
   * On a response reader, once for each request and in their order, before its response is fed: the method of
   * the request, since answers to HEAD and CONNECT are framed otherwise. A missing call counts as any other
   * method.
   */
  expect(method: string): void {
    this.#expected.push(method);
  }

  /** The peer half-closed: was that between messages (or in opaque bytes), or inside one? */
  atEof(): "clean" | "truncated" {
    return !this.#open || this.#core.http_idle(this.#reader) === 1 ? "clean" : "truncated";
  }

  [Symbol.dispose](): void {
    if (!this.#open) return;
    this.#open = false;
    this.#pool.free.push(this.#reader);
    this.#reader = 0;
  }

  #nextOfHead(input: Uint8Array): HttpStep {
    const { memory } = this.#core;
    const reader = this.#reader;
    const buffer = this.#core.http_buffer(reader);
    const method = this.#expected[0];
    const expected = method === "HEAD" ? 1 : method === "CONNECT" ? 2 : 0;
    let used = 0;
    while (used < input.length) {
      const size = this.#core.http_head_size(reader);
      const part = input.subarray(used, used + Math.min(headStep, headLimit - size));
      new Uint8Array(memory.buffer, buffer + size, part.length).set(part);
      used += this.#core.http_head(reader, part.length, expected);
      const stage = this.#core.http_stage(reader);
      if (stage === stages.head) continue;
      this.#head = new Uint8Array(memory.buffer, buffer, this.#core.http_head_size(reader)).slice();
      if (stage === stages.bad) return { state: "not-http", used };
      this.#takeHead();
      return { state: "head", used };
    }
    return { state: "more", used };
  }

  #takeHead(): void {
    const reader = this.#reader;
    this.#keepAlive = this.#core.http_keep_alive(reader) === 1;
    this.#upgrade = this.#core.http_upgrade(reader) === 1;
    if (this.#side === "request") {
      const bytes = this.#head.subarray(
        this.#core.http_method_start(reader),
        this.#core.http_method_end(reader),
      );
      this.#method = String.fromCharCode(...bytes);
      return;
    }
    this.#status = this.#core.http_status(reader);
    if (!this.interim) this.#expected.shift();
  }

  #nextOfBody(input: Uint8Array): HttpStep {
    const { memory } = this.#core;
    const reader = this.#reader;
    let used = 0;
    while (used < input.length) {
      const plain = Math.min(this.#core.http_plain(reader), input.length - used);
      if (plain > 0) {
        this.#payload?.(input.subarray(used, used + plain));
        this.#core.http_skip(reader, plain);
        used += plain;
        continue;
      }
      if (this.#core.http_stage(reader) !== stages.chunked) break;
      const part = input.subarray(used, used + framingStep);
      new Uint8Array(memory.buffer, this.#core.http_buffer(reader), part.length).set(part);
      used += this.#core.http_framing(reader, part.length);
    }
    if (used > 0) return { state: "body", used };
    if (this.#core.http_stage(reader) === stages.bad) return this.next(input);
    if (this.#core.http_stage(reader) !== stages.end) return { state: "more", used: 0 };
    this.#core.http_next_message(reader);
    return { state: "end", used: 0 };
  }
}
