// Whether the peer of a link is still there: asks for a sign of life at an interval, and calls the link lost after a
// limit without a single byte. link.ts owns one per link. The timers keep no program alive.

import { LinkError } from "./errors.ts";

export interface LivenessOptions {
  /** Milliseconds between pings. */
  intervalMs: number;
  /** Milliseconds without any received byte after which the link is lost. */
  limitMs: number;
}

export class Liveness {
  readonly #options: LivenessOptions | undefined;
  readonly #events: { ask: () => void; lost: (error: LinkError) => void };
  #heardAt = performance.now();
  #paused = false;
  #timer: number | undefined;

  constructor(
    options: LivenessOptions | undefined,
    events: { ask: () => void; lost: (error: LinkError) => void },
  ) {
    this.#options = options;
    this.#events = events;
    this.#schedule();
  }

  /** Bytes came from the peer. */
  heard(): void {
    this.#heardAt = performance.now();
    this.#paused = false;
  }

  /** This side stops reading for a while: silence is its own doing until `heard`. */
  pause(): void {
    this.#paused = true;
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #schedule(): void {
    if (this.#options === undefined) return;
    const { intervalMs, limitMs } = this.#options;
    const left = this.#paused ? intervalMs : this.#heardAt + limitMs - performance.now();
    this.#timer = setTimeout(() => this.#tick(limitMs), Math.max(1, Math.min(intervalMs, left)));
    Deno.unrefTimer(this.#timer);
  }

  #tick(limitMs: number): void {
    if (!this.#paused && performance.now() - this.#heardAt >= limitMs) {
      return this.#events.lost(
        new LinkError(`Cannot use the link: the other side was silent for ${limitMs} ms`),
      );
    }
    this.#schedule();
    this.#events.ask();
  }
}
