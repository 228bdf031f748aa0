// The time now by the clock that stamps packets: the target's node has another clock than this machine, and
// its packets arrive later than they passed. Called by cmd/dump.ts. Invariant: never ahead of that clock.

export class PacketTime {
  readonly #clock: () => number;
  #last: { time: bigint; at: number } | null = null;

  /** clock: milliseconds of a clock that only goes forward. */
  constructor(clock = () => performance.now()) {
    this.#clock = clock;
  }

  /** A packet that passed at `time`, in nanoseconds since 1970, arrived. */
  heard(time: bigint): void {
    this.#last = { time, at: this.#clock() };
  }

  /** In nanoseconds since 1970; null before the first packet. */
  now(): bigint | null {
    if (this.#last === null) return null;
    return this.#last.time + BigInt(Math.round((this.#clock() - this.#last.at) * 1e6));
  }
}
