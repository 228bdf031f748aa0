// By which rule of a filter a name or an address is this machine's or the target's, in words. Called by
// explained.ts, and by the floors for those who watch. Decisions themselves are made by the compiled rules.

import { compileRules, type Rules } from "../../protocol-wasm/mod.ts";
import type { SideFilter } from "../config/config.ts";

/** What a rule is about. */
export interface Place {
  host?: string;
  address?: string;
  port: number;
}

/** The rules of one filter, each by itself; `key` is the filter's. */
export class SideRules {
  readonly #filter: SideFilter;
  readonly #key: string;
  #compiled: Rules[] | null = null;

  constructor(filter: SideFilter, key: string) {
    this.#filter = filter;
    this.#key = key;
  }

  /** Does it go to the target, if one of `places` is enough for a rule to match; and why? */
  of(places: readonly Place[], protocols: readonly ("tcp" | "udp")[]): { remote: boolean; why: string } {
    const [filter, key] = [this.#filter, this.#key];
    if (filter === null) return { remote: true, why: `there is no ${key}` };
    this.#compiled ??= filter.rules.map((rule) => compileRules([rule]));
    const at = this.#compiled.findIndex((rules) =>
      places.some((place) => protocols.some((protocol) => rules.matches({ ...place, protocol })))
    );
    const why = at < 0
      ? `no rule of ${key}.${filter.side} matches`
      : `${key}.${filter.side} "${filter.rules[at]}"`;
    return { remote: (at >= 0) === (filter.side === "remote"), why };
  }
}
