// Whether the peer of a link is still there: it sends a ping at an interval, and reports the link as lost
// after a limit without a single byte. link.ts owns one per link. The timers keep no program alive. Time in
// which this side itself did not run (a stopped process, a sleeping laptop) is not counted as silence.

import { LinkError } from "../errors.ts";

export interface LivenessOptions {
  /** Milliseconds between pings. */
  intervalMs: number;
  /** Milliseconds without any received byte after which the link is lost. */
  limitMs: number;
}

/** A timer later than this means that this side did not run. */
const lateMs = 50;

export class Liveness {
  readonly #options: LivenessOptions | undefined;
  readonly #events: { ask: () => void; lost: (error: LinkError) => void };
  #heardAt = performance.now();
  #provenAt = performance.now();
  #paused = false;
  #excusedUntil = 0;
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

  /**
   * When bytes last came from the peer, by performance.now(), with the time in which this side itself did not
   * run left out.
   */
  get heardAt(): number {
    return this.#heardAt;
  }

  /** The bytes that came held more than a question whether this side is there. */
  proved(): void {
    this.#provenAt = this.#heardAt;
  }

  /**
   * When the peer last showed that what this side sends reaches it, by performance.now(): any frame but a
   * ping of its own, since only that goes on without an answer. It shows soon after `ask` as long as the
   * peer's event loop turns.
   */
  get provenAt(): number {
    return this.#provenAt;
  }

  /** Asks for a sign of life now. */
  ask(): void {
    this.#events.ask();
  }

  /** This side stops reading for a while: silence is its own doing until `heard`. */
  pause(): void {
    this.#paused = true;
  }

  /** The peer said that it stands still, for at most so long: its silence is no loss. 0: it is back. */
  excuse(milliseconds: number): void {
    this.#excusedUntil = performance.now() + milliseconds;
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #schedule(): void {
    if (this.#options === undefined) return;
    const { intervalMs, limitMs } = this.#options;
    const now = performance.now();
    const left = this.#paused || now < this.#excusedUntil ? intervalMs : this.#heardAt + limitMs - now;
    const wait = Math.max(1, Math.min(intervalMs, left));
    this.#timer = setTimeout(() => this.#tick(limitMs, now + wait), wait);
    Deno.unrefTimer(this.#timer);
  }

  #tick(limitMs: number, due: number): void {
    // Deno calls a timer that was due already when it was cleared, where both happen in one turn of its event
    // loop.
    if (this.#timer === undefined) return;
    const now = performance.now();
    const late = now - due;
    if (late > lateMs) this.#heardAt += late;
    if (!this.#paused && now >= this.#excusedUntil && now - this.#heardAt >= limitMs) {
      return this.#events.lost(
        new LinkError(`Cannot use the link: the other side was silent for ${limitMs} ms`),
      );
    }
    this.#schedule();
    this.#events.ask();
  }
}
