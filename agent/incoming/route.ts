// A connection of a port with a filter: each of its requests goes to the session or to the original. Called
// by steal.ts, which closes the connection afterwards.
//
// One request is routed at a time; what the peer sends ahead stays unread. The original is dialled at once,
// so a protocol whose server speaks first needs no timer: bytes from the original before a complete head give
// the whole connection to the original. So do bytes that are no HTTP/1 (http1.ts), and a first message that
// does not end its line in time. Every byte passes as it came; nothing is rewritten.

import { relay } from "../../core/net/relay.ts";
import type { Socket } from "../../core/net/linux/socket.ts";
import { Detection } from "./detection.ts";
import type { Exchange, Requests, Side } from "./exchange.ts";
import { Http1 } from "./http1.ts";
import type { Origin } from "./nodes.ts";
import type { Context } from "./context.ts";
import { firstReady, Source } from "./source.ts";
import type { Subscription } from "./subscriptions.ts";

/** How long an app may take to close a connection whose peer is gone. */
const leaveLimitMs = 10_000;

/** One connection whose requests are routed. */
export class Route implements Disposable {
  readonly #connection: Socket;
  readonly #subscription: Subscription;
  readonly #context: Context;
  readonly #down: Source;
  readonly #requests: Requests;
  readonly #detection: Detection;
  #original: Side | null = null;
  #app: Side | null = null;
  #current: Side | null = null;
  #last: Side["name"] | null = null;
  /** Bytes pass unread, both ways, to the original. */
  #whole = false;
  /** A request was read and no side has it yet. */
  #routing = false;
  readonly #origin: Origin | null;
  /** The app's part of the request under way was sent last then, by the heartbeat's clock. */
  #sentAt = -Infinity;
  readonly #silenced = Promise.withResolvers<never>();
  #leaving = false;

  constructor(connection: Socket, subscription: Subscription, context: Context) {
    this.#connection = connection;
    this.#subscription = subscription;
    this.#context = context;
    this.#down = new Source(connection);
    this.#requests = new Http1(this.#down, (side) => this.#sending(side));
    this.#detection = new Detection(context.detectionMs);
    this.#origin = context.probes.origin(subscription.port, connection);
    this.#silenced.promise.catch(() => {});
  }

  /** Routes until the connection ends. Rejects when the peer is to see a reset. */
  async run(): Promise<void> {
    try {
      await this.#routeAll();
    } catch (error) {
      await this.#current?.stream.resetInOrder(); // the side that was answering sees the reset too
      throw error;
    }
  }

