// A request with its answer, whatever the protocol: route.ts decides which side gets it, and the protocol of
// the connection (http1.ts) carries it. Invariant: the head alone decides which side answers, before a byte
// of the body is read.

import type { Source } from "./source.ts";

/** The side that answers requests. */
export interface Side {
  readonly name: "app" | "original";
  readonly stream: Source;
  /** Bytes of the app's that wait in its channel. */
  readonly unread?: () => number;
  /** Frees it: no more requests come. */
  readonly close: () => void;
}

/** What follows an answer: the next request, nothing but opaque bytes, or the end. */
export type Next = "request" | "tunnel" | "tail";

export interface Exchange {
  /** The request's head, as a filter reads it and as `side` is to get it. */
  readonly head: Uint8Array;
  /**
   * Body to `side`, which has the head, and its answer back, at the same time. Rejects when the peer is to
   * see a reset.
   */
  run(side: Side): Promise<Next>;
}

/**
 * What the bytes of a peer turned out to be: a request, or nothing that the protocol knows, from its first
 * byte on.
 */
export type Found = { exchange: Exchange } | { foreign: Uint8Array; reason: string };

/** The requests of one connection. */
export interface Requests extends Disposable {
  /** Reads on between two requests; `found` null: more bytes are needed, and these are kept. */
  read(bytes: Uint8Array): { used: number; found: Found | null };
  /** `side` gets no more requests. */
  forget(side: Side): void;
}
