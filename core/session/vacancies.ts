// When listeners that no process of the app is known to have are looked at again. Made by incoming.ts. A
// process that ends may close its link before its listening sockets: the kernel still lists them when the
// session looks for the first time, and nothing tells when they are gone.

import { log } from "../base/log.ts";
import { pauseOrEnd } from "../base/pause.ts";
import type { Listener, Listeners } from "./listeners.ts";

/** Waits between two looks; after the last it is a process that does not speak with the session. */
const pausesMs = [10, 50, 200, 1000, 3000];

export class Vacancies implements Disposable {
  readonly #listeners: Listeners;
  readonly #sweep: (vacant: Listener[]) => Promise<void>;
  readonly #over = new AbortController();
  #round = 0;

  /** sweep: forgets those that are gone. */
  constructor(listeners: Listeners, sweep: (vacant: Listener[]) => Promise<void>) {
    this.#listeners = listeners;
    this.#sweep = sweep;
  }

  /** Looks from now on; one call replaces another. */
  look(): void {
    this.#looking(++this.#round).catch((error) => log.debug(`Cannot look at the app's listeners: ${error}`));
  }

  [Symbol.dispose](): void {
    this.#over.abort();
  }

  async #looking(round: number): Promise<void> {
    for (const pauseMs of pausesMs) {
      await pauseOrEnd(pauseMs, this.#over.signal);
      if (this.#over.signal.aborted || round !== this.#round) return;
      await this.#sweep(this.#listeners.vacant());
      if (this.#listeners.vacant().length === 0) return;
    }
  }
}
