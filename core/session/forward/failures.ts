// The events about forwards whose other end cannot be reached. Owned by forwarder.ts, since it outlives each
// agent. Invariant: a failure is news until the same one comes again; a success in between makes it news.

import { E, RemoteError } from "../../../protocol-wasm/mod.ts";
import { SystemError } from "../../net/system_error.ts";
import type { Emit, ForwardFacts } from "../events.ts";

const words: Partial<Record<number, string>> = {
  [E.ECONNREFUSED]: "the connection is refused",
  [E.ETIMEDOUT]: "nothing answers",
  [E.EHOSTUNREACH]: "there is no way to the host",
  [E.ENETUNREACH]: "there is no way to the network",
};

export class Failures {
  readonly #emit: Emit;
  /** The last failure of each forward. */
  readonly #told = new Map<string, string>();

  constructor(emit: Emit) {
    this.#emit = emit;
  }

  /** A connection, or the datagrams of a client, could not be carried. */
  failed(forward: ForwardFacts, error: unknown): void {
    const reason = reasonOf(error);
    const isNews = this.#told.get(keyOf(forward)) !== reason;
    this.#told.set(keyOf(forward), reason);
    this.#emit({ type: "forwardFailed", ...forward, reason, isNews });
  }

  /** One was carried: the next failure is news. */
  worked(forward: ForwardFacts): void {
    this.#told.delete(keyOf(forward));
  }
}

function reasonOf(error: unknown): string {
  const errno = error instanceof RemoteError || error instanceof SystemError ? error.errno : 0;
  return words[errno] ?? (error instanceof Error ? error.message : String(error));
}

function keyOf({ direction, protocol, from, to }: ForwardFacts): string {
  return `${direction} ${protocol} ${from} ${to}`;
}
