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

/** A dial of the session's. Its end is reported by one of these. */
export interface OwnDial {
  /** It is a connection, by this socket. */
  connected(socket: { readonly isClosed: boolean }): void;
  /** There is no connection. */
  failed(): void;
}

interface Entry {
  /** Undefined: the session does not know of a connection yet, but the app may have accepted it. */
  socket?: { readonly isClosed: boolean };
  client: Client;
  isTold: boolean;
}

/** Finished connections whose real client is still reported to an app that accepts late. */
const remembered = 1024;

export class Peers {
  readonly #entries = new Map<string, Entry>();

  /** The session dials the listener from `local` for `client`. */
  add(local: Address, client: Client): OwnDial {
    const key = keyOf(local);
    const entry: Entry = { client, isTold: false };
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    const [oldest] = this.#entries.keys();
    if (this.#entries.size > remembered && oldest !== undefined) this.#entries.delete(oldest);
    return {
      connected: (socket) => entry.socket = socket,
      failed: () => this.#entries.get(key) === entry && this.#entries.delete(key),
    };
  }

  /** The client for which the session made the connection from `peer`; undefined when it made none. */
  of(peer: Address): Client | undefined {
    const key = keyOf(peer);
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    const isPast = entry.socket?.isClosed ?? false;
    if (isPast) this.#entries.delete(key);
    if (isPast && entry.isTold) return undefined;
    entry.isTold = true;
    return entry.client;
  }
}

function keyOf({ address, port }: Address): string {
  return `${address} ${port}`;
}
