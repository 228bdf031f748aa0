// What the app has sent and the session has not handed to the agent yet. Made by session.ts, filled by
// outgoing.ts, datagrams.ts and incoming.ts, read by linger.ts once the app has ended. What the kernel
// accepted from the app's sockets can still be read here after the app's end, followed by the end of stream
// that the app, or the kernel in its place, wrote.

import type { ByteChannel } from "../../protocol-wasm/mod.ts";
import type { Socket } from "../net/platform.ts";

/** One way from the app to a peer, until its end was passed on. */
export interface Delivery {
  /** The receiver, for people. */
  readonly name: string;
  /** Bytes that are known to wait. */
  left(): number;
  /** The app has ended it: its end is still to be passed on. */
  ending(): boolean;
}

export class Deliveries {
  readonly #open = new Set<Delivery>();
  #moved = 0;
  #movedAt = 0;
  #used = false;

  /** Counts `delivery` until the result is disposed. */
  enter(delivery: Delivery): Disposable {
    this.#used = true;
    this.#open.add(delivery);
    return { [Symbol.dispose]: () => void this.#open.delete(delivery) };
  }

  /** `channel`, counted as the way from the app's end of `socket` to `name`, until its end was passed on. */
  follow(channel: ByteChannel, socket: Socket, name: string): ByteChannel & Disposable {
    let held = 0;
    const entry = this.enter({
      name,
      left: () => held + socket.unread,
      ending: () => socket.peerIsOver,
    });
    return {
      read: () => channel.read(),
      release: (bytes) => channel.release?.(bytes),
      write: async (bytes) => {
        held += bytes.length;
        try {
          await channel.write(bytes);
          this.move(bytes.length);
        } finally {
          held -= bytes.length;
        }
      },
      closeWrite: async () => {
        await channel.closeWrite();
        entry[Symbol.dispose]();
      },
      reset: () => {
        channel.reset();
        entry[Symbol.dispose]();
      },
      [Symbol.dispose]: () => entry[Symbol.dispose](),
    };
  }

  /** `bytes` were handed on. */
  move(bytes: number): void {
    this.#moved += bytes;
    this.#movedAt = performance.now();
  }

  /** Bytes handed on so far. */
  get moved(): number {
    return this.#moved;
  }

  /** For how long nothing was. */
  get quietMs(): number {
    return performance.now() - this.#movedAt;
  }

  /** Something was ever sent. */
  get used(): boolean {
    return this.#used;
  }

  /** Those that are not done. */
  waiting(): Delivery[] {
    return [...this.#open].filter((one) => one.left() > 0 || one.ending());
  }
}
