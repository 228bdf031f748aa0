// One byte stream to a port on a pod's loopback, through the API server, over a connection that became SPDY
// by an upgrade (RFC 9110, 7.8), as kubectl did it before 1.31 and can still. Called by port_forward.ts.
// Every API server passes it through unread, and the node's runtime takes it for less than half of the
// processor time of a WebSocket (websocket_forward.ts), whose bytes it unmasks one by one. Where something on
// the way knows no such upgrade, or there is a proxy, the WebSocket remains.

import { setImmediate } from "node:timers";
import type { LinkStream } from "../../protocol-wasm/mod.ts";
import { unlessAborted } from "../base/pause.ts";
import { dataHeadBytes, mostFrameBytes, openingFrames, putDataHead, SpdyReader } from "./spdy.ts";

export interface SpdyForwardOptions {
  /** Of the API server, http: or https:, with its query. */
  url: URL;
  headers: Record<string, string>;
  /** A connection to the API server, with TLS where it has that. */
  connect: () => Promise<Deno.Conn>;
  port: number;
  signal?: AbortSignal | undefined;
}

/** Longest time for the upgrade and the stream. */
const openMilliseconds = 5_000;
/** Of the answer's head. */
const mostHeadBytes = 1 << 14;
const readBytes = 1 << 18;
/** Writers wait while more than this is to be sent. */
const highWater = 1 << 20;
/** How long what was written may take to leave once the stream is closed. */
const closeMilliseconds = 2_000;

/** Opens the stream. Rejects where this way does not lead to the pod; nothing is open then. */
export async function openSpdyForward(options: SpdyForwardOptions): Promise<LinkStream> {
  const { connect, port } = options;
  const limit = AbortSignal.timeout(openMilliseconds);
  const signal = options.signal === undefined ? limit : AbortSignal.any([limit, options.signal]);
  const conn = await reached(connect(), signal);
  const stop = () => close(conn);
  signal.addEventListener("abort", stop);
  try {
    signal.throwIfAborted();
    await writeAll(conn, new TextEncoder().encode(requestText(options)));
    const stream = new SpdyForward(conn, await readAnswer(conn));
    await writeAll(conn, openingFrames(port));
    await stream.open();
    return stream;
  } catch (error) {
    stop();
    signal.throwIfAborted();
    throw error;
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

/** The connection, unless `signal` aborts first: then it is closed as soon as it is there. */
async function reached(opening: Promise<Deno.Conn>, signal: AbortSignal): Promise<Deno.Conn> {
  try {
    return await unlessAborted(opening, signal);
  } catch (error) {
    opening.then(close, () => {});
    throw error;
  }
}

function requestText({ url, headers }: SpdyForwardOptions): string {
  const fields = {
    Host: url.host,
    ...headers,
    Connection: "Upgrade",
    Upgrade: "SPDY/3.1",
    "X-Stream-Protocol-Version": "portforward.k8s.io",
  };
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`);
  return `GET ${url.pathname}${url.search} HTTP/1.1\r\n${lines.join("")}\r\n`;
}

/** What came behind the answer's head. Rejects when the answer is no upgrade. */
async function readAnswer(conn: Deno.Conn): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(mostHeadBytes);
  for (let length = 0; length < bytes.length;) {
    const count = await conn.read(bytes.subarray(length));
    if (count === null) break;
    length += count;
    // One character for each byte.
    const text = new TextDecoder("latin1").decode(bytes.subarray(0, length));
    const end = text.indexOf("\r\n\r\n");
    if (end < 0) continue;
    const status = text.slice(0, text.indexOf("\r\n"));
    if (!/^HTTP\/1\.1 101 /.test(status) || !/^upgrade: *spdy\/3\.1 *$/im.test(text.slice(0, end))) {
      throw new Error(`the server answered "${status}"`);
    }
    return bytes.slice(end + 4, length);
  }
  throw new Error("the server ended the connection");
}

class SpdyForward implements LinkStream {
  readonly #conn: Deno.Conn;
  readonly #reader: SpdyReader;
  /** What was read last; the parts in `#received` are of it. */
  readonly #buffer = new Uint8Array(readBytes);
  readonly #received: Uint8Array[] = [];
  #isOpen = false;
  #ended = false;
  #failure: Error | undefined;
  readonly #sending: Outgoing;

  constructor(conn: Deno.Conn, rest: Uint8Array) {
    this.#conn = conn;
    this.#sending = new Outgoing(conn, (cause) => this.#fail(cause));
    this.#reader = new SpdyReader({
      opened: () => this.#isOpen = true,
      data: (bytes) => {
        this.#isOpen = true; // a node that sends has taken it; another read would overwrite this
        this.#received.push(bytes);
      },
      ended: () => this.#ended = true,
      failed: (reason) => this.#fail(new Error(reason)),
      // A node that asks and takes no answers gets none.
      answer: (frame) => this.#sending.length <= highWater && this.#sending.put(frame),
    });
    this.#reader.take(rest);
  }

  /** Resolves when the node has taken the stream. */
  async open(): Promise<void> {
    while (!this.#isOpen) await this.#more();
  }

  async read(into: Uint8Array): Promise<number | null> {
    for (;;) {
      const head = this.#received[0];
      if (head !== undefined) {
        const count = Math.min(head.length, into.length);
        into.set(count === head.length ? head : head.subarray(0, count));
        if (count === head.length) this.#received.shift();
        else this.#received[0] = head.subarray(count);
        return count;
      }
      if (this.#failure !== undefined) throw this.#failure;
      if (this.#ended) return null;
      await this.#more();
    }
  }

  /** What is written while something is being sent goes out with one call after that. */
  async write(bytes: Uint8Array): Promise<void> {
    this.#check();
    this.#sending.putData(bytes);
    while (this.#sending.length > highWater) {
      await this.#sending.sent();
      this.#check();
    }
  }

  close(): void {
    this.#ended = true;
    this.#sending.close();
  }

  /** Reads once. Nothing of the last time is left: its memory is used again. */
  async #more(): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    try {
      const count = await this.#conn.read(this.#buffer);
      if (count === null) this.#ended = true;
      else this.#reader.take(this.#buffer.subarray(0, count));
    } catch (cause) {
      if (!this.#ended) this.#fail(cause);
    }
    if (!this.#isOpen && this.#ended) {
      throw this.#failure ?? new Error("the port-forward ended before it began");
    }
  }

  #fail(cause: unknown): void {
    this.#failure ??= cause instanceof Error ? cause : new Error(String(cause));
    this.#ended = true;
  }

  #check(): void {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#ended) throw new Error("the port-forward is closed");
  }
}

