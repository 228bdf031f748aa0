// Which way an outgoing connection goes: the config's rules and the loopback's. Asked by outgoing.ts for every connect.
// Invariant: what an app connects to in itself stays with it; everything else on loopback is the target's loopback.

import { type Address, compileRules, type Rules } from "../../protocol-wasm/mod.ts";
import type { OutgoingConfig } from "../config/config.ts";

/** "remote": the target's network; otherwise where on this machine. */
export type Way = "remote" | Address;

export interface OutgoingSurroundings {
  /** The names that the app looked up and found `address` by; newest first or in any order. */
  namesOf(address: string): Iterable<string>;
  /** Where a socket of the app's own really is that answers to `port`; null when the app has none. */
  ownSocket(port: number, protocol: "tcp" | "udp"): Address | null;
}

export class OutgoingRules {
  readonly #config: OutgoingConfig;
  readonly #around: OutgoingSurroundings;
  readonly #rules: Rules | null;

  constructor(config: OutgoingConfig, around: OutgoingSurroundings) {
    this.#config = config;
    this.#around = around;
    this.#rules = config.filter === null ? null : compileRules(config.filter.rules);
  }

  decide(destination: Address, protocol: "tcp" | "udp"): Way {
    if (!this.#config[protocol] || destination.port === 0) return destination;
    if (staysHere(destination.address)) return destination;
    if (isOwnHost(destination.address)) {
      const own = this.#around.ownSocket(destination.port, protocol);
      // The place of a moved listener is told with the address that its family is reached by.
      if (own !== null) return { ...destination, port: own.port };
      if (this.#config.ignoreLocalhost) return destination;
    }
    return this.#matchesSide(destination, protocol) ? "remote" : destination;
  }

  /** Does the filter, if any, let it go to the target? */
  #matchesSide({ address, port }: Address, protocol: "tcp" | "udp"): boolean {
    const rules = this.#rules;
    if (rules === null) return true;
    const hosts = [undefined, ...this.#around.namesOf(address)];
    const matches = hosts.some((host) =>
      rules.matches({ address, port, protocol, ...(host === undefined ? {} : { host }) })
    );
    return matches === (this.#config.filter?.side === "remote");
  }
}

/** Loopback, or the unspecified address, which connect(2) takes for it (ip(7), INADDR_ANY). */
function isOwnHost(address: string): boolean {
  return address.startsWith("127.") || ["::1", "0.0.0.0", "::"].includes(address);
}

/** Multicast, broadcast and link-local IPv6 (RFC 4291, RFC 5771) mean the network that a machine stands in. */
function staysHere(address: string): boolean {
  if (address.includes(":")) return /^(ff|fe[89ab])/i.test(address);
  const first = Number(address.split(".")[0]);
  return (first >= 224 && first < 240) || address === "255.255.255.255";
}
