// What one connection of a control socket is told. Called by control.ts. Invariant: what is not read in time
// is left out and counted; nobody who watches makes the session wait or grow.

import type { Answer } from "./messages.ts";

/** Bytes that may wait to be read. */
const mostWaiting = 1 << 20;

const encoder = new TextEncoder();

export class Watcher {
  readonly #conn: Deno.Conn;
  #waiting: string[] = [];
  #size = 0;
  #dropped = 0;
  #writing: Promise<void> | null = null;

  constructor(conn: Deno.Conn) {
    this.#conn = conn;
  }

  /** Tells it as soon as the other end reads. */
  tell(answer: Answer): void {
    const line = `${JSON.stringify(answer)}\n`;
    if (this.#size + line.length > mostWaiting) {
      this.#dropped++;
      return;
    }
    if (this.#dropped > 0) {
      const dropped = this.#dropped;
      this.#dropped = 0;
      this.tell({ dropped });
    }
    this.#waiting.push(line);
    this.#size += line.length;
    this.#writing ??= this.#write();
  }

  /** Resolves when all that was told has been taken, or the other end is gone. */
  async drained(): Promise<void> {
    await this.#writing;
  }

  /** The last that it is told. */
  async end(answer: Answer): Promise<void> {
    this.tell(answer);
    await this.drained();
  }

  /** Resolves when the other end has gone; what it sends is not looked at. */
  async gone(): Promise<void> {
    const bytes = new Uint8Array(1024);
    try {
      while (await this.#conn.read(bytes) !== null);
    } catch {
      // It was reset, or closed on this side.
    }
  }

  async #write(): Promise<void> {
    try {
      while (this.#waiting.length > 0) {
        const bytes = encoder.encode(this.#waiting.join(""));
        this.#waiting = [];
        for (let sent = 0; sent < bytes.length;) sent += await this.#conn.write(bytes.subarray(sent));
        this.#size = this.#waiting.reduce((sum, line) => sum + line.length, 0);
      }
    } catch {
      this.#waiting = []; // the other end is gone; its reader notices
    } finally {
      this.#writing = null;
    }
  }
}
