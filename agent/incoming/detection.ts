// How long the first message of a connection may leave open whether it is HTTP/1. Called by route.ts and
// steal.ts, which read it. The time begins with the first byte and ends with the first whole line, as
// upstream's: a silent connection is not timed, nor is what follows a request line.

/**
 * In so many parts the time is counted: an agent that stood still meanwhile reads what came before it judges.
 */
const parts = 4;

export class Detection implements Disposable {
  readonly #limitMs: number;
  readonly #late = Promise.withResolvers<void>();
  #timer: number | undefined;
  #state: "silent" | "begun" | "late" | "known" = "silent";
  /** Empty lines before a request line are none (RFC 9112, 2.2). */
  #inLine = false;

  constructor(limitMs: number) {
    this.#limitMs = limitMs;
  }

  /** Resolves when the time is up. */
  get late(): Promise<void> {
    return this.#late.promise;
  }

  get isLate(): boolean {
    return this.#state === "late";
  }

  /** These bytes came next, and what they are is not known by them. */
  take(bytes: Uint8Array): void {
    if (this.#state === "silent") {
      this.#state = "begun";
      this.#wait(parts);
    }
    for (const byte of bytes) {
      if (byte !== 10 && byte !== 13) this.#inLine = true;
      else if (byte === 10 && this.#inLine) return this.known();
    }
  }

  /** What the connection speaks is known: nothing is timed any more. */
  known(): void {
    if (this.#state === "late") return;
    clearTimeout(this.#timer);
    this.#state = "known";
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }

  #wait(left: number): void {
    this.#timer = setTimeout(() => {
      if (left > 1) return this.#wait(left - 1);
      this.#state = "late";
      this.#late.resolve();
    }, this.#limitMs / parts);
  }
}
