// One TCP port of this machine that `mirrord port-forward` listens on, from its first client to an orderly
// close. Made by forwarder.ts. Invariant: every client that had connected when `close` was called is carried.

import { within } from "../../base/pause.ts";
import { isWildcard } from "../../net/fit.ts";
import type { Socket, TcpListener } from "../../net/platform.ts";
import { platform } from "../../net/this_platform.ts";

const { dialTcp } = await platform.network();

/** A listener that does not answer in this time is closed with what waits in its queue. */
const closeMs = 1000;

export class TcpPort {
  readonly #listener: TcpListener;
  readonly #carry: (socket: Socket) => Promise<void>;
  readonly #carrying = new Set<Promise<void>>();
  #take = (socket: Socket): void => this.#begin(socket);

  /** carry: carries a client's connection to its end; never rejects. */
  constructor(listener: TcpListener, carry: (socket: Socket) => Promise<void>) {
    this.#listener = listener;
    this.#carry = carry;
  }

  /** Takes clients until it is closed. */
  async serve(): Promise<void> {
    for (;;) {
      const socket = await this.#listener.accept();
      if (socket === null) return;
      this.#take(socket);
    }
  }

  /**
   * Takes no more clients. The kernel resets those that wait for `accept` when a listener is closed, and it
   * hands them out in the order in which they came: a connection of our own marks the last to be carried.
   */
  async close(): Promise<void> {
    const came: Socket[] = [];
    let news = Promise.withResolvers<void>();
    this.#take = (socket) => {
      came.push(socket);
      news.resolve();
    };
    const mark = await within(this.#dial(), closeMs, null).catch(() => null);
    const isOurs = ({ peerAddress }: Socket) => peerAddress.port === mark?.localAddress.port;
    while (mark !== null && !came.some(isOurs)) {
      news = Promise.withResolvers();
      if (!await within(news.promise.then(() => true), closeMs, false)) break;
    }
    this.#listener.close();
    const last = mark === null ? came.length : came.findIndex(isOurs);
    came.forEach((socket, index) => index < last ? this.#begin(socket) : socket.reset());
    mark?.reset();
  }

  /** Resolves when every connection has ended. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    await Promise.all(this.#carrying);
  }

  #begin(socket: Socket): void {
    const carrying = this.#carry(socket).finally(() => this.#carrying.delete(carrying));
    this.#carrying.add(carrying);
  }

  #dial(): Promise<Socket> {
    const { address, port } = this.#listener.address;
    const loopback = address.includes(":") ? "::1" : "127.0.0.1";
    return dialTcp({ destination: { address: isWildcard(address) ? loopback : address, port } });
  }
}
