// The time limit of a deployment: one deadline over all phases, and words for the phase in which it passed.
// Owned by deploy.ts; every wait of this room takes its `signal`.

import { DeployError } from "../base/errors.ts";
import { log } from "../base/log.ts";
import { noteStep } from "../base/progress.ts";

/** Counts from its making to `[Symbol.dispose]`, which must be called when the agent is there or given up. */
export class Startup implements Disposable {
  readonly signal: AbortSignal;
  readonly #limit = new AbortController();
  readonly #seconds: number;
  readonly #timer: number;
  readonly #asked: AbortSignal | undefined;
  #phase = "starting";
  #detail = "";

  constructor(seconds: number, signal?: AbortSignal) {
    this.#seconds = seconds;
    this.#asked = signal;
    this.#timer = setTimeout(() => this.#limit.abort(this.#late()), seconds * 1000);
    this.signal = signal === undefined ? this.#limit.signal : AbortSignal.any([signal, this.#limit.signal]);
  }

  /** Names what is being done now; said in the error when the time runs out. */
  phase(text: string): void {
    this.#phase = text;
    this.#detail = "";
    log.debug(text);
  }

  /** The last that was heard about the phase, for the error. */
  heard(detail: string): void {
    if (detail === "" || detail === this.#detail) return;
    this.#detail = detail;
    log.debug(detail);
  }

  /** An event that the user may wait for: shown while it lasts, and said in the error. */
  saw(event: string): void {
    this.heard(event);
    noteStep(event);
  }

  /** The user stopped the start, by Ctrl-C say. */
  get stopped(): boolean {
    return this.#asked?.aborted ?? false;
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }

  #late(): DeployError {
    const detail = this.#detail === "" ? "" : ` (${this.#detail})`;
    return new DeployError(
      `Cannot start the agent: it took longer than ${this.#seconds} s; last step: ${this.#phase}${detail}`,
      {
        help:
          "Give it more time with agent.startup_timeout or --agent-startup-timeout, or look at the pod's events.",
      },
    );
  }
}
