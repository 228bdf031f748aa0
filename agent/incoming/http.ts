// A connection of a port with a filter: each of its requests goes to the session or to the original. Called by
// steal.ts, which closes the connection afterwards.
//
// One request is routed at a time; what the peer sends ahead stays unread. The original is dialled at once, so a
// protocol whose server speaks first needs no timer: bytes from the original before a complete head make the whole
// connection the original's. So do bytes that are no HTTP/1. Every byte passes as it came; nothing is rewritten.

import { relay } from "../../core/base/relay.ts";
import { HttpReader } from "../../protocol-wasm/mod.ts";
import type { Socket } from "../../core/net/socket.ts";
import { type Context, offer } from "./offer.ts";
import { firstReady, pump, Source } from "./source.ts";
import type { Subscription } from "./subscriptions.ts";

/** Who answers requests, and how far its answers are read. */
interface Side {
  readonly name: "app" | "original";
  readonly stream: Source;
  readonly responses: HttpReader;
  /** Frees it: no more requests come. */
  readonly close: () => void;
}

/** How far a request's body got. */
type Sent = "complete" | "opaque" | "unsent";
/** What follows a response: the next request, nothing but opaque bytes, or the end. */
type Next = "request" | "tunnel" | "tail";

/** How long an app may take to close a connection whose peer is gone. */
const leaveLimitMs = 10_000;
const nothing = new Uint8Array();

/** One connection whose requests are routed. */
export class Route implements Disposable {
  readonly #connection: Socket;
  readonly #subscription: Subscription;
  readonly #context: Context;
  readonly #down: Source;
  readonly #requests = new HttpReader("request");
  #original: Side | null = null;
  #app: Side | null = null;
  #current: Side | null = null;
  #last: Side["name"] | null = null;
  /** Bytes pass unread, both ways, to the original. */
  #whole = false;
  /** A request was read and nobody has it yet. */
  #routing = false;
  #leaving = false;

  constructor(connection: Socket, subscription: Subscription, context: Context) {
    this.#connection = connection;
    this.#subscription = subscription;
    this.#context = context;
    this.#down = new Source(connection);
  }

  /** Routes until the connection ends. Rejects when the peer is to see a reset. */
  async run(): Promise<void> {
    try {
      await this.#routeAll();
    } catch (error) {
      this.#current?.stream.reset(); // whoever was answering sees the reset too
      throw error;
    }
  }

