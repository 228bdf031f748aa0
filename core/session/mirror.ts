// A mirrored connection: what a client of the target sent, played to the app; what the app answers is read and dropped.
// Called by incoming.ts. HTTP/1 is played request by request: the next is sent when the app has answered the one before,
// and on a new connection when the app closed the old one, so that an app which is slower than the target, or keeps
// connections shorter, still sees every request. Everything else passes as it comes.
// Invariant: the app decides the pace, the agent never waits for it: what piles up there is dropped there.

import { HttpReader } from "../../protocol-wasm/mod.ts";
import type { ByteChannel } from "../base/relay.ts";

/** Bytes of the app's that were dropped, for a debug line. */
export interface Played {
  discarded: number;
}

/** A connection to the app: `close` ends it in order, `reset` by a reset. */
export interface AppStream extends ByteChannel {
  close(): void;
}

/** How the app answered a request: another may follow on this connection, or on a new one; or HTTP is over. */
type Answered = "next" | "closed" | "tunnel";

/**
 * Plays `channel` to the app until the client ended and the app has answered. `dial` makes a connection to the app, null
 * when it listens no more. `first` is the first such connection.
 */
export async function play(
  channel: ByteChannel,
  first: AppStream,
  dial: () => Promise<AppStream | null>,
): Promise<Played> {
  const player = new Player(channel, first, dial);
  try {
    await player.run();
  } catch {
    channel.reset(); // the app wants no more, or the agent can bring no more
    player.abort();
  } finally {
    player[Symbol.dispose]();
  }
  return { discarded: player.discarded };
}

/** A request of no more bytes than this is sent again when the app closed an idle connection just as it came. */
const keptBytes = 65536;

class Player implements Disposable {
  readonly #channel: ByteChannel;
  readonly #dial: () => Promise<AppStream | null>;
  readonly #requests = new HttpReader("request");
  #app: App | null;
  /** No HTTP, or no longer: bytes pass unread. */
  #opaque = false;
  /** A request's first byte is still to come. */
  #between = true;
  /** How the last request was answered; the next one waits for it. */
  #answered: Promise<Answered> = Promise.resolve("next");
  /** The bytes of the current request, as long as they may be needed again. */
  #kept: Uint8Array[] | null = null;
  #discarded = 0;

  constructor(channel: ByteChannel, first: AppStream, dial: () => Promise<AppStream | null>) {
    this.#channel = channel;
    this.#dial = dial;
    this.#app = new App(first);
  }

  get discarded(): number {
    return this.#discarded + (this.#app?.discarded ?? 0);
  }

  async run(): Promise<void> {
    const channel = this.#channel;
    for (let bytes = await channel.read(); bytes !== null; bytes = await channel.read()) {
      await this.#pass(bytes);
    }
    if (!this.#opaque && this.#between) {
      // A client that has its answers leaves: an app that has not answered yet shall not take that for giving up.
      await this.#answered;
    } else {
      await this.#app?.closeWrite();
      await this.#app?.over;
    }
    await channel.closeWrite();
  }

  abort(): void {
    this.#app?.reset();
  }

  [Symbol.dispose](): void {
    this.#requests[Symbol.dispose]();
    this.#app?.[Symbol.dispose]();
  }

  async #pass(bytes: Uint8Array): Promise<void> {
    for (let rest = bytes;;) {
      if (this.#opaque) return await this.#app?.write(rest);
      if (this.#between) {
        if (rest.length === 0) return;
        await this.#freshApp();
        this.#between = false;
      }
      const { state, used } = this.#requests.next(rest);
      if (state === "head") this.#app?.expect(this.#requests.method, this.#requests.keepAlive);
      this.#keep(rest.subarray(0, used));
      await this.#app?.write(rest.subarray(0, used));
      rest = rest.subarray(used);
      if (state === "more") return;
      if (state === "end") {
        this.#between = true;
        this.#answered = this.#await();
        this.#answered.catch(() => this.#channel.reset()); // and whoever waits for it rejects too
      }
      if (state === "raw" || state === "not-http") this.#passWhole();
    }
  }

