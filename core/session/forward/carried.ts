// The connections of forwards that are under way over one agent, and what an orderly end owes them. Made by
// forwarding.ts. Invariant: at the end a connection is reset, which both sides see, but never before what its
// end on this machine had sent is delivered. A program that has sent and is gone looks like one that lives as
// long as its end of stream waits behind bytes, in its own kernel queue: so bytes are taken until none come.

import { type ByteChannel, E, RemoteError } from "../../../protocol-wasm/mod.ts";
import type { Socket } from "../../net/platform.ts";
import type { Deliveries } from "../deliveries.ts";

/** What is known of a connection. */
interface Connection {
  readonly peer: string;
  /** Writes to the other side that are not taken yet. */
  writing: number;
  /** Writes that were. */
  moved: number;
  /** `moved` when it was seen at rest; -1: it was not. */
  restedAt: number;
  /** Resets both ends. */
  end: () => void;
  /** Resets the end on this machine; what it had sent goes on its way. */
  leave: () => void;
}

/** A connection under way. */
interface Carrying extends Disposable {
  /** Aborted when it is to end. */
  readonly signal: AbortSignal;
  /** The way to the other side, once there is one: counted until the end of this side was passed on. */
  follow(channel: ByteChannel): ByteChannel;
}

export class Carried {
  readonly #deliveries: Deliveries;
  readonly #open = new Map<Socket, Connection>();

  constructor(deliveries: Deliveries) {
    this.#deliveries = deliveries;
  }

  /** Those whose end on this machine has not ended, by their peers. */
  unfinished(): string[] {
    return [...this.#open].flatMap(([socket, { peer }]) => socket.peerIsOver ? [] : [peer]);
  }

  /** How many there are. */
  get size(): number {
    return this.#open.size;
  }

  /** `socket`, this machine's end of a connection with `peer`, is under way until the result is disposed. */
  enter(socket: Socket, peer: string): Carrying {
    const ending = new AbortController();
    const waiting = this.#deliveries.enter({
      name: peer,
      left: () => socket.unread,
      ending: () => socket.peerIsOver,
    });
    let followed: (ByteChannel & Disposable) | undefined;
    const one: Connection = {
      peer,
      writing: 0,
      moved: 0,
      restedAt: -1,
      end: () => {
        one.leave();
        followed?.reset();
      },
      leave: () => {
        socket.reset();
        ending.abort(new RemoteError(E.ECONNRESET, "the forward ends"));
      },
    };
    this.#open.set(socket, one);
    return {
      signal: ending.signal,
      follow: (channel) => {
        const whole = followed = this.#deliveries.follow(channel, socket, peer);
        waiting[Symbol.dispose]();
        return {
          ...whole,
          write: async (bytes) => {
            one.writing++;
            await whole.write(bytes).finally(() => one.writing--);
            one.moved++;
          },
        };
      },
      [Symbol.dispose]: () => {
        waiting[Symbol.dispose]();
        followed?.[Symbol.dispose]();
        this.#open.delete(socket);
      },
    };
  }

  /** As `enter`, for the datagrams of one client. */
  enterDatagrams(client: { readonly unread: number; readonly finished: boolean }, peer: string): Disposable {
    return this.#deliveries.enter({
      name: peer,
      left: () => client.unread,
      ending: () => client.finished,
    });
  }

  /** Resets those whose end on this machine has not ended. */
  resetUnfinished(): void {
    for (const [socket, { end }] of [...this.#open]) if (!socket.peerIsOver) end();
  }

  /**
   * The link says goodbye next, and the agent ends what is left as a kernel would: in order where the end of
   * this side was passed on, otherwise by a reset.
   */
  leave(): void {
    for (const { leave } of [...this.#open.values()]) leave();
  }

  /**
   * Resets those whose end on this machine has not ended, and sent nothing since the last call. To be called
   * again and again.
   */
  resetRested(): void {
    for (const [socket, one] of [...this.#open]) {
      if (socket.peerIsOver) continue;
      const rests = socket.unread === 0 && one.writing === 0;
      if (rests && one.restedAt === one.moved) one.end();
      one.restedAt = rests ? one.moved : -1;
    }
  }
}
