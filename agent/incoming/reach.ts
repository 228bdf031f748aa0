// For which of the target's addresses each subscribed port is stolen or mirrored: those that the session
// asked for, and those where the app stands in for a listener of the target. Called by subscriptions.ts and
// mirror.ts, each with one of its own. Invariant: a port without such a request is stolen or mirrored at
// every address.

import { serversReach, standsIn } from "../../core/net/fit.ts";
import { boundSockets } from "../../core/net/linux/sock_diag.ts";
import { reachBits } from "../../protocol-wasm/mod.ts";

/**
 * For which addresses a port is meant: always, and as long as the app is in the place of a listener of the
 * target's.
 */
export interface Reach {
  covered: number;
  standIn: number;
}

const everything: Reach = { covered: reachBits.all, standIn: 0 };
/** How often the target's listeners are checked where a new one could be one that the app stands in for. */
const lookMs = 2000;

export class Reaches implements Disposable {
  readonly #asked = new Map<number, Reach>();
  readonly #changed: (port: number) => void;
  #look: number | null = null;

  /** `changed`: the result of `now` for `port` may have changed. */
  constructor(changed: (port: number) => void) {
    this.#changed = changed;
  }

  /** The session's wish for `port`. */
  ask(port: number, reach: Reach): void {
    this.#asked.set(port, reach);
    this.#changed(port);
    this.#watch();
  }

  /** Nothing is wished of `port` any more. */
  forget(port: number): void {
    this.#asked.delete(port);
    this.#watch();
  }

  /** The addresses of `port` at this moment, as bits of `reachBits`. */
  now(port: number): number {
    const reach = this.#asked.get(port) ?? everything;
    if (reach.standIn === 0) return reach.covered;
    const servers = serversReach((boundSockets("tcp") ?? []).filter((one) => one.port === port));
    return standsIn(servers, reach);
  }

  [Symbol.dispose](): void {
    this.#asked.clear();
    this.#watch();
  }

  /** Checks at intervals while there is a port whose addresses depend on the target's listeners. */
  #watch(): void {
    const hangs = [...this.#asked].some(([, { standIn }]) => standIn !== 0);
    if (!hangs && this.#look !== null) clearInterval(this.#look);
    if (!hangs) this.#look = null;
    else this.#look ??= setInterval(() => this.#lookAgain(), lookMs);
  }

  #lookAgain(): void {
    for (const [port, { standIn }] of this.#asked) if (standIn !== 0) this.#changed(port);
  }
}
