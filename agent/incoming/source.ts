// A byte stream that can be read ahead, and given bytes back: routing needs that, since the receiver of a
// byte is known only after it was read. Called by steal.ts and route.ts.
// Invariant: at most one read of the stream is under way, and one chunk is held; one waiter at a time.

import { type ByteChannel, concatenate } from "../../protocol-wasm/mod.ts";

export class Source implements ByteChannel {
  readonly #stream: ByteChannel;
  #chunk: Uint8Array | null = null;
  /** What was read last, as it was read: nobody has a part of it who did not get it here. */
  #whole: Uint8Array | null = null;
  #ended = false;
  #failure: { cause: unknown } | null = null;
  #reading = false;
  #onReady: (() => void) | null = null;

  constructor(stream: ByteChannel) {
    this.#stream = stream;
  }

  /** Bytes, the end or a failure are here: `peek` answers at once. */
  get ready(): boolean {
    return this.#chunk !== null || this.#ended || this.#failure !== null;
  }

  /** Nothing is held and no read is under way: its reader may read the stream itself from now on. */
  get idle(): boolean {
    return !this.ready && !this.#reading;
  }

  /** The peer half-closed and all its bytes are taken. */
  get ended(): boolean {
    return this.#ended && this.#chunk === null;
  }

  /** The stream was reset, or its link is over. */
  get failed(): boolean {
    return this.#failure !== null;
  }

  /** `then` is called once, when `ready` becomes true, in place of an earlier one; at once when it is. */
  whenReady(then: () => void): void {
    if (this.ready) return then();
    this.#onReady = then;
    if (!this.#reading) void this.#fill();
  }

  /** The bytes at the front, left there; null at the end. Rejects as the stream's `read`. */
  async peek(): Promise<Uint8Array | null> {
    if (!this.ready) await new Promise<void>((resolve) => this.whenReady(resolve));
    if (this.#chunk !== null) return this.#chunk;
    if (this.#failure !== null) throw this.#failure.cause;
    return null;
  }

  /** Drops `count` bytes of what `peek` answered. */
  consume(count: number): void {
    if (this.#chunk === null) return;
    this.#chunk = count >= this.#chunk.length ? null : this.#chunk.subarray(count);
  }

  /** Puts bytes back to the front. */
  unread(parts: Uint8Array[]): void {
    const all = this.#chunk === null ? parts : [...parts, this.#chunk];
    const joined = concatenate(all);
    this.#chunk = joined.length === 0 ? null : joined;
    this.#whole = null;
  }

  async read(): Promise<Uint8Array | null> {
    const bytes = await this.peek();
    this.#chunk = null;
    return bytes;
  }

  /** Does nothing with a part of what the stream gave, or with bytes that were given back. */
  release(bytes: Uint8Array): void {
    if (bytes === this.#whole) this.#stream.release?.(bytes);
  }

  write(bytes: Uint8Array): Promise<void> {
    return this.#stream.write(bytes);
  }

  closeWrite(): Promise<void> {
    return this.#stream.closeWrite();
  }

  reset(): void {
    this.#stream.reset();
  }

  async resetInOrder(): Promise<void> {
    await this.#stream.resetInOrder?.();
    this.#stream.reset();
  }

  /** Bytes that were read and not taken. */
  get held(): number {
    return this.#chunk?.length ?? 0;
  }

  async #fill(): Promise<void> {
    this.#reading = true;
    try {
      const bytes = await this.#stream.read();
      if (bytes === null) this.#ended = true;
      else this.#whole = this.#chunk = this.#chunk === null ? bytes : concatenate([this.#chunk, bytes]);
    } catch (cause) {
      this.#failure = { cause };
    }
    this.#reading = false;
    const then = this.#onReady;
    this.#onReady = null;
    then?.();
  }
}

/** Resolves when one of `sources` is ready. */
export function firstReady(...sources: Source[]): Promise<void> {
  return new Promise((resolve) => {
    for (const source of sources) source.whenReady(resolve);
  });
}

/** Carries bytes and the half-close one way until the end. Rejects as soon as either side does. */
export async function pump(from: ByteChannel, to: ByteChannel): Promise<void> {
  for (;;) {
    const bytes = await from.read();
    if (bytes === null) return await to.closeWrite();
    await to.write(bytes);
    from.release?.(bytes);
  }
}
