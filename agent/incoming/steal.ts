// One stolen connection, from accept to its end. Called by client.ts for each that the kernel handed over.
//
// Theory of operation. The client (a session) is told of the connection with an `incoming` frame and gets its
// bytes at once; its answer decides whose the connection is. States of an unfiltered connection:
//   offered   bytes to the session, a copy kept until the answer (the link's window bounds it); a reset of the peer
//             is passed on.
//   taken     bytes both ways, half-close and reset carried over; nothing is kept.
//   refused   the original is dialled, what was kept goes to it first, then bytes both ways; when it does not
//             answer, the peer is reset, as it would have been without us.
// A filtered connection is http.ts's. A connection over the limit, or of a port given back meanwhile, goes to
// the original from the start. The link's end resets all.

import { log } from "../../core/base/log.ts";
import { relay } from "../../core/base/relay.ts";
import type { Socket } from "../sys/socket.ts";
import { routeHttp } from "./http.ts";
import { type Context, offer } from "./offer.ts";
import { pump, Source } from "./source.ts";
import type { Subscription } from "./subscriptions.ts";

/** More connections than this are given to the original: the agent's memory has a bound. */
export const connectionLimit = 4096;

/** All connections of one client. `resetAll` ends them with the client. */
export class Connections {
  readonly #context: Context;
  readonly #open = new Set<Socket>();

  constructor(context: Context) {
    this.#context = context;
  }

  /** Handles one accepted connection until it ends; never throws. */
  async serve(connection: Socket): Promise<void> {
    const claim = this.#context.subscriptions.claim(connection.localAddress.port);
    // Somebody dialled the listener itself: nothing is behind it.
    if (claim.kind === "none") return connection.reset();
    const full = this.#open.size >= connectionLimit;
    this.#open.add(connection);
    try {
      if (claim.kind === "original" || full) await this.#giveToOriginal(new Source(connection), connection);
      else if (claim.subscription.filter !== null) {
        await routeHttp(connection, claim.subscription, this.#context);
      } else await this.#steal(connection, claim.subscription);
    } catch (error) {
      connection.reset();
      log.debug(
        `connection from ${connection.peerAddress.address} reset: ${
          error instanceof Error ? error.message : error
        }`,
      );
    } finally {
      connection.close();
      this.#open.delete(connection);
    }
  }

  /** Resets every connection. */
  resetAll(): void {
    for (const connection of this.#open) connection.reset();
  }

  async #steal(connection: Socket, { port }: Subscription): Promise<void> {
    const { channel, answer } = offer(this.#context.link, connection, port, false);
    const source = new Source(connection);
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
    const original = await this.#context.subscriptions.dialOriginal(connection.localAddress);
    try {
      await relay(source, original);
    } finally {
      original.close();
    }
  }
}
