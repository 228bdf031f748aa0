// One connection to the app for the requests of a mirrored client: the app's answers are read as a client
// would, then dropped. Called by mirror.ts, one request at a time. Invariant: this side closes where a client
// would close, so an app that waits for that close never waits without end.

import { type ByteChannel, HttpReader } from "../../protocol-wasm/mod.ts";

/** A connection to the app: `close` ends it in order, `reset` by a reset. */
export interface AppStream extends ByteChannel {
  close(): void;
}

/**
 * How the app answered a request: another may follow on this connection, or on a new one; or HTTP is over.
 */
export type Answered = "next" | "closed" | "tunnel";

/**
 * From here on an answer is an error: clients send no more of a request that it came before the end of, and
 * close.
 */
const firstError = 400;
/** An answer that has no end of its own: it ends when the client leaves (HTML standard, 9.2.5). */
const eventStream = /^content-type:[ \t]*text\/event-stream/im;
const decoder = new TextDecoder("latin1");

export class App implements Disposable {
  readonly #stream: AppStream;
  readonly #responses = new HttpReader("response");
  #answer = Promise.withResolvers<Answered>();
  /** A request came; what an app sends before that may be no HTTP: its client decides. */
  #asked = false;
  /** A request has no complete answer yet. */
  #expecting = false;
  /** All of the request is sent. */
  #requested = true;
  #keepAlive = true;
  /** What the app sends is no HTTP, or no longer, and no request waits for an answer. */
  #opaque = false;
  /** The answer goes on to the app's end. */
  #untilEnd = false;
  #endless = false;
  #alone = false;
  #closed = false;
  #silent = true;
  #answers = 0;
  /** Of the answer to the last request; 0 as long as there is none. */
  status = 0;
  #reading: Promise<void>;
  readonly #failure = Promise.withResolvers<void>();
  /** Bytes that were dropped. */
  discarded = 0;

  constructor(stream: AppStream) {
    this.#stream = stream;
    this.#answer.resolve("next"); // nothing was asked
    this.#reading = this.#read();
  }

  /** How the last request was answered; at once when there was none. */
  get answered(): Promise<Answered> {
    return this.#answer.promise;
  }

  /** The app ended it, or a client would have. */
  get closed(): boolean {
    return this.#closed;
  }

  /** It answered a request before. */
  get reused(): boolean {
    return this.#answers > 0;
  }

  /** Nothing came in answer to the last request. */
  get silent(): boolean {
    return this.#silent;
  }

  /** Resolves when the app ended its side. */
  get over(): Promise<void> {
    return this.#reading;
  }

  /** Resolves when the connection can take no more. */
  get failed(): Promise<void> {
    return this.#failure.promise;
  }

  /** A request is on its way; `keepAlive`: the client's head allows another to follow. */
  expect(method: string, keepAlive: boolean): void {
    this.#responses.expect(method);
    this.#asked = true;
    this.#expecting = true;
    this.#requested = false;
    this.#silent = true;
    this.status = 0;
    this.#keepAlive = keepAlive;
    this.#answer = Promise.withResolvers();
    if (this.#closed) this.#settle("closed");
  }

  /** The request was sent to its end. */
  requested(): void {
    this.#requested = true;
  }

  /**
   * The mirrored client ended: an answer is still waited for, unless it goes on for as long as there is a
   * client.
   */
  clientLeft(): void {
    this.#alone = true;
    if (this.#endless) this.#leave();
  }

  /** From now on nobody asks for answers. */
  ignore(): void {
    this.#opaque = true;
  }

  async write(bytes: Uint8Array): Promise<void> {
    try {
      await this.#stream.write(bytes);
    } catch (error) {
      this.#failure.resolve();
      // An app may answer and close before it read all of a request: the next one gets a new connection.
      if (this.#opaque) throw error;
    }
  }

  async closeWrite(): Promise<void> {
    await this.#stream.closeWrite().catch(() => {}); // it is closed already
  }

  /** Behind what was written: an app that is slow still reads it. */
  async reset(): Promise<void> {
    await this.#stream.resetInOrder?.();
    this.#stream.reset();
  }

  [Symbol.dispose](): void {
    this.#stream.close();
    this.#responses[Symbol.dispose]();
  }

  #settle(how: Answered): void {
    this.#expecting = false;
    this.#answer.resolve(how);
  }

  /** Closes as a client does that has its answer; a write that waits for the app rejects. */
  #leave(): void {
    this.#closed = true;
    this.#stream.close();
    this.#settle("closed");
  }

  async #read(): Promise<void> {
    let failed = false;
    try {
      for (let bytes = await this.#stream.read(); bytes !== null; bytes = await this.#stream.read()) {
        this.discarded += bytes.length;
        this.#silent = false;
        if (this.#asked && !this.#opaque && !this.#untilEnd && !this.#closed) this.#judge(bytes);
      }
    } catch {
      failed = true;
    }
    this.#closed = true;
    if (failed) this.#failure.resolve();
    this.#settle("closed");
  }

  #judge(bytes: Uint8Array): void {
    for (let rest = bytes; !this.#closed;) {
      const { state, used } = this.#responses.next(rest);
      rest = rest.subarray(used);
      const { interim, upgrade } = this.#responses;
      if (state === "more") return;
      if (state === "head" && !interim) this.#takeHead();
      if (state === "end" && !interim) this.#takeEnd();
      if (state === "not-http") return this.#leave();
      if (state !== "raw") continue;
      if (upgrade) {
        this.#opaque = true;
        this.#settle("tunnel");
      } else this.#untilEnd = true;
      return;
    }
  }

  #takeHead(): void {
    if (!this.#expecting) return this.#leave(); // nothing was asked: for example, the notice of a time-out
    this.status = this.#responses.status;
    this.#endless = eventStream.test(decoder.decode(this.#responses.head));
    if (this.#endless && this.#alone) this.#leave();
  }

  #takeEnd(): void {
    this.#answers++;
    this.#endless = false;
    const more = this.#keepAlive && this.#responses.keepAlive &&
      (this.#requested || this.#responses.status < firstError);
    if (more) this.#settle("next");
    else this.#leave();
  }
}
