// How many questions of one process may wait for their answer at a time. A layer has few links and a question
// that waits occupies one: with all of them waiting for a silent name server, no other question of the
// process would be answered. Used by dns.ts. The question that has waited longest gives way: its layer is
// asked to repeat it later.

const mostWaiting = 16;

export class Patience {
  /** For each process the waiting questions, the longest first. */
  readonly #waiting = new Map<object, Set<() => void>>();

  /**
   * What `work` comes to, or null when another question of `process` needed the place. Rejects as `work`
   * does.
   */
  async wait<T>(process: object, work: Promise<T>): Promise<T | null> {
    const waiting = this.#waiting.get(process) ?? new Set();
    this.#waiting.set(process, waiting);
    const evicted = Promise.withResolvers<null>();
    const giveWay = () => evicted.resolve(null);
    if (waiting.size >= mostWaiting) {
      const [longest] = waiting;
      if (longest !== undefined) {
        waiting.delete(longest);
        longest();
      }
    }
    waiting.add(giveWay);
    try {
      return await Promise.race([work, evicted.promise]);
    } finally {
      waiting.delete(giveWay);
      if (waiting.size === 0) this.#waiting.delete(process);
    }
  }

  /** Whether a question of `process` can wait without another's giving way. */
  hasRoom(process: object): boolean {
    return (this.#waiting.get(process)?.size ?? 0) < mostWaiting;
  }
}
