// The app's listening sockets: the address each asked for, where it is really bound, which processes hold it.
// The table of incoming.ts, which alone changes it. Invariant: an entry's key is the address where its socket
// is really bound; two sockets cannot have the same.

import { type Address, reachBits } from "../../protocol-wasm/mod.ts";
import { fit, isLoopback, isWildcard, reachOf } from "../net/fit.ts";
import type { Openness } from "./openness.ts";
import { Peers } from "./peers.ts";

/** One listening socket of the app. */
export interface Listener {
  asked: Address;
  actual: Address;
  /** It takes no IPv4. */
  only6: boolean;
  /** The pod's port whose connections it gets; null: none, only the app itself reaches it. */
  port: number | null;
  open: Openness;
  /** The processes (layer links) that hold it. */
  holders: Set<object>;
  /** Dials whose own address is not known yet (macOS): an `accepted` question waits for them a while. */
  dialing: Set<Promise<unknown>>;
  /** Whose connections to it are. */
  peers: Peers;
}

/** What the layer reports of a listener when it begins. */
export type NewListener = Pick<Listener, "asked" | "actual" | "only6" | "port" | "open">;

export class Listeners {
  readonly #all = new Map<string, Listener>();

  /** The entry for `told`; `replaced` is one before it whose holders ended unseen. */
  add(told: NewListener): { listener: Listener; replaced: Listener | null } {
    const known = this.at(told.actual);
    const same = known?.port === told.port && key(known.asked) === key(told.asked);
    if (known !== undefined && (same || known.holders.size > 0)) return { listener: known, replaced: null };
    const listener = {
      ...told,
      holders: new Set<object>(),
      dialing: new Set<Promise<unknown>>(),
      peers: new Peers(),
    };
    this.#all.set(key(told.actual), listener);
    return { listener, replaced: known ?? null };
  }

  /** It is in the table still. */
  has(listener: Listener): boolean {
    return this.at(listener.actual) === listener;
  }

  /** Those that no process of the app is known to have: it has ended, or never spoke of itself. */
  vacant(): Listener[] {
    return [...this.#all.values()].filter(isVacant);
  }

  /** Whether it was there. */
  remove(listener: Listener): boolean {
    return this.has(listener) && this.#all.delete(key(listener.actual));
  }

  /** The listener that really is at `actual`. */
  at(actual: Address): Listener | undefined {
    return this.#all.get(key(actual));
  }

  /** Those that `actual` may mean: the one bound to it, or those bound to every address. */
  fitting(actual: Address): Listener[] {
    const exact = this.at(actual);
    if (exact !== undefined) return [exact];
    return [...this.#all.values()].filter(({ actual: { address, port } }) =>
      port === actual.port && isWildcard(address)
    );
  }

  /** Those that get the pod's `port`. */
  on(port: number): Listener[] {
    return [...this.#all.values()].filter((one) => one.port === port);
  }

  /** Those that `holder` has; `actual`: the one there. */
  heldBy(holder: object, actual?: Address): Listener[] {
    return [...this.#all.values()].filter((one) =>
      one.holders.has(holder) && (actual === undefined || key(one.actual) === key(actual))
    );
  }

  /** One that some process has and that asked for an address which overlaps with `asked`. */
  twin(asked: Address): Listener | undefined {
    return [...this.#all.values()].find((one) =>
      one.asked.port === asked.port && one.holders.size > 0 &&
      (fit({ ...one.asked, only6: one.only6 }, asked.address) > 0 ||
        fit({ ...asked, only6: false }, one.asked.address) > 0)
    );
  }

  /**
   * The listener that the kernel beside the target would choose. Where none fits, one may stand in that is
   * bound to loopback, or to IPv4 alone: the agent hands over only what such a one may have (`reach`).
   */
  choose(port: number, local: Address): Listener | undefined {
    const there = this.on(port);
    const [best] = there.map((one) => ({ one, rank: fit({ ...one.asked, only6: one.only6 }, local.address) }))
      .filter(({ rank }) => rank > 0).sort((a, b) => b.rank - a.rank);
    if (best !== undefined) return best.one;
    return there.find(({ asked: { address } }) =>
      isLoopback(address) ? !isLoopback(local.address) : isWildcard(address)
    );
  }

  /** Which addresses of `port` its listeners take, and for which they may stand in (bits of `reachBits`). */
  reach(port: number, mode: "steal" | "mirror"): { covered: number; standIn: number } {
    const { all, other4, other6 } = reachBits;
    const others = other4 | other6;
    let [covered, standIn] = [0, 0];
    for (const { asked, only6, open } of this.on(port)) {
      const wild = isWildcard(asked.address);
      covered |= reachOf({ ...asked, only6 });
      if (isLoopback(asked.address)) {
        if (open.who === "cluster") covered |= others;
        else standIn |= others;
      } else if (wild && mode === "mirror") covered |= all; // the original answers, in whichever family
      else if (wild) standIn |= all;
    }
    return { covered, standIn: standIn & ~covered };
  }
}

export function isVacant({ holders }: Listener): boolean {
  return holders.size === 0;
}

/** A text that stands for `address`. */
export function key(address: Address): string {
  return `${address.address} ${address.port}`;
}
