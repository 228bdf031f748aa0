// What one end of a link owes its peer: answers, refusals and resets that wait to be written. A peer that
// keeps asking and does not read must not make the other end's memory grow: the agent stops reading until
// some are written; the session, which always reads so that the two cannot wait for each other, ends the
// link. Used by link.ts.

/** What the agent may owe before it stops reading. */
const pauseCount = 4096;
const pauseBytes = 8 << 20;
/** What any end may owe. */
const mostCount = 1 << 16;

export class Debts {
  #count = 0;
  #bytes = 0;
  #paid: PromiseWithResolvers<void> | undefined;

  /** A frame of `bytes` waits to be written, until `written` settles. */
  owe(bytes: number, written: Promise<void>): void {
    this.#count++;
    this.#bytes += bytes;
    const pay = () => {
      this.#count--;
      this.#bytes -= bytes;
      this.#paid?.resolve();
      this.#paid = undefined;
    };
    written.then(pay, pay);
  }

  /** So much that no more is to be read. */
  get isMuch(): boolean {
    return this.#count >= pauseCount || this.#bytes >= pauseBytes;
  }

  /** More than any peer leaves unread that reads at all. */
  get isTooMuch(): boolean {
    return this.#count >= mostCount;
  }

  /** Resolves when something was written. */
  get paid(): Promise<void> {
    this.#paid ??= Promise.withResolvers();
    return this.#paid.promise;
  }
}
