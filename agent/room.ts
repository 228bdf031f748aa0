// How much may be under way at a time: a number of items and of bytes. A caller that finds it full waits,
// first come first served. Used by client.ts for the requests of its client, by files.ts for the memory of
// answers. So a client that asks without end, or does not read, cannot make the agent take the target's
// memory.

export class Room {
  readonly #most: { count: number; bytes: number };
  readonly #waiting: { bytes: number; let: () => void }[] = [];
  #count = 0;
  #bytes = 0;

  constructor(most: { count: number; bytes: number }) {
    this.#most = most;
  }

  /**
   * Resolves when there is room for `bytes`, until the result is disposed. One that is larger than all room
   * goes alone.
   */
  async take(bytes: number): Promise<Disposable> {
    if (this.#waiting.length > 0 || !this.#fits(bytes)) {
      await new Promise<void>((resolve) => this.#waiting.push({ bytes, let: resolve }));
    } else this.#enter(bytes);
    let isOver = false;
    return {
      [Symbol.dispose]: () => {
        if (isOver) return;
        isOver = true;
        this.#count--;
        this.#bytes -= bytes;
        this.#admit();
      },
    };
  }

  #fits(bytes: number): boolean {
    if (this.#count === 0) return true;
    return this.#count < this.#most.count && this.#bytes + bytes <= this.#most.bytes;
  }

  #enter(bytes: number): void {
    this.#count++;
    this.#bytes += bytes;
  }

  #admit(): void {
    for (let next = this.#waiting[0]; next !== undefined && this.#fits(next.bytes); next = this.#waiting[0]) {
      this.#waiting.shift();
      this.#enter(next.bytes);
      next.let();
    }
  }
}
