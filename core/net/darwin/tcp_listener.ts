// A listener of a session's own by the runtime's, for the clients of `mirrord port-forward`. Called through
// ../this_platform.ts. Invariant: `accept` fails for no single connection.

import type { Endpoint } from "../address.ts";
import { systemError } from "./failure.ts";
import { Socket } from "./socket.ts";

/** How long accepting rests after it failed. */
const acceptPauseMs = 100;

export class TcpListener {
  readonly address: Endpoint;
  readonly #listener: Deno.TcpListener;
  #closed = false;

  constructor({ address, port }: Endpoint) {
    try {
      this.#listener = Deno.listen({ hostname: address, port });
    } catch (error) {
      throw systemError("listen", error);
    }
    this.address = { address, port: this.#listener.addr.port };
  }

  /** The next connection, null once the listener is closed. */
  async accept(): Promise<Socket | null> {
    while (!this.#closed) {
      try {
        return new Socket(await this.#listener.accept());
      } catch {
        if (this.#closed) break;
        // For example, no descriptor is free: the connection waits in the listener's queue.
        await new Promise((resolve) => setTimeout(resolve, acceptPauseMs));
      }
    }
    return null;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#listener.close();
  }
}

/** Listens at one address; port 0 takes a free one. Throws SystemError. */
export function listenTcp(endpoint: Endpoint): TcpListener {
  return new TcpListener(endpoint);
}
