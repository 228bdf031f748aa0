// Which peers may be the kubelet: processes of the target's node. They come from an address of the node, but
// so do clients whose address the node replaced (for example for a NodePort Service), so the hops of their
// first packet decide too: a packet of the node's own processes has all its hops left. Owned by probes.ts. In
// doubt a peer may be the kubelet: its probe must not go to an app that is stopped at a breakpoint.

import { type Endpoint } from "../../core/net/address.ts";
import { isLoopback } from "../../core/net/fit.ts";
import { formatIp, parseIp } from "../../protocol-wasm/mod.ts";
import { type Prefix, type Routes, routes } from "../sys/routes.ts";

/** The properties of a connection that show where it comes from; a `Socket` has them. */
export interface Arrival {
  readonly peerAddress: Endpoint;
  readonly localAddress: Endpoint;
  readonly openingHops: number | null;
}

/**
 * What a packet begins with (ip(7), ip_default_ttl; other systems'): one that still has so many was passed on
 * by nobody.
 */
const wholeHops = new Set([64, 128, 255]);

/** node: of the node, or indistinguishable from it. */
export type Origin = "node" | "other";

export class Nodes {
  readonly #addresses = new Set<string>();
  readonly #direct: Prefix[];
  /** Packets of the node's own arrive with all their hops here; on some networks they do not. */
  #keepsHops = false;

  /** `from`: the routes of the target's network. */
  constructor(from: Routes = routes()) {
    this.#direct = from.direct;
    for (const gateway of from.gateways) this.#addresses.add(gateway);
    for (const prefix of from.direct) this.learn(firstOf(prefix));
  }

  /** More addresses that the node has. */
  learn(addresses: readonly string[]): void {
    for (const address of addresses) this.#addresses.add(address);
  }

  /** Where a connection comes from. */
  origin({ peerAddress: { address }, localAddress, openingHops }: Arrival): Origin {
    if (address === localAddress.address || isLoopback(address)) return "other";
    const known = this.#addresses.has(address);
    if (openingHops === null) return known ? "node" : "other";
    if (wholeHops.has(openingHops)) {
      if (known) this.#keepsHops = true;
      return known || !this.#isDirect(address) ? "node" : "other";
    }
    return known && !this.#keepsHops ? "node" : "other";
  }

  #isDirect(address: string): boolean {
    const parsed = parseIp(address);
    return parsed === null || this.#direct.some((prefix) => holds(prefix, parsed.family, parsed.bytes));
  }
}

/** Where bridges have their own address, and with it the node; of a single address nothing is known. */
function firstOf({ family, bytes, length }: Prefix): string[] {
  const last = family === 4 ? 3 : 15;
  if (length >= (last + 1) * 8) return [];
  const address = new Uint8Array(16);
  address.set(bytes);
  address[last] = (address[last] ?? 0) | 1;
  return [formatIp(family, address) ?? ""];
}

function holds({ family, bytes, length }: Prefix, of: number, address: Uint8Array): boolean {
  if (family !== of) return false;
  for (let bit = 0; bit < length; bit++) {
    const mask = 0x80 >> (bit & 7);
    if (((bytes[bit >> 3] ?? 0) & mask) !== ((address[bit >> 3] ?? 0) & mask)) return false;
  }
  return true;
}
