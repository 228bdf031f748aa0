// A mirrored connection: what a client of the target sent, replayed to the app; what the app answers is read
// and dropped. Called by incoming.ts. HTTP/1 is replayed request by request: the next is sent when the app
// has answered the one before, and on a new connection when the old one is over, so that an app which is
// slower than the target, or keeps connections shorter, still sees every request. The session closes where a
// client would close: mirror_app.ts. Other protocols pass as they come.
// Invariant: the app sets the pace, and the agent never waits for it: what piles up at the agent is dropped
// there.

import { type ByteChannel, HttpReader } from "../../protocol-wasm/mod.ts";
import { type Answered, App, type AppStream } from "./mirror_app.ts";
import type { SeenRequest } from "./requests.ts";

/** What came of a mirrored connection. */
export interface Played {
  /** Bytes of the app's that were dropped, for a debug line. */
  discarded: number;
  /** What the app did not get, one sentence for each kind. */
  lost: Set<string>;
}

/** What playing needs. */
export interface PlayOptions {
  /** Makes a connection to the app; null: the app no longer listens. */
  dial: () => Promise<AppStream | null>;
  /** Reports a request by its head. */
  begin: (head: Uint8Array) => SeenRequest | null;
}

/**
 * Plays `channel` to the app until the client ended and the app has answered. `first` is the first connection
 * to the app.
 */
export async function play(channel: ByteChannel, first: AppStream, options: PlayOptions): Promise<Played> {
  const player = new Player(channel, first, options);
  try {
    await player.run();
  } catch {
    channel.reset(); // the app wants no more, or the agent can bring no more
    await player.abort();
  } finally {
    player[Symbol.dispose]();
  }
  return { discarded: player.discarded, lost: player.lost };
}

/**
 * A request of no more bytes than this is sent again when the app closed an idle connection just as it came.
 */
const keptBytes = 65536;

const notAgain =
  `the app closed an idle connection just as a request of more than ${keptBytes} bytes came on it, which is left out`;
const notSwitched =
  "the app did not change to another protocol as the original did: what clients then send is left out";

class Player implements Disposable {
  readonly #channel: ByteChannel;
  readonly #dial: PlayOptions["dial"];
  readonly #begin: PlayOptions["begin"];
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
  /** The last request asked to leave HTTP. */
  #asksToLeave = false;
  /** The current request has no answer yet. */
  #unanswered: SeenRequest | null = null;
  /** The client ended. */
  #left = false;
  #discarded = 0;
  readonly lost = new Set<string>();

  constructor(channel: ByteChannel, first: AppStream, { dial, begin }: PlayOptions) {
    this.#channel = channel;
    this.#dial = dial;
    this.#begin = begin;
    this.#app = new App(first);
  }

  get discarded(): number {
    return this.#discarded + (this.#app?.discarded ?? 0);
  }

  async run(): Promise<void> {
    const channel = this.#channel;
    for (let bytes = await channel.read(); bytes !== null; bytes = await channel.read()) {
      await this.#pass(bytes);
      if (this.#kept === null) channel.release?.(bytes);
    }
    this.#left = true;
    if (!this.#opaque && this.#between) {
      this.#app?.clientLeft();
      // A client that has its answers leaves: an app that has not answered yet must not take that for giving
      // up.
      await this.#answered;
    } else {
      await this.#app?.closeWrite();
      await this.#app?.over;
    }
    await channel.closeWrite();
  }

  async abort(): Promise<void> {
    await this.#app?.reset();
  }

  [Symbol.dispose](): void {
    this.#tellAnswered();
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
        if (this.#opaque) continue;
      }
      const { state, used } = this.#readRequest(rest);
      if (state === "not-http" && this.#asksToLeave) {
        // The app has answered with something else; a client of its own would have ended or gone on in HTTP.
        this.lost.add(notSwitched);
        throw new Error(notSwitched);
      }
      this.#keep(rest.subarray(0, used));
      await this.#app?.write(rest.subarray(0, used));
      rest = rest.subarray(used);
      if (state === "more") return;
      if (state === "end") {
        this.#between = true;
        this.#app?.requested();
        this.#answered = this.#await().finally(() => this.#tellAnswered());
        this.#answered.catch(() => this.#channel.reset()); // what waits for it rejects too
      } else this.#passWhole();
    }
  }

  /** Head and body as far as they are there: the app gets them by one write, as most clients send them. */
  #readRequest(bytes: Uint8Array): { state: "more" | "end" | "raw" | "not-http"; used: number } {
    for (let used = 0;;) {
      const step = this.#requests.next(bytes.subarray(used));
      used += step.used;
      if (step.state === "head") {
        this.#asksToLeave = this.#requests.upgrade;
        this.#unanswered = this.#begin(this.#requests.head);
        this.#app?.expect(this.#requests.method, this.#requests.keepAlive);
      } else if (step.state === "body") this.#unanswered?.asked(bytes.subarray(used - step.used, used));
      else return { state: step.state, used };
    }
  }

  #tellAnswered(): void {
    const status = this.#app?.status ?? 0;
    this.#unanswered?.end(status === 0 ? null : status);
    this.#unanswered = null;
  }

  /** Requests can no longer be separated: when the app ends this connection there is no other. */
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

  /**
   * How the app answers the request that was sent; once more, if it closed the connection without having read
   * it.
   */
  async #await(): Promise<Answered> {
    const app = this.#app;
    const answered = await app?.answered ?? "closed";
    if (answered !== "closed" || app === null || !app.silent) return answered;
    if (this.#kept === null) {
      if (app.reused) this.lost.add(notAgain);
      return answered;
    }
    await this.#replaceApp();
    this.#app?.expect(this.#requests.method, this.#requests.keepAlive);
    for (const bytes of this.#kept) await this.#app?.write(bytes);
    this.#app?.requested();
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
    if (this.#left) this.#app.clientLeft();
  }

  #keep(bytes: Uint8Array): void {
    if (this.#kept === null) return;
    this.#kept.push(bytes);
    if (this.#kept.reduce((sum, part) => sum + part.length, 0) > keptBytes) this.#kept = null;
  }
}
