// A link's stream in memory: what a test says is read, in pieces as it likes, and what is written is counted
// or given to it. Used by the fuzz bodies, for which real sockets are too slow.

import type { LinkStream } from "../../protocol-wasm/mod.ts";

export class MemoryStream implements LinkStream {
  /** Is told of all that is written; the bytes change afterwards. */
  heard: (bytes: Uint8Array) => void = () => {};
  /** How much of what is there one read gives; all unless told. */
  piece: () => number = () => Infinity;
  /** Nothing that is written is taken any more. */
  stuck = false;
  written = 0;
  isClosed = false;
  #queue: Uint8Array[] = [];
  #ended = false;
  readonly #released = Promise.withResolvers<void>();
  #wake: PromiseWithResolvers<void> | null = null;

  /** `bytes` can be read. */
  say(bytes: Uint8Array): void {
    if (bytes.length > 0) this.#queue.push(bytes);
    this.#wake?.resolve();
  }

  /** What was not taken is, and all that follows. */
  release(): void {
    this.stuck = false;
    this.#released.resolve();
  }

  /** Nothing follows. */
  end(): void {
    this.#ended = true;
    this.#wake?.resolve();
  }

  async read(into: Uint8Array): Promise<number | null> {
    for (;;) {
      if (this.isClosed) return null;
      const first = this.#queue[0];
      if (first !== undefined) {
        const count = Math.min(into.length, first.length, Math.max(1, this.piece()));
        into.set(first.subarray(0, count));
        if (count === first.length) this.#queue.shift();
        else this.#queue[0] = first.subarray(count);
        return count;
      }
      if (this.#ended) return null;
      this.#wake = Promise.withResolvers();
      await this.#wake.promise;
    }
  }

  write(bytes: Uint8Array): Promise<void> {
    if (this.isClosed) return Promise.reject(new Error("the stream is closed"));
    if (this.stuck) return this.#released.promise.then(() => this.write(bytes));
    this.written += bytes.length;
    this.heard(bytes);
    return Promise.resolve();
  }

  close(): void {
    this.isClosed = true;
    this.#wake?.resolve();
  }
}