  /** No request can be told from the next any more: when the app ends this connection there is no other. */
  #passWhole(): void {
    this.#opaque = true;
    this.#app?.ignore();
    this.#app?.failed.then(() => this.#channel.reset());
  }

  /** The app's connection for the next request: the last one, once it is answered, or a new one. */
  async #freshApp(): Promise<void> {
    const answered = await this.#answered;
    if (answered === "tunnel") return this.#passWhole();
    if (answered === "closed" || this.#app === null || this.#app.closed) await this.#replaceApp();
    this.#kept = this.#app?.reused === true ? [] : null;
  }

  /** How the app answers the request that was sent; once more, if it closed the connection without having read it. */
  async #await(): Promise<Answered> {
    const app = this.#app;
    const answered = await app?.answered ?? "closed";
    if (answered !== "closed" || app === null || !app.silent || this.#kept === null) return answered;
    await this.#replaceApp();
    this.#app?.expect(this.#requests.method, this.#requests.keepAlive);
    for (const bytes of this.#kept) await this.#app?.write(bytes);
    return await this.#app?.answered ?? "closed";
  }

  async #replaceApp(): Promise<void> {
    const last = this.#app;
    this.#app = null;
    this.#discarded += last?.discarded ?? 0;
    last?.[Symbol.dispose]();
    const next = await this.#dial();
    if (next === null) throw new Error("the app does not listen any more");
    this.#app = new App(next);
  }

  #keep(bytes: Uint8Array): void {
    if (this.#kept === null) return;
    this.#kept.push(bytes);
    if (this.#kept.reduce((sum, part) => sum + part.length, 0) > keptBytes) this.#kept = null;
  }
}

/** One connection to the app, whose answers are counted and dropped. */
class App implements Disposable {
  readonly #stream: AppStream;
  readonly #responses = new HttpReader("response");
  #answer = Promise.withResolvers<Answered>();
  #expecting = false;
  #keepAlive = true;
  #ignoring = false;
  #closed = false;
  #silent = true;
  #answers = 0;
  #reading: Promise<void>;
  readonly #failure = Promise.withResolvers<void>();
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

  /** The app ended it. */
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

  /** A request is on its way; `keepAlive`: another may follow, as far as the client says. */
  expect(method: string, keepAlive: boolean): void {
    this.#responses.expect(method);
    this.#expecting = true;
    this.#silent = true;
    this.#keepAlive = keepAlive;
    this.#answer = Promise.withResolvers();
    if (this.#closed) this.#settle("closed");
  }

  /** From now on nobody asks for answers. */
  ignore(): void {
    this.#ignoring = true;
  }

  async write(bytes: Uint8Array): Promise<void> {
    try {
      await this.#stream.write(bytes);
    } catch (error) {
      this.#failure.resolve();
      // An app may close before it read all of a request: the next one gets a new connection.
      if (this.#ignoring) throw error;
    }
  }

  async closeWrite(): Promise<void> {
    await this.#stream.closeWrite().catch(() => {}); // it is closed already
  }

  reset(): void {
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

  async #read(): Promise<void> {
    let failed = false;
    try {
      for (let bytes = await this.#stream.read(); bytes !== null; bytes = await this.#stream.read()) {
        this.discarded += bytes.length;
        this.#silent = false;
        if (!this.#ignoring) this.#judge(bytes);
      }
    } catch {
      failed = true;
    }
    this.#closed = true;
    if (failed) this.#failure.resolve();
    this.#settle("closed");
  }

  #judge(bytes: Uint8Array): void {
    for (let rest = bytes;;) {
      const { state, used } = this.#responses.next(rest);
      rest = rest.subarray(used);
      if (state === "more") return;
      if (state === "end" && !this.#responses.interim && this.#expecting) {
        // Without a next request on this connection its end is the answer's: it comes.
        this.#answers++;
        if (this.#keepAlive && this.#responses.keepAlive) this.#settle("next");
      }
      if (state === "raw" || state === "not-http") {
        this.#ignoring = true;
        if (this.#responses.upgrade) this.#settle("tunnel");
        return;
      }
    }
  }
}
