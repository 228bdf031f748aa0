// One connection's bytes over a link: those received and not yet read, those to be sent that wait for credit.
// link.ts makes channels and feeds them, outbox.ts takes their bytes. Received bytes never exceed the window,
// because credit goes back only for what was read; bytes to send stay in the writer's own buffer until they
// are copied out. The window grows for a reader that keeps up: over a path with a long delay it would
// otherwise limit the speed (RFC 7323, 1.2).

import { E } from "../errno.ts";
import { RemoteError } from "../errors.ts";
import { freeBytes } from "./free_bytes.ts";

/**
 * A duplex byte stream: a channel of a link, a socket, what stands before one. core/net/relay.ts joins two.
 */
export interface ByteChannel {
  /**
   * The next bytes, or null after the peer's half-close; rejects once the stream is reset or the link over.
   */
  read(): Promise<Uint8Array | null>;
  /**
   * The caller has passed on `bytes`, all of what a `read` gave, and needs them no more: their memory is free
   * at once. Absent where others may hold a part of them.
   */
  release?(bytes: Uint8Array): void;
  /**
   * Resolves when the bytes are taken, and nothing holds them any more: that is the back-pressure. Rejects
   * once the stream is reset or the link over.
   */
  write(bytes: Uint8Array): Promise<void>;
  /** Half-close: this side sends no more. Resolves when that was written. */
  closeWrite(): Promise<void>;
  /** Ends both ways at once; the peer sees a reset. Does nothing on a stream that ended. */
  reset(): void;
  /** As `reset`, behind what was written. Absent where `reset` is in order already, as it is on a link. */
  resetInOrder?(): Promise<void>;
}

/** A channel of a link. */
export interface LinkChannel extends ByteChannel {
  /** Bytes that arrived and were not read. */
  readonly unread: number;
}

/** What a channel asks of its link. */
interface ChannelLink {
  /** The channel has bytes or an END to send. */
  sendable(channel: Channel): void;
  /** The peer may send `bytes` more. */
  credit(id: number, bytes: number): void;
  /** May a window grow by `bytes`? All channels together may only so much. */
  grow(bytes: number): boolean;
  /** This side resets the channel. */
  resets(channel: Channel): void;
}

/** Bytes on their way out; `bytes` null is the half-close. */
interface Outgoing {
  bytes: Uint8Array | null;
  sent: number;
  taken: PromiseWithResolvers<void>;
}

/** The first window, assembly/connections.ts's WINDOW; credit goes back by halves of it. */
export const firstWindow = 1 << 18;
const maxWindow = 1 << 22;
/**
 * Half a window read in less time than this makes the window grow: it then lasts for a round trip of this
 * length.
 */
const growthMs = 100;
/**
 * Small pieces that nobody waits for are joined into blocks of this size, so that a window of them stays a
 * window.
 */
const blockBytes = 1 << 14;

/** By how much the windows of one link have grown together: stalled readers may leave that much unread. */
export class WindowGrowth {
  #left = 64 << 20;

  take(bytes: number): boolean {
    if (bytes > this.#left) return false;
    this.#left -= bytes;
    return true;
  }

  give(bytes: number): void {
    this.#left += bytes;
  }
}

/**
 * Swallows the rejection of a promise that its caller may not be waiting for; `closed` reports the link's
 * end.
 */
export function quiet<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {});
  return promise;
}

export class Channel implements LinkChannel {
  readonly id: number;
  readonly #link: ChannelLink;
  #received: Uint8Array[] = [];
  /** Bytes used of the last received block when it may still be filled, otherwise 0. */
  #filled = 0;
  #reader: PromiseWithResolvers<Uint8Array | null> | undefined;
  #uncredited = 0;
  #window = firstWindow;
  #creditedAt = performance.now();
  #peerEnded = false;
  #outgoing: Outgoing[] = [];
  #ended = false;
  #failure: Error | undefined;
  /** What came before the peer's reset is still read, its half-close too, as of a socket of Linux. */
  #resetByPeer = false;

  constructor(id: number, link: ChannelLink) {
    this.id = id;
    this.#link = link;
  }

