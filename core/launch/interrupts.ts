// Signals that ask mirrord to end: what they mean while the app is not started yet, and once it has ended.
// Called by cmd/exec.ts and its like; between the two they are the app's (launch.ts), where there is one.

import { MirrordError } from "../base/errors.ts";

/**
 * Signals that ask to end, and what they mean once the app has ended: the second one gives up what is still
 * delivered.
 */
export class Interrupts {
  readonly #giveUp = new AbortController();
  #count = 0;
  #lingering = false;

  /** Aborted when the user gives up. */
  get giveUp(): AbortSignal {
    return this.#giveUp.signal;
  }

  /** Has one come? */
  get any(): boolean {
    return this.#count > 0;
  }

  /** From now until disposed the app has ended; all that came before count as the first one. */
  linger(): Disposable {
    this.#count = Math.min(this.#count, 1);
    this.#lingering = true;
    return { [Symbol.dispose]: () => void (this.#lingering = false) };
  }

  /** One came; false: nobody lingers. */
  hear(): boolean {
    this.#count++;
    if (!this.#lingering) return false;
    if (this.#count > 1) this.#giveUp.abort();
    return true;
  }
}

/**
 * Until disposed: the first signal aborts the start in order (128 + n), a second one ends mirrord as it would
 * any program. what: is being started, for people.
 */
export function interruptible(what = "start the app"): Disposable & { signal: AbortSignal } {
  const controller = new AbortController();
  const numbers: Partial<Record<Deno.Signal, number>> = { SIGINT: 2, SIGTERM: 15, SIGHUP: 1 };
  const handlers = Object.entries(numbers).map(([name, number]) => {
    const signal = name as Deno.Signal;
    const handler = (): void => {
      dispose();
      controller.abort(new MirrordError(`Cannot ${what}: interrupted`, { exitCode: 128 + number }));
    };
    Deno.addSignalListener(signal, handler);
    return { signal, handler };
  });
  const dispose = (): void => {
    for (const { signal, handler } of handlers.splice(0)) Deno.removeSignalListener(signal, handler);
  };
  return { signal: controller.signal, [Symbol.dispose]: dispose };
}
