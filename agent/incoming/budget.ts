// Memory that all mirrored connections of an agent share: bytes that wait for the session and bytes that wait
// for a missing packet. Called by copy.ts and flow.ts. Invariant: what was given out never exceeds the bound.

export class Budget {
  #left: number;

  constructor(bytes: number) {
    this.#left = bytes;
  }

  /** Bytes that are left. */
  get left(): number {
    return this.#left;
  }

  /** False when there is not so much. */
  take(bytes: number): boolean {
    if (bytes > this.#left) return false;
    this.#left -= bytes;
    return true;
  }

  /** Gives back what was taken. */
  give(bytes: number): void {
    this.#left += bytes;
  }
}
