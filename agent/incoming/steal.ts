// One stolen connection, from accept to its end. Called by client.ts for each that the kernel handed over.
//
// Theory of operation. The client (a session) is told of the connection with an `incoming` frame and gets its
// bytes at once; its answer decides whose the connection is. States of an unfiltered connection:
//   offered   bytes to the session, a copy kept until the answer (the link's window bounds it); a reset of the peer
//             is passed on.
//   taken     bytes both ways, half-close and reset carried over; nothing is kept.
//   refused   the original is dialled, what was kept goes to it first, then bytes both ways; when it does not
//             answer, the peer is reset, as it would have been without us.
// Before `offered`, on a port that the kubelet probes by HTTP, the first request is awaited: a probe is the original's.
// A filtered connection is http.ts's. A connection over the limit, or of a port given back meanwhile, goes to
// the original from the start. When the client ends, offered and taken ones are reset; those of the original get a
// moment to end by themselves.

import { log } from "../../core/base/log.ts";
import { relay } from "../../core/base/relay.ts";
import type { Socket } from "../../core/net/socket.ts";
import { Route } from "./http.ts";
import { type Filter, HttpReader } from "../../protocol-wasm/mod.ts";
import { type Context, offer } from "./offer.ts";
import { pump, Source } from "./source.ts";
import type { Subscription } from "./subscriptions.ts";

/** More connections than this are given to the original: the agent's memory has a bound. */
export const connectionLimit = 4096;

/** A connection under way. */
interface Open {
  /** The client is gone: ends it at once, or as soon as the original has done its part. */
  leave(): void;
}

/** All connections of one client. */
export class Connections {
  readonly #context: Context;
  readonly #open = new Map<Socket, Open>();
  #onEmpty: (() => void) | null = null;

  constructor(context: Context) {
    this.#context = context;
  }

  /** Handles one accepted connection until it ends; never throws. */
  async serve(connection: Socket): Promise<void> {
    const claim = this.#context.subscriptions.claim(connection.localAddress.port);
    // Somebody dialled the listener itself: nothing is behind it.
    if (claim.kind === "none") return connection.reset();
    const full = this.#open.size >= connectionLimit;
    try {
      if (claim.kind === "original" || full) await this.#giveToOriginal(new Source(connection), connection);
      else if (claim.subscription.filter !== null) await this.#filtered(connection, claim.subscription);
      else await this.#steal(connection, claim.subscription);
    } catch (error) {
      connection.reset();
      const why = error instanceof Error ? error.message : error;
      log.debug(`connection from ${connection.peerAddress.address} reset: ${why}`);
    } finally {
      connection.close();
      this.#open.delete(connection);
      if (this.#open.size === 0) this.#onEmpty?.();
    }
  }

  /**
   * The client is gone: what was its own is reset, what is the original's may end by itself. Resolves when all
   * have ended, after `limitMs` by reset.
   */
  async leave(limitMs: number): Promise<void> {
    for (const open of [...this.#open.values()]) open.leave();
    if (this.#open.size === 0) return;
    const late = setTimeout(() => this.resetAll(), limitMs);
    await new Promise<void>((resolve) => this.#onEmpty = resolve);
    clearTimeout(late);
  }

  /** Resets every connection. */
  resetAll(): void {
    for (const connection of [...this.#open.keys()]) connection.reset();
  }

  async #filtered(connection: Socket, subscription: Subscription): Promise<void> {
    using route = new Route(connection, subscription, this.#context);
    this.#open.set(connection, route);
    await route.run();
  }

  async #steal(connection: Socket, { port, probe }: Subscription): Promise<void> {
    this.#open.set(connection, { leave: () => connection.reset() });
    const source = new Source(connection);
    if (probe !== null && await beginsWith(source, probe)) {
      return await this.#giveToOriginal(source, connection);
    }
    const { channel, answer } = offer(this.#context.link, connection, port, false);
    const kept: Uint8Array[] = [];
    let state: "offered" | "taken" | "refused" = "offered";
    const upward = async () => {
      for (;;) {
        const bytes = await source.peek();
        if (state === "refused") return;
        if (bytes === null) return await channel.closeWrite();
        source.consume(bytes.length);
        if (state === "offered") kept.push(bytes);
        await channel.write(bytes);
      }
    };
    const up = upward();
    up.catch(() => channel.reset());
    state = await answer;
    if (state === "refused") {
      source.unread(kept);
      return await this.#giveToOriginal(source, connection);
    }
    kept.length = 0;
    try {
      await Promise.all([up, pump(channel, connection)]);
    } catch (error) {
      channel.reset();
      throw error;
    }
  }

  async #giveToOriginal(source: Source, connection: Socket): Promise<void> {
    this.#open.set(connection, { leave: () => {} });
    const original = await this.#context.subscriptions.dialOriginal(connection.localAddress);
    try {
      await relay(source, original);
    } finally {
      original.close();
    }
  }
}

/** Is the stream's first request one that `filter` matches? What was read to know it is put back. False for what is no HTTP/1. */
async function beginsWith(source: Source, filter: Filter): Promise<boolean> {
  using reader = new HttpReader("request");
  const read: Uint8Array[] = [];
  try {
    for (;;) {
      const bytes = await source.peek();
      if (bytes === null) return false;
      source.consume(bytes.length);
      read.push(bytes);
      const { state } = reader.next(bytes);
      if (state !== "more") return state === "head" && filter.matches(reader.head);
    }
  } finally {
    source.unread(read);
  }
}
