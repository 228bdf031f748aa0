// Which remote files are still held open: one connection to this socket for each, which is the descriptor
// that the app was given. dup, fork, exec and passing keep it alive as they would a file; when its last copy
// is closed, however that happens, the kernel ends the connection. Used by files.ts.
// A holder first sends the file's number, four bytes little-endian; the session sends nothing. What comes
// after was written by a program without the layer, to a descriptor that it took for a file: it is lost, and
// that is reported.

import { closeQuietly } from "./streams.ts";

/** How long accepting rests after it failed. */
const acceptPauseMs = 100;

/** Each is called once for a file; `released` may come without `held`. */
export interface HoldEvents {
  held(file: number): void;
  released(file: number): void;
  /** So many bytes were written to it past the layer. */
  lost(file: number, bytes: number): void;
  /** A holder waits to be taken. */
  waits(reason: string): void;
}

export class Holds implements AsyncDisposable {
  readonly #listener: Deno.Listener;
  readonly #events: HoldEvents;
  readonly #conns = new Set<Deno.Conn>();
  readonly #serving: Promise<void>;
  #isOver = false;

  constructor(path: string, events: HoldEvents) {
    this.#events = events;
    this.#listener = Deno.listen({ transport: "unix", path });
    Deno.chmodSync(path, 0o666); // as the session's own socket
    this.#serving = this.#serve();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true;
    closeQuietly(this.#listener);
    for (const conn of this.#conns) closeQuietly(conn);
    await this.#serving;
  }

  async #serve(): Promise<void> {
    for (let told = false; !this.#isOver;) {
      try {
        const conn = await this.#listener.accept();
        this.#conns.add(conn);
        void this.#watch(conn);
        told = false;
      } catch (error) {
        if (this.#isOver) return;
        // For example, no descriptor is free: the holder waits in the socket's queue.
        if (!told) this.#events.waits(String(error));
        told = true;
        await new Promise((resolve) => setTimeout(resolve, acceptPauseMs));
      }
    }
  }

  async #watch(conn: Deno.Conn): Promise<void> {
    const number = new Uint8Array(4);
    let file: number | null = null;
    let lost = 0;
    try {
      for (let length = 0; length < number.length;) {
        const count = await conn.read(number.subarray(length));
        if (count === null) return;
        length += count;
      }
      file = new DataView(number.buffer).getUint32(0, true);
      this.#events.held(file);
      const passed = new Uint8Array(4096);
      for (let count = await conn.read(passed); count !== null; count = await conn.read(passed)) {
        lost += count;
      }
    } catch {
      // Ended by this side, or reset: it is over either way.
    } finally {
      this.#conns.delete(conn);
      closeQuietly(conn);
      if (file !== null && lost > 0) this.#events.lost(file, lost);
      if (file !== null && !this.#isOver) this.#events.released(file);
    }
  }
}