  /** The client is gone: an answer of the original's may still be finished, nothing else. */
  leave(): void {
    this.#leaving = true;
    if (this.#whole || this.#routing || this.#current?.name === "original") return;
    if (this.#current === null) this.#connection.close();
    else this.#connection.reset();
  }

  async #routeAll(): Promise<void> {
    // An original that does not answer still has requests that the app can.
    await this.#reachOriginal().catch(() => {});
    for (;;) {
      const head = await this.#nextHead();
      if (head === null) return;
      this.#routing = true;
      this.#current = await this.#send(head);
      this.#routing = false;
      const side = this.#current;
      const next = await this.#exchange(side);
      this.#last = side.name;
      if (next === "tunnel") await relayOrThrow(this.#down, side.stream);
      if (next !== "request" || this.#leaving) return;
      this.#current = null;
    }
  }

  [Symbol.dispose](): void {
    this.#requests[Symbol.dispose]();
    this.#drop("original");
    this.#drop("app");
  }

  /** The next complete request head, or null when the connection is over or was passed on whole. */
  async #nextHead(): Promise<Uint8Array | null> {
    const begun: Uint8Array[] = [];
    for (;;) {
      const waiting = [this.#down, this.#original?.stream, this.#app?.stream];
      await firstReady(...waiting.filter((source) => source !== undefined));
      if (this.#app?.stream.ready) this.#drop("app"); // it closed while idle; a later request opens another
      if (this.#original?.stream.ready) {
        const over = await this.#originalSpoke(begun);
        if (over) return null;
      }
      if (!this.#down.ready) continue;
      const bytes = await this.#down.peek();
      if (bytes === null) return await this.#peerEnded(begun);
      const { state, used } = this.#requests.next(bytes);
      if (state === "more") begun.push(bytes);
      this.#down.consume(used);
      if (state === "head") return this.#requests.head;
      if (state !== "more") {
        this.#context.notice(this.#subscription.port, notHttp(this.#requests.reason));
        return await this.#passWhole([this.#requests.head]);
      }
    }
  }

  /** The original closed, or sent bytes nobody asked for, while no request was under way. True: the connection is over. */
  async #originalSpoke(begun: Uint8Array[]): Promise<boolean> {
    const stream = this.#original?.stream;
    if (stream === undefined) return false;
    if (this.#last === "original" && stream.failed) await stream.peek(); // rejects: the peer is reset too
    if (stream.ended || stream.failed) {
      this.#drop("original");
      // As it did to a peer of its own; a request that came meanwhile still gets an answer.
      return this.#last === "original" && begun.length === 0 && !this.#down.ready;
    }
    if (this.#last === "app") {
      this.#drop("original"); // such as a time-out notice, which belongs to no request of this peer
      return false;
    }
    if (this.#last === null) this.#context.notice(this.#subscription.port, "its server speaks first");
    await this.#passWhole(begun);
    return true;
  }

  /** The peer half-closed between two requests, or inside a head. */
  async #peerEnded(begun: Uint8Array[]): Promise<null> {
    if (begun.length > 0 || (this.#original !== null && this.#last !== "app")) {
      return await this.#passWhole(begun);
    }
    return null;
  }

  /** The rest of the connection, after `first`, is the original's. */
  async #passWhole(first: Uint8Array[]): Promise<null> {
    this.#whole = true;
    const original = await this.#reachOriginal();
    this.#down.unread(first);
    await relayOrThrow(this.#down, original.stream);
    return null;
  }

  /** Decides who answers, and sends it the head. */
  async #send(head: Uint8Array): Promise<Side> {
    const { filter, port } = this.#subscription;
    const claim = this.#context.subscriptions.claim(port);
    const ours = claim.kind === "stolen" && claim.subscription === this.#subscription;
    if (ours && filter !== null && filter.matches(head)) {
      const app = await this.#sendToApp(head);
      if (app !== null) return app;
    }
    const original = await this.#reachOriginal();
    await original.stream.write(head);
    return original;
  }

  /** The app that took the head, or null when nobody does. */
  async #sendToApp(head: Uint8Array): Promise<Side | null> {
    try {
      await this.#app?.stream.write(head);
    } catch {
      this.#drop("app"); // it closed just now and cannot have read a complete head
    }
    if (this.#app !== null) return this.#app;
    const { channel, answer } = offer(this.#context.link, this.#connection, this.#subscription.port, true);
    const written = channel.write(head);
    written.catch(() => {});
    if (await answer === "refused") return null;
    const stream = new Source(channel);
    this.#app = {
      name: "app",
      stream,
      responses: new HttpReader("response"),
      close: () => void leave(stream),
    };
    await written;
    return this.#app;
  }

  async #reachOriginal(): Promise<Side> {
    if (this.#original !== null) return this.#original;
    const socket = await this.#context.subscriptions.dialOriginal(this.#connection.localAddress);
    const stream = new Source(socket);
    const responses = new HttpReader("response");
    return this.#original = { name: "original", stream, responses, close: () => socket.close() };
  }

  /** Body up and response down, at the same time. */
  async #exchange(side: Side): Promise<Next> {
    side.responses.expect(this.#requests.method);
    const sending = this.#sendBody(side);
    sending.then((sent) => sent === "complete" && this.#watchPeer(side), () => side.stream.reset());
    const next = await this.#passResponse(side);
    if (next === "tail") {
      await this.#passTail(side, sending);
      return next;
    }
    const sent = await sending;
    return sent === "complete" ? next : "tail";
  }

  /** Resolves when the request is complete, or `side` takes no more of it. Rejects when the peer is gone. */
  async #sendBody(side: Side): Promise<Sent> {
    for (let bytes = nothing as Uint8Array;;) {
      let used = 0;
      let state: string;
      do {
        const step = this.#requests.next(bytes.subarray(used));
        used += step.used;
        state = step.state;
      } while (state === "body");
      const opaque = state === "raw" || state === "not-http";
      if (opaque) used = bytes.length;
      this.#down.consume(used);
      try {
        if (used > 0) await side.stream.write(bytes.subarray(0, used));
      } catch {
        return "unsent"; // it may have answered before it closed: the response decides
      }
      if (state === "end") return "complete";
      if (opaque) return "opaque";
      const more = await this.#down.peek();
      if (more === null) {
        await side.stream.closeWrite();
        return "opaque";
      }
      bytes = more;
    }
  }

  /** Passes a half-close or reset of the peer on while it waits for its response. */
  #watchPeer(side: Side): void {
    this.#down.whenReady(() => {
      if (this.#down.failed) side.stream.reset();
      else if (this.#down.ended) side.stream.closeWrite().catch(() => {});
    });
  }

  /** The response with its interim ones, byte for byte. */
  async #passResponse(side: Side): Promise<Next> {
    const { responses, stream } = side;
    for (;;) {
      const bytes = await stream.peek();
      if (bytes === null) {
        // A killed app shows as an end in mid-response: the peer shall not take the part for the whole.
        if (side.name === "app") {
          throw new Error("the app closed the connection before its response was complete");
        }
        return "tail";
      }
      let used = 0;
      let next: Next | null = null;
      let final = !responses.interim;
      while (next === null) {
        const step = responses.next(bytes.subarray(used));
        used += step.used;
        if (step.state === "more") break;
        if (step.state === "head") final = !responses.interim;
        if (step.state === "end" && final) {
          next = this.#requests.keepAlive && responses.keepAlive ? "request" : "tail";
        }
        if (step.state === "raw" || step.state === "not-http") {
          used = bytes.length;
          next = responses.upgrade ? "tunnel" : "tail";
        }
      }
      await this.#down.write(bytes.subarray(0, used));
      stream.consume(used);
      if (next !== null) return next;
    }
  }

  /** After the last response: whatever `side` still sends, then its end; the peer's rest goes up meanwhile. */
  async #passTail(side: Side, sending: Promise<Sent>): Promise<void> {
    let complete = false;
    const up = sending.then((sent) => {
      complete = sent === "complete";
      return sent === "unsent" ? undefined : pump(this.#down, side.stream);
    });
    up.catch(() => {});
    await pump(side.stream, this.#down);
    if (!complete) await up.catch(() => {});
  }

  #drop(name: Side["name"]): void {
    const side = name === "app" ? this.#app : this.#original;
    if (side === null) return;
    if (name === "app") this.#app = null;
    else this.#original = null;
    side.responses[Symbol.dispose]();
    side.close();
  }
}

/** `relay` for a connection whose owner resets it when this rejects. */
async function relayOrThrow(a: Source, b: Source): Promise<void> {
  if (await relay(a, b) === "reset") throw new Error("one side was reset");
}

/** Half-closes the channel of an app that has answered all, and gives it time to do the same. */
async function leave(stream: Source): Promise<void> {
  const late = setTimeout(() => stream.reset(), leaveLimitMs);
  try {
    await stream.closeWrite();
    while (await stream.read() !== null);
  } catch {
    // It was reset, or the session ended.
  } finally {
    clearTimeout(late);
  }
}

function notHttp(reason: string): string {
  return reason === "http2" ? "its peer speaks HTTP/2" : `its peer does not speak HTTP/1 (${reason})`;
}
