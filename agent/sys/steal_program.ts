// The sk_lookup program (agent/bpf/steal.bpf.c), attached to the target's network namespace. Called by
// incoming/subscriptions.ts. However the process ends, the kernel drops it and the original answers again.

import { reachShift } from "../../protocol-wasm/mod.ts";
import { addressBytes, type Endpoint } from "../../core/net/address.ts";
import { BpfObject, long, word } from "./bpf.ts";
import { c, check } from "./libc.ts";
import { openOwnNetns } from "./netns.ts";
import type { Listener } from "../../core/net/linux/socket.ts";

const zero = word(0);
/** CLOCK_MONOTONIC (clock_gettime(2)): the clock of bpf_ktime_get_ns. */
const monotonic = 1;

/** Listeners of this agent, one for each family the network namespace has. */
export interface StealListeners {
  ipv4: Listener;
  ipv6: Listener | null;
}

/** The attached program and its maps. `close` gives every port back. */
export class StealProgram {
  readonly #object: BpfObject;

  /** Loads the program and attaches it to this thread's network namespace. Throws BpfError. */
  constructor(listeners: StealListeners) {
    this.#object = new BpfObject("steal");
    let netns = -1;
    try {
      this.#object.set("sockets", word(0), long(listeners.ipv4.fd));
      if (listeners.ipv6 !== null) this.#object.set("sockets", word(1), long(listeners.ipv6.fd));
      netns = openOwnNetns();
      this.#object.attach(netns);
    } catch (error) {
      this.close();
      throw error;
    } finally {
      if (netns >= 0) c.close(netns);
    }
  }

  /**
   * From now on new connections for `port` come to the listeners, those for addresses of the sets `reach`
   * (`reachBits`).
   */
  steal(port: number, reach: number): void {
    this.#object.set("ports", word(port), word(reach << reachShift));
  }

  /** From now on new connections for `port` go to the original. */
  release(port: number): void {
    this.#object.remove("ports", word(port));
  }

  /** How many sources `addBypass` can take at a time. */
  get bypassRoom(): number {
    return this.#object.room("bypasses");
  }

  /** Lets connections from `source`, an address and port of this agent, reach the original. */
  addBypass(source: Endpoint): void {
    this.#object.set("bypasses", bypassKey(source), zero);
  }

  /** Ends `addBypass`. */
  removeBypass(source: Endpoint): void {
    this.#object.remove("bypasses", bypassKey(source));
  }

  /** Connections are handed over for `milliseconds` more, 0: no longer. Nothing is until this was called. */
  handOver(milliseconds: number): void {
    const until = milliseconds <= 0 ? 0n : monotonicNs() + BigInt(Math.round(milliseconds * 1e6));
    this.#object.set("heartbeat", word(0), long(until));
  }

  /**
   * How many connections of stolen ports the original got since the last `handOver` had run out, in all. Late
   * packets of ended connections count too (steal.bpf.c): it may be some more.
   */
  get passed(): number {
    const count = this.#object.get("passed", word(0), 8);
    return Number(new DataView(count.buffer).getBigUint64(0, true));
  }

  /** Detaches and frees all; may be called twice. */
  close(): void {
    this.#object.close();
  }
}

/** `struct bypass_key` of the program: 16 bytes of the address, then the port, both in network order. */
export function bypassKey(source: Endpoint): Uint8Array<ArrayBuffer> {
  const key = new Uint8Array(24);
  key.set(addressBytes(source.address));
  new DataView(key.buffer).setUint16(16, source.port);
  return key;
}

function monotonicNs(): bigint {
  const time = new BigInt64Array(2);
  check("clock_gettime", c.clock_gettime(monotonic, new Uint8Array(time.buffer)));
  return (time[0] ?? 0n) * 1_000_000_000n + (time[1] ?? 0n);
}
