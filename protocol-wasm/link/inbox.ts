// The frames a link received and its owner has not taken yet: a bounded queue with one consumer. link.ts
// fills it and stops reading while it is `full`.

import type { MessageTable } from "../messages/codec.ts";

const maxFrames = 1024;
const maxBytes = 4 << 20;

/**
 * A frame from the peer; `decode(table[name], body)` reads it. `name` is the first of the table with its
 * number.
 */
export interface Received<T extends MessageTable> {
  readonly name: keyof T & string;
  readonly id: number;
  readonly flags: number;
  readonly body: Uint8Array;
}

export class Inbox<F> implements AsyncIterable<F> {
  #frames: { frame: F; bytes: number }[] = [];
  #bytes = 0;
  #ended = false;
  #consumer: PromiseWithResolvers<void> | undefined;
  #producer: PromiseWithResolvers<void> | undefined;

  /** Whether no more frames may be put until `taken` resolves. */
  get full(): boolean {
    return this.#frames.length >= maxFrames || this.#bytes >= maxBytes;
  }

  put(frame: F, bytes: number): void {
    this.#frames.push({ frame, bytes });
    this.#bytes += bytes;
    this.#consumer?.resolve();
  }

  /** Resolves when there is room again, or the inbox ended. */
  taken(): Promise<void> {
    if (!this.full || this.#ended) return Promise.resolve();
    this.#producer ??= Promise.withResolvers();
    return this.#producer.promise;
  }

  /** No more frames come; what is there can still be taken. */
  end(): void {
    this.#ended = true;
    this.#consumer?.resolve();
    this.#producer?.resolve();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<F> {
    for (;;) {
      const next = this.#frames.shift();
      if (next !== undefined) {
        this.#bytes -= next.bytes;
        if (!this.full) this.#release();
        yield next.frame;
      } else if (this.#ended) return;
      else {
        this.#consumer = Promise.withResolvers();
        await this.#consumer.promise;
        this.#consumer = undefined;
      }
    }
  }

  #release(): void {
    this.#producer?.resolve();
    this.#producer = undefined;
  }
}
