// The heartbeat of stealing: new connections of stolen ports come to the agent only while it beats, and it
// beats only while this event loop runs and frames of the client arrive. Made by incoming.ts; steal.ts and
// route.ts ask it.
// The kernel compares the time it is given (agent/bpf/steal.bpf.c), so that a stopped agent costs the target
// nothing either. Invariant: nothing is sent to a client that may be silent: what waits for such a client is
// unread and can still go to the original.

import type { Liveness } from "../../protocol-wasm/mod.ts";

/** The kernel's part; subscriptions.ts has it. */
export interface Gate {
  /** New connections come for so long; 0: they do not. */
  handOver(milliseconds: number): void;
  /** How many connections went to the original because there was no beat, in all. */
  readonly passed: number;
}

export interface HeartbeatOptions {
  /** The client may be silent for so long. */
  limitMs: number;
  liveness: Pick<Liveness, "provenAt" | "ask">;
  gate: Gate;
  /** The client is silent from now on. */
  onSilence(): void;
  /** New connections come again: how long they did not, and how many went to the original. */
  onReturn(milliseconds: number, connections: number): void;
}

/** How often it beats within the limit, and how often at least. */
const beats = 8;
const longestBeatMs = 250;
/** A beat that is later by more than this means that the agent itself did not run. */
const lateMs = 250;

export class Heartbeat implements Disposable {
  readonly #options: HeartbeatOptions;
  readonly #beatMs: number;
  /** Without a sign of life for longer than this the client may be silent. */
  readonly #doubtMs: number;
  #timer: number | undefined;
  #due = 0;
  #now = 0;
  /** The last sign of life, with the time in which the agent did not run left out. */
  #base = 0;
  /** When the kernel stops handing over. */
  #until = 0;
  #silent = false;
  #held = false;
  #full = false;
  #counted = 0;
  #waiting: (() => void)[] = [];

  constructor(options: HeartbeatOptions) {
    this.#options = options;
    this.#beatMs = Math.min(options.limitMs / beats, longestBeatMs);
    this.#doubtMs = options.limitMs / 3;
  }

  /** Beats from now on. */
  start(): void {
    if (this.#timer !== undefined) return;
    this.#base = this.#now = performance.now();
    this.#silent = false;
    this.#counted = this.#options.gate.passed;
    this.#beat();
  }

  /** Beats no more: nothing is stolen. */
  stop(): void {
    if (this.#timer === undefined) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#due = this.#until = 0;
    this.#silent = false;
    this.#options.gate.handOver(0);
    this.#wake();
  }

  /** The client stands still, and said so: until `hold(false)` it counts as silent, from now on. */
  hold(held: boolean): void {
    this.#held = held;
    if (this.#timer === undefined) return;
    clearTimeout(this.#timer);
    this.#beat();
  }

  /** No frame of the client came in time, or it stands still. */
  get silent(): boolean {
    return this.#silent;
  }

  /** The time of the last beat, to mark with what is sent to the client. */
  get now(): number {
    return this.#now;
  }

  /** The client is not known to have what was sent at `time`, a value of `now`. */
  mayBeLost(time: number): boolean {
    return time + this.#beatMs >= this.#base - this.#doubtMs;
  }

  /**
   * Resolves when it is known whether the client is there: at once while signs of life come, otherwise with
   * the next one or with the silence. False: it is silent.
   */
  async present(): Promise<boolean> {
    while (this.#isDoubtful()) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    return !this.#silent;
  }

  /**
   * The agent has as many connections as it can: new ones go to the original. Returns how many did since the
   * last call.
   */
  setFull(full: boolean): number {
    this.#full = full;
    if (this.#timer !== undefined) this.#handOver();
    return this.#count();
  }

  [Symbol.dispose](): void {
    this.stop();
  }

  #isDoubtful(): boolean {
    if (this.#timer === undefined || this.#silent) return false;
    return performance.now() - Math.max(this.#base, this.#options.liveness.provenAt) > this.#doubtMs;
  }

  #beat(): void {
    const { liveness, limitMs } = this.#options;
    const now = performance.now();
    const late = this.#due === 0 ? 0 : now - this.#due;
    if (late > lateMs) this.#base += late;
    this.#now = now;
    this.#base = Math.max(this.#base, liveness.provenAt);
    const gapMs = this.#until === 0 ? 0 : now - this.#until;
    if (!this.#held && now < this.#base + limitMs) {
      this.#silent = false;
      this.#until = this.#base + limitMs;
      this.#handOver();
      if (gapMs > 0) this.#options.onReturn(Math.round(gapMs), this.#full ? 0 : this.#count());
    } else if (!this.#silent) {
      this.#silent = true;
      this.#until = Math.min(this.#until, now);
      this.#handOver();
      this.#options.onSilence();
    }
    this.#wake();
    liveness.ask();
    this.#due = now + this.#beatMs;
    this.#timer = setTimeout(() => this.#beat(), this.#beatMs);
  }

  #handOver(): void {
    this.#options.gate.handOver(this.#full || this.#silent ? 0 : this.#until - performance.now());
  }

  #count(): number {
    const { passed } = this.#options.gate;
    const count = passed - this.#counted;
    this.#counted = passed;
    return count;
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}
