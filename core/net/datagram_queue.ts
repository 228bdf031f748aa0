// Datagrams that came for one reader and wait for it. Used where a socket is shared, or is the runtime's, so
// that the kernel keeps no queue for each reader: darwin/datagram.ts and core/session/forward/datagrams.ts,
// which receive by `receiveAll`.
// Invariant: what there is no room for is dropped and counted, as a kernel would.

import { within } from "../base/pause.ts";
import { lateMs } from "./datagram_relay.ts";
import { E, SystemError } from "./system_error.ts";

/** Bytes that may wait. */
const roomBytes = 4 << 20;

export class DatagramQueue {
  readonly #waiting: Uint8Array<ArrayBuffer>[] = [];
  #unread = 0;
  #dropped = 0;
  #isClosed = false;
  /** Resolves when there is something new for `next`. */
  #news = Promise.withResolvers<void>();
  /** Set by `finish`: when nothing came for that long, that was all. */
  #lateMs: number | null = null;

  /** Datagrams that there was no room for. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Bytes that came and were not read yet. */
  get unread(): number {
    return this.#unread;
  }

  put(bytes: Uint8Array<ArrayBuffer>): void {
    if (this.#isClosed) return;
    if (this.#unread + bytes.length > roomBytes) {
      this.#dropped++;
      return;
    }
    this.#waiting.push(bytes);
    this.#unread += bytes.length;
    this.#wake();
  }

  /** The next one; null once `finish` was called and nothing more came. Rejects with SystemError. */
  async next(): Promise<Uint8Array<ArrayBuffer> | null> {
    for (;;) {
      const first = this.#waiting.shift();
      if (first !== undefined) {
        this.#unread -= first.length;
        return first;
      }
      if (this.#isClosed) throw new SystemError("recv", E.ECONNRESET);
      if (this.#lateMs === null) await this.#news.promise;
      else if (!await within(this.#news.promise.then(() => true), this.#lateMs, false)) return null;
    }
  }

  /** What waits, or comes within `lateMs`, is the last. */
  finish(lateMs: number): void {
    if (this.#isClosed || this.#lateMs !== null) return;
    this.#lateMs = lateMs;
    this.#wake();
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#wake();
  }

  #wake(): void {
    this.#news.resolve();
    this.#news = Promise.withResolvers();
  }
}

/** How `receiveAll` goes on. */
export interface ReceiveOptions {
  take: (bytes: Uint8Array<ArrayBuffer>, from: Deno.NetAddr) => void;
  /** The socket is closed. */
  isClosed: () => boolean;
}

/** Takes every datagram that comes to `conn`, until that is closed. */
export async function receiveAll(conn: Deno.DatagramConn, { take, isClosed }: ReceiveOptions): Promise<void> {
  while (!isClosed()) {
    try {
      const [bytes, from] = await conn.receive();
      take(bytes as Uint8Array<ArrayBuffer>, from as Deno.NetAddr);
    } catch {
      if (isClosed()) return;
      // About one datagram, never about the socket; it must not turn without end.
      await new Promise((resolve) => setTimeout(resolve, lateMs));
    }
  }
}