  /** Bytes of the app's answer that the peer has not got. */
  get unsent(): number {
    if ((this.#current?.name ?? this.#last) !== "app") return 0;
    return this.#connection.unsent + (this.#app?.unread?.() ?? 0);
  }

  /** The client is gone: an answer of the original's may still be finished, nothing else. */
  leave(): void {
    this.#leaving = true;
    if (this.#whole || this.#routing || this.#current?.name === "original") return;
    if (this.#current === null) this.#connection.close();
    else this.#connection.leave();
  }

  /** The client is silent: a request that it may not have is not waited for. */
  silence(): void {
    const offered = this.#routing && this.#sentAt > -Infinity;
    if (!offered && this.#current?.name !== "app") return;
    if (!this.#subscription.taker.heartbeat.mayBeLost(this.#sentAt)) return;
    this.#silenced.reject(new Error("the client is silent"));
    this.#connection.reset();
  }

  async #routeAll(): Promise<void> {
    // When the original does not answer, the app can still answer its own requests.
    await this.#reachOriginal().catch(() => {});
    for (;;) {
      const exchange = await this.#nextExchange();
      if (exchange === null) return;
      this.#routing = true;
      this.#current = await this.#send(exchange.head);
      this.#routing = false;
      const side = this.#current;
      const next = await exchange.run(side);
      this.#last = side.name;
      if (next === "tunnel") await relayOrThrow(this.#down, side.stream);
      if (next !== "request" || this.#leaving) return;
      this.#current = null;
    }
  }

  [Symbol.dispose](): void {
    this.#detection[Symbol.dispose]();
    this.#drop("original");
    this.#drop("app");
    this.#requests[Symbol.dispose]();
  }

  /** The next request, its head complete, or null when the connection is over or was passed on whole. */
  async #nextExchange(): Promise<Exchange | null> {
    const begun: Uint8Array[] = [];
    for (;;) {
      const waiting = [this.#down, this.#original?.stream, this.#app?.stream];
      const ready = firstReady(...waiting.filter((source) => source !== undefined));
      await Promise.race([ready, this.#detection.late]);
      if (this.#app?.stream.ready) this.#drop("app"); // it closed while idle; a later request opens another
      if (this.#original?.stream.ready) {
        const over = await this.#originalSpoke(begun);
        if (over) return null;
      }
      if (!this.#down.ready && this.#detection.isLate) {
        this.#context.notice(this.#subscription.port, "its peer did not send a whole line in time");
        return await this.#passWhole(begun);
      }
      if (!this.#down.ready) continue;
      const bytes = await this.#down.peek();
      if (bytes === null) return await this.#peerEnded(begun);
      const { used, found } = this.#requests.read(bytes);
      if (found === null) {
        begun.push(bytes);
        this.#detection.take(bytes);
      } else this.#detection.known();
      this.#down.consume(used);
      if (found === null) continue;
      if ("exchange" in found) return found.exchange;
      this.#context.notice(this.#subscription.port, found.reason);
      return await this.#passWhole([found.foreign]);
    }
  }

  /** The original closed, or sent bytes without a request under way. True: the connection is over. */
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

  /** The rest of the connection, after `first`, goes to the original. */
  async #passWhole(first: Uint8Array[]): Promise<null> {
    this.#whole = true;
    const original = await this.#reachOriginal();
    this.#down.unread(first);
    await relayOrThrow(this.#down, original.stream);
    return null;
  }

  /** Decides which side answers, and sends it the head. */
  async #send(head: Uint8Array): Promise<Side> {
    const { filter, port } = this.#subscription;
    const claim = this.#context.subscriptions.claim(port);
    const ours = claim.kind === "stolen" && claim.subscription === this.#subscription;
    const { probes } = this.#context;
    const wanted = filter !== null && filter.matches(head) && !probes.isRequest(port, this.#origin, head);
    if (ours && wanted && await this.#subscription.taker.heartbeat.present()) {
      this.#sentAt = this.#subscription.taker.heartbeat.now;
      const app = await this.#sendToApp(head);
      if (app !== null) return app;
    }
    this.#sentAt = -Infinity;
    const original = await this.#reachOriginal();
    await original.stream.write(head);
    return original;
  }

  /** The app that took the head, or null when none does. */
  async #sendToApp(head: Uint8Array): Promise<Side | null> {
    try {
      await this.#app?.stream.write(head);
    } catch {
      this.#drop("app"); // it closed just now and cannot have read a complete head
    }
    if (this.#app !== null) return this.#app;
    const { port, taker } = this.#subscription;
    const { channel, answer } = taker.offer(this.#connection, { port, http: true });
    const written = channel.write(head);
    written.catch(() => {});
    if (await Promise.race([answer, this.#silenced.promise]) === "refused") return null;
    const stream = new Source(channel);
    this.#app = {
      name: "app",
      stream,
      unread: () => channel.unread + stream.held,
      close: () => void leave(stream),
    };
    await written;
    return this.#app;
  }

  /** A part of a request's body is about to go to `side`. */
  #sending(side: Side): void {
    if (side.name !== "app") return;
    const { heartbeat } = this.#subscription.taker;
    this.#sentAt = heartbeat.now;
    if (heartbeat.silent) this.#connection.reset();
  }

  async #reachOriginal(): Promise<Side> {
    if (this.#original !== null) return this.#original;
    const socket = await this.#context.subscriptions.dialOriginal(this.#connection.localAddress);
    const stream = new Source(socket);
    return this.#original = { name: "original", stream, close: () => socket.close() };
  }

  #drop(name: Side["name"]): void {
    const side = name === "app" ? this.#app : this.#original;
    if (side === null) return;
    if (name === "app") this.#app = null;
    else this.#original = null;
    this.#requests.forget(side);
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