/** What is to be sent, in the order in which it was put; two buffers take turns. */
class Outgoing {
  readonly #conn: Deno.Conn;
  readonly #failed: (cause: unknown) => void;
  #filling = new Uint8Array(mostFrameBytes + dataHeadBytes);
  #spare = new Uint8Array(mostFrameBytes + dataHeadBytes);
  #length = 0;
  /** Where the head of the frame is that can still grow; -1: there is none. */
  #frameAt = -1;
  #isSending = false;
  #isClosed = false;
  #turn = Promise.withResolvers<void>();
  #limit: number | undefined;

  constructor(conn: Deno.Conn, failed: (cause: unknown) => void) {
    this.#conn = conn;
    this.#failed = failed;
  }

  /** Bytes that no call has been made for. */
  get length(): number {
    return this.#length;
  }

  /** Resolves when the next call has ended. */
  sent(): Promise<void> {
    return this.#turn.promise;
  }

  /** Copies a frame. */
  put(frame: Uint8Array): void {
    this.#frameAt = -1;
    this.#copy(frame);
    this.#start();
  }

  /** Copies bytes of the port into frames. */
  putData(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length;) {
      if (this.#frameAt < 0 || this.#length - this.#frameAt >= dataHeadBytes + mostFrameBytes) {
        this.#frameAt = this.#length;
        this.#room(dataHeadBytes);
        this.#length += dataHeadBytes;
      }
      const room = mostFrameBytes + dataHeadBytes - (this.#length - this.#frameAt);
      const part = bytes.subarray(at, at + room);
      this.#copy(part);
      at += part.length;
      putDataHead(this.#filling, this.#frameAt, this.#length - this.#frameAt - dataHeadBytes);
    }
    this.#start();
  }

  /** What was put is still sent, for a while at most. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    if (!this.#isSending) return close(this.#conn);
    this.#limit = setTimeout(() => close(this.#conn), closeMilliseconds);
    Deno.unrefTimer(this.#limit);
  }

  #copy(bytes: Uint8Array): void {
    this.#room(bytes.length);
    this.#filling.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  #room(count: number): void {
    if (this.#length + count <= this.#filling.length) return;
    const larger = new Uint8Array(Math.max(2 * this.#filling.length, this.#length + count));
    larger.set(this.#filling.subarray(0, this.#length));
    this.#filling = larger;
  }

  #start(): void {
    if (this.#isSending || this.#isClosed) return;
    this.#isSending = true;
    void this.#send();
  }

  async #send(): Promise<void> {
    // What this turn of the event loop writes goes along.
    await new Promise<void>((resolve) => setImmediate(() => resolve()));
    while (this.#length > 0) {
      const bytes = this.#filling.subarray(0, this.#length);
      [this.#filling, this.#spare] = [this.#spare, this.#filling];
      this.#length = 0;
      this.#frameAt = -1;
      try {
        await writeAll(this.#conn, bytes);
      } catch (cause) {
        if (!this.#isClosed) this.#failed(cause);
        this.#length = 0;
      }
      this.#turn.resolve();
      this.#turn = Promise.withResolvers();
    }
    this.#isSending = false;
    clearTimeout(this.#limit);
    if (this.#isClosed) close(this.#conn);
  }
}

async function writeAll(conn: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await conn.write(at === 0 ? bytes : bytes.subarray(at));
}

/** Nothing if it is closed already. */
function close(conn: Deno.Conn): void {
  try {
    conn.close();
  } catch (error) {
    if (!(error instanceof Deno.errors.BadResource)) throw error;
  }
}
