// Connections to the original, past the BPF program. Owned by subscriptions.ts, used for every connection
// that is not the session's. Facts: ip(7) on ip_local_port_range, inet_csk_find_open_port and tcp_twsk_unique
// of the kernel. Invariant: a bypass exists only while a dial from its source is under way.

import { agentHops } from "../../protocol-wasm/mod.ts";
import type { Endpoint } from "../../core/net/address.ts";
import { E, SystemError } from "../sys/libc.ts";
import { ephemeralPorts } from "../sys/proc.ts";
import { dialTcp, type Socket } from "../../core/net/linux/socket.ts";

/** Lets connections from a source reach the original. */
export interface Bypasses {
  /** How many there may be at a time. */
  room(): number;
  addBypass(source: Endpoint): void;
  removeBypass(source: Endpoint): void;
}

const portTaken = new Set<number>([E.EADDRINUSE, E.EADDRNOTAVAIL]);
const attempts = 256;

export class WayToOriginal {
  readonly #bypasses: Bypasses;
  readonly #dials = new AbortController();
  /** Dials under way from each source: two may share one, towards different ports. */
  readonly #counts = new Map<string, number>();
  readonly #range = ephemeralPorts();
  /** Dials under way, and those that wait until one of these is over. */
  #under = 0;
  readonly #waiting: (() => void)[] = [];
  #offset = Math.floor(Math.random() * 65536);

  constructor(bypasses: Bypasses) {
    this.#bypasses = bypasses;
  }

  /**
   * Connects to exactly where a stolen connection's client wanted to go. The source is the destination's own
   * address: it reaches a listener that is bound to it alone. Its port is chosen here, round the range: the
   * kernel gives a port in TIME_WAIT only to a caller that names it, and a busy original has more connections
   * in a minute than the range has ports. Rejects with SystemError.
   */
  async dial(destination: Endpoint): Promise<Socket> {
    for (let attempt = 1;; attempt++) {
      try {
        return await this.#dialFrom({ ...destination, port: this.#nextPort() }, destination);
      } catch (error) {
        const taken = error instanceof SystemError && portTaken.has(error.errno);
        if (!taken || attempt === attempts) throw error;
      }
    }
  }

  /** Gives up the dials under way. */
  close(): void {
    this.#dials.abort(new SystemError("connect", E.ECONNRESET));
    for (const go of this.#waiting.splice(0)) go();
  }

  async #dialFrom(source: Endpoint, destination: Endpoint): Promise<Socket> {
    let bound = false;
    while (this.#under >= this.#bypasses.room() && !this.#dials.signal.aborted) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    this.#under++;
    try {
      return await dialTcp({
        destination,
        source,
        hops: agentHops,
        bound: () => {
          this.#count(source, 1);
          bound = true;
        },
        signal: this.#dials.signal,
      });
    } finally {
      if (bound) this.#count(source, -1);
      this.#under--;
      this.#waiting.shift()?.();
    }
  }

  #nextPort(): number {
    const { first, last } = this.#range;
    return first + this.#offset++ % (last - first + 1);
  }

  #count(source: Endpoint, change: 1 | -1): void {
    const key = `${source.address} ${source.port}`;
    const count = (this.#counts.get(key) ?? 0) + change;
    if (count === 1 && change === 1) this.#bypasses.addBypass(source);
    if (count === 0) this.#bypasses.removeBypass(source);
    if (count > 0) this.#counts.set(key, count);
    else this.#counts.delete(key);
  }
}
