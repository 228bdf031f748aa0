// Which connections to one listener of the app are the session's own, and the client for which it made each:
// the app sees that client as its peer. Owned by incoming.ts, a list for each listener.
// Invariant: a program of this machine that dials the listener is never shown as a client of the pod. An
// address and port are the session's while its socket is open. Once that is closed, the client is reported
// once more, to an app that accepts late: a connection from there afterwards is another program's, since a
// listener hands out connections in the order in which they came.

import type { Address } from "../../protocol-wasm/mod.ts";

/** The client of the pod and the address that it asked for. */
export interface Client {
  peer: Address;
  local: Address;
}

/** A socket of the session's, connected to the listener. */
export interface OwnEnd {
  readonly localAddress: Address;
  readonly isClosed: boolean;
}

interface Entry {
  own: OwnEnd;
  client: Client;
  isTold: boolean;
}

/** Finished connections whose real client is still reported to an app that accepts late. */
const remembered = 1024;

export class Peers {
  readonly #entries = new Map<string, Entry>();

  /** The session dialled the listener from `own` for `client`. */
  add(own: OwnEnd, client: Client): void {
    const key = keyOf(own.localAddress);
    this.#entries.delete(key);
    this.#entries.set(key, { own, client, isTold: false });
    const [oldest] = this.#entries.keys();
    if (this.#entries.size > remembered && oldest !== undefined) this.#entries.delete(oldest);
  }

  /** The client for which the session made the connection from `peer`; undefined when it made none. */
  of(peer: Address): Client | undefined {
    const key = keyOf(peer);
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    const isPast = entry.own.isClosed;
    if (isPast) this.#entries.delete(key);
    if (isPast && entry.isTold) return undefined;
    entry.isTold = true;
    return entry.client;
  }
}

function keyOf({ address, port }: Address): string {
  return `${address} ${port}`;
}
