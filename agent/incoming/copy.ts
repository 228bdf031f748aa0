// One mirrored connection on its way to the session: a bounded queue in front of the link's channel. Made by
// flow.ts. Invariant: the target never waits for the session. A queue over its bound, or a session that wants
// no more, ends the copy, and its bytes are counted as lost; the connection at the target is not affected.

import { type ByteChannel, freeBytes } from "../../protocol-wasm/mod.ts";
import type { Budget } from "./budget.ts";

/** Most bytes that one slow connection may have waiting, beside what the link's window takes. */
export const queueLimit = 4 << 20;
/** Small pieces are joined into blocks of this size: what a queue costs is about what is in it. */
const blockSize = 1 << 14;

/** Why a copy ended before its connection: the session is too slow for it, or has no listener any more. */
export type CopyEnd = "slow" | "refused";

export interface CopyOptions {
  channel: ByteChannel;
  /** Whether the session takes it; rejects when the link ends. */
  answer: Promise<"taken" | "refused">;
  budget: Budget;
  /** Called once when the copy ended by itself, with the bytes that were not delivered. */
  ended(how: CopyEnd, bytes: number): void;
  /** Called once when nothing is left of it, however it ended. */
  gone(): void;
}

export class Copy {
  readonly #options: CopyOptions;
  #queue: Uint8Array[] = [];
  /** Bytes used of the last block when it may still be filled, otherwise 0. */
  #filled = 0;
  #waiting = 0;
  #reserved = 0;
  #finished: "end" | "reset" | null = null;
  #over = false;
  #sending = false;

  constructor(options: CopyOptions) {
    this.#options = options;
    options.answer.then((answer) => answer === "refused" && this.#end("refused"), () => this.abort());
    void this.#watchSession();
  }

  /** Takes a copy of `bytes`, or ends this copy when there is no room. */
  push(bytes: Uint8Array): void {
    if (this.#over || this.#finished !== null) return;
    const room = this.#filled === 0 ? 0 : blockSize - this.#filled;
    const fresh = bytes.length <= room ? 0 : Math.max(blockSize, bytes.length - room);
    this.#waiting += bytes.length;
    if (this.#waiting > queueLimit || !this.#options.budget.take(fresh)) return this.#end("slow");
    this.#reserved += fresh;
    const last = this.#queue.at(-1);
    const joined = Math.min(room, bytes.length);
    if (last !== undefined && joined > 0) {
      last.set(bytes.subarray(0, joined), this.#filled);
      this.#filled = this.#filled + joined === blockSize ? 0 : this.#filled + joined;
    }
    const rest = bytes.subarray(joined);
    if (rest.length >= blockSize) {
      this.#queue.push(rest.slice());
      this.#filled = 0;
    } else if (rest.length > 0) {
      const block = new Uint8Array(blockSize);
      block.set(rest);
      this.#queue.push(block);
      this.#filled = rest.length;
    }
    if (!this.#sending) void this.#send();
  }

  /** The connection ended: the session gets its end, or a reset, after what waits. */
  finish(how: "end" | "reset"): void {
    this.#finished ??= how;
    if (!this.#sending) void this.#send();
  }

  /** The session sees a reset, now. */
  abort(): void {
    if (this.#over) return;
    this.#over = true;
    this.#options.channel.reset();
    this.#release();
    this.#options.gone();
  }

  /** Bytes that were taken and not delivered. */
  get waiting(): number {
    return this.#waiting;
  }

  #end(how: CopyEnd): void {
    if (this.#over) return;
    const bytes = this.#waiting;
    this.abort();
    this.#options.ended(how, bytes);
  }

  #release(): void {
    this.#queue = [];
    this.#options.budget.give(this.#reserved);
    this.#reserved = 0;
  }

  async #send(): Promise<void> {
    this.#sending = true;
    try {
      for (;;) {
        let block = this.#queue.shift();
        if (block === undefined) break;
        const size = Math.max(block.length, blockSize);
        if (this.#queue.length === 0 && this.#filled > 0) {
          block = block.subarray(0, this.#filled);
          this.#filled = 0;
        }
        const length = block.length;
        await this.#options.channel.write(block);
        freeBytes(block);
        if (this.#over) return;
        this.#waiting -= length;
        this.#options.budget.give(Math.min(size, this.#reserved));
        this.#reserved -= Math.min(size, this.#reserved);
      }
      if (this.#finished === "end") await this.#options.channel.closeWrite();
      if (this.#finished === "reset") this.abort();
    } catch {
      this.#end("refused"); // the session reset it, or is gone
    } finally {
      this.#sending = false;
    }
    // What came between the last look and here.
    if (!this.#over && this.#queue.length > 0) void this.#send();
  }

  /** The session sends nothing but its end of stream, or a reset. */
  async #watchSession(): Promise<void> {
    try {
      while (await this.#options.channel.read() !== null);
    } catch {
      return this.#end("refused");
    }
    if (this.#finished === null || this.#sending) return this.#end("refused");
    if (this.#over) return;
    this.#over = true;
    this.#release();
    this.#options.gone();
  }
}
