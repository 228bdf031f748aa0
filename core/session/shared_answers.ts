// Questions that are asked several times at once go to the agent once, and those of one process wait within
// its patience (patience.ts). Owned by dns.ts. Invariant: a new question gets an answer that was requested
// after it came, or was on its way then; only a repeated question, which was asked to come again, gets an
// answer that came meanwhile.

import { Patience } from "./patience.ts";

/** How long an answer is kept for questions that were asked to come again. */
const keptMs = 1000;

interface Asked {
  /** The same for the same question. */
  key: string;
  process: object;
  /** The question is a repeated one. */
  again: boolean;
}

interface Entry<T> {
  answer: Promise<T>;
  /** At least one question was asked to come again. */
  awaited: boolean;
  done: boolean;
}

export class SharedAnswers<T> implements Disposable {
  readonly #timers = new Set<number>();
  readonly #entries = new Map<string, Entry<T>>();
  readonly #patience = new Patience();

  /** The answer that `put` gets, or null: ask again. Rejects as `put` does. */
  async ask({ key, process, again }: Asked, put: () => Promise<T>): Promise<T | null> {
    const known = this.#entries.get(key);
    const entry = known !== undefined && (again || !known.done) ? known : this.#put(key, put);
    if (again && !entry.done && !this.#patience.hasRoom(process)) {
      entry.awaited = true;
      return null;
    }
    const answer = await this.#patience.wait(process, entry.answer);
    if (answer === null) entry.awaited = true;
    return answer;
  }

  [Symbol.dispose](): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#entries.clear();
  }

  #put(key: string, put: () => Promise<T>): Entry<T> {
    const entry: Entry<T> = { answer: put(), awaited: false, done: false };
    this.#entries.set(key, entry);
    const drop = () => {
      if (this.#entries.get(key) === entry) this.#entries.delete(key);
    };
    const end = () => {
      entry.done = true;
      if (!entry.awaited || this.#entries.get(key) !== entry) return drop();
      const timer = setTimeout(() => {
        this.#timers.delete(timer);
        drop();
      }, keptMs);
      this.#timers.add(timer);
    };
    entry.answer.then(end, end);
    return entry;
  }
}
