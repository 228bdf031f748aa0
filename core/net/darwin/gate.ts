// A listener to which the app's sockets connect once the target's connect has succeeded: Darwin's kernel can
// leave no connect waiting, so it is the layer that waits, for the session's word. Used by
// core/session/outgoing.ts. Invariant: a connection becomes one of the app's only when the layer named the
// address that it came from; any other program of this machine that connects is closed unheard.

import type { Endpoint } from "../address.ts";
import { E, SystemError } from "../system_error.ts";
import { systemError } from "./failure.ts";
import { Socket } from "./socket.ts";

/** How long a connection waits to be named, and a name for its connection. */
const meetMs = 10_000;
/** How long accepting rests after it failed. */
const acceptPauseMs = 100;

export class Gate {
  readonly address: Endpoint;
  readonly holdsConnects = false;
  readonly #listener: Deno.TcpListener;
  /** Connections that nobody has named yet, by their source port. */
  readonly #came = new Map<number, { socket: Socket; timer: number }>();
  /** Those that are expected, by their source port. */
  readonly #expected = new Map<number, PromiseWithResolvers<Socket>>();
  #isOver = false;

  /**
   * Opens a gate at a free port of `host`, a loopback address. Throws SystemError where the family is
   * missing.
   */
  constructor(host: string) {
    try {
      this.#listener = Deno.listen({ hostname: host, port: 0 });
    } catch (error) {
      throw systemError("listen", error);
    }
    this.address = { address: host, port: this.#listener.addr.port };
    void this.#serve();
  }

  /** The connection that comes from `from`. Rejects with SystemError when none does (ECONNREFUSED). */
  async admit(from: Endpoint): Promise<Socket> {
    const came = this.#came.get(from.port);
    if (came !== undefined) {
      clearTimeout(came.timer);
      this.#came.delete(from.port);
      return came.socket;
    }
    if (this.#isOver) throw new SystemError("accept", E.ECONNREFUSED);
    this.#expected.get(from.port)?.reject(new SystemError("accept", E.ECONNREFUSED));
    const expected = Promise.withResolvers<Socket>();
    this.#expected.set(from.port, expected);
    const timer = setTimeout(() => expected.reject(new SystemError("accept", E.ECONNREFUSED)), meetMs);
    try {
      return await expected.promise;
    } finally {
      clearTimeout(timer);
      if (this.#expected.get(from.port) === expected) this.#expected.delete(from.port);
    }
  }

  /** What failed was never dialled. */
  refuse(): void {}

  /** What waits is refused. */
  [Symbol.dispose](): void {
    this.#isOver = true;
    this.#listener.close();
    for (const { socket, timer } of this.#came.values()) {
      clearTimeout(timer);
      socket.close();
    }
    this.#came.clear();
    for (const { reject } of this.#expected.values()) reject(new SystemError("accept", E.ECONNREFUSED));
  }

  async #serve(): Promise<void> {
    while (!this.#isOver) {
      try {
        this.#meet(new Socket(await this.#listener.accept()));
      } catch {
        if (this.#isOver) return;
        // For example, no descriptor is free: the connection waits in the listener's queue.
        await new Promise((resolve) => setTimeout(resolve, acceptPauseMs));
      }
    }
  }

  #meet(socket: Socket): void {
    const { port } = socket.peerAddress;
    const expected = this.#expected.get(port);
    if (expected !== undefined) return expected.resolve(socket);
    const before = this.#came.get(port); // it has ended, or its port were not free
    if (before !== undefined) {
      clearTimeout(before.timer);
      before.socket.close();
    }
    const timer = setTimeout(() => {
      this.#came.delete(port);
      socket.close();
    }, meetMs);
    Deno.unrefTimer(timer);
    this.#came.set(port, { socket, timer });
  }
}

/**
 * Opens a gate at a free port of `host`, a loopback address. Throws SystemError where the family is missing.
 */
export function openGate(host: string): Gate {
  return new Gate(host);
}