  read(): Promise<Uint8Array | null> {
    if (this.#reader !== undefined) return Promise.reject(new TypeError("a read of this channel is pending"));
    let bytes = this.#received.shift();
    if (bytes !== undefined) {
      if (this.#received.length === 0 && this.#filled > 0) {
        bytes = bytes.subarray(0, this.#filled);
        this.#filled = 0;
      }
      this.#credit(bytes.length);
      return Promise.resolve(bytes);
    }
    if (this.#failure !== undefined && !(this.#peerEnded && this.#resetByPeer)) {
      return quiet(Promise.reject(this.#failure));
    }
    if (this.#peerEnded) return Promise.resolve(null);
    this.#reader = Promise.withResolvers();
    return quiet(this.#reader.promise);
  }

  release(bytes: Uint8Array): void {
    freeBytes(bytes);
  }

  write(bytes: Uint8Array): Promise<void> {
    return this.#send(bytes);
  }

  closeWrite(): Promise<void> {
    if (this.#ended && this.#failure === undefined) return Promise.resolve();
    const written = this.#send(null);
    this.#ended = true;
    return written;
  }

  reset(): void {
    if (this.#failure !== undefined || (this.#ended && this.#outgoing.length === 0 && this.#peerEnded)) {
      return;
    }
    this.fail(new RemoteError(E.ECONNRESET, "this connection was reset"));
    this.#link.resets(this);
  }

  // -- for the link ----------------------------------------------------------------------------------------------

  get unread(): number {
    const spare = this.#filled === 0 ? 0 : (this.#received.at(-1)?.length ?? 0) - this.#filled;
    return this.#received.reduce((sum, bytes) => sum + bytes.length, 0) - spare;
  }

  /** By how much the window has grown. */
  get grown(): number {
    return this.#window - firstWindow;
  }

  /** Both sides have ended, and this side's END was put. */
  get done(): boolean {
    return this.#peerEnded && this.#ended && this.#outgoing.length === 0;
  }

  /** Bytes arrived; `bytes` is the channel's from now on. */
  receive(bytes: Uint8Array): void {
    if (bytes.length === 0 || this.#failure !== undefined) return;
    if (this.#reader !== undefined) {
      this.#credit(bytes.length);
      this.#answer(bytes);
    } else if (bytes.length >= blockBytes || this.#received.length === 0) {
      this.#seal();
      this.#received.push(bytes);
    } else this.#join(bytes);
  }

  /** The peer's half-close arrived. */
  receiveEnd(): void {
    this.#peerEnded = true;
    if (this.#received.length === 0) this.#answer(null);
  }

  /**
   * Both ways are over with `error`: what waits, and whatever is asked from now on, rejects; but see
   * `failReset`.
   */
  fail(error: Error): void {
    if (this.#failure !== undefined) return;
    this.#failure = error;
    if (!this.#resetByPeer) {
      this.#received = [];
      this.#filled = 0;
    }
    this.#reader?.reject(error);
    this.#reader = undefined;
    for (const outgoing of this.#outgoing.splice(0)) outgoing.taken.reject(error);
  }

  /** The peer reset the connection: nothing is written any more, what came before is still read. */
  failReset(): void {
    this.#resetByPeer = this.#failure === undefined;
    this.fail(new RemoteError(E.ECONNRESET, "the connection was reset by the other side"));
  }

  /** What is to be sent next: bytes not yet taken, null for the half-close, undefined for nothing. */
  next(): Uint8Array | null | undefined {
    const first = this.#outgoing[0];
    return first === undefined ? undefined : first.bytes === null ? null : first.bytes.subarray(first.sent);
  }

  /**
   * `count` bytes of `next` were copied out; answers the writer's promise once nothing of its bytes is left.
   */
  taken(count: number): PromiseWithResolvers<void> | undefined {
    const first = this.#outgoing[0];
    if (first === undefined) return undefined;
    first.sent += count;
    if (first.bytes !== null && first.sent < first.bytes.length) return undefined;
    this.#outgoing.shift();
    return first.taken;
  }

  #send(bytes: Uint8Array | null): Promise<void> {
    if (this.#failure !== undefined) return quiet(Promise.reject(this.#failure));
    if (this.#ended) {
      return quiet(Promise.reject(new RemoteError(E.EPIPE, "this side of the connection is closed")));
    }
    if (bytes?.length === 0) return Promise.resolve();
    const taken = Promise.withResolvers<void>();
    this.#outgoing.push({ bytes, sent: 0, taken });
    this.#link.sendable(this);
    return quiet(taken.promise);
  }

  #answer(bytes: Uint8Array | null): void {
    const reader = this.#reader;
    this.#reader = undefined;
    reader?.resolve(bytes);
  }

  #credit(bytes: number): void {
    this.#uncredited += bytes;
    if (this.#peerEnded || this.#failure !== undefined || this.#uncredited < this.#window >> 1) return;
    const now = performance.now();
    const fast = now - this.#creditedAt < growthMs && this.#received.length === 0;
    const growth = fast && this.#window < maxWindow && this.#link.grow(this.#window) ? this.#window : 0;
    this.#creditedAt = now;
    this.#window += growth;
    this.#link.credit(this.id, this.#uncredited + growth);
    this.#uncredited = 0;
  }

  /** Appends a small piece to the last block, or begins one. */
  #join(bytes: Uint8Array): void {
    let block = this.#received[this.#received.length - 1];
    if (block === undefined || this.#filled === 0 || this.#filled + bytes.length > block.length) {
      this.#seal();
      block = new Uint8Array(blockBytes);
      this.#received.push(block);
    }
    block.set(bytes, this.#filled);
    this.#filled += bytes.length;
  }

  /** The last block takes no more: cuts it to what is in it. */
  #seal(): void {
    const last = this.#received.length - 1;
    const block = this.#received[last];
    if (block !== undefined && this.#filled > 0) this.#received[last] = block.subarray(0, this.#filled);
    this.#filled = 0;
  }
}
