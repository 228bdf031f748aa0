// Which of several bound sockets gets what comes for an address, by the kernel's rule (inet_hashtables,
// udp(7), ipv6(7)). The session asks about the app's sockets, the agent about the target's. Pure.

import { reachBits } from "../../protocol-wasm/mod.ts";

/** A bound socket; only6: it takes no IPv4 at "::" (IPV6_V6ONLY). */
export interface Bound {
  address: string;
  only6: boolean;
}

/**
 * How well a socket at `bound` fits what comes for `address`, the higher the better; 0 = it gets none of it.
 */
export function fit(bound: Bound, address: string): number {
  if (bound.address === address) return 3;
  const v6 = address.includes(":");
  if (bound.address === "0.0.0.0" && !v6) return 2;
  if (bound.address !== "::") return 0;
  if (v6) return 2;
  return bound.only6 ? 0 : 1;
}

/** Which sets of addresses a socket at `bound` gets something of: bits of `reachBits`. */
export function reachOf(bound: Bound): number {
  const { loopback4, other4, loopback6, other6 } = reachBits;
  const v6 = bound.address.includes(":");
  if (bound.address === "::" && !bound.only6) return reachBits.all;
  if (isWildcard(bound.address)) return v6 ? loopback6 | other6 : loopback4 | other4;
  if (isLoopback(bound.address)) return v6 ? loopback6 : loopback4;
  return v6 ? other6 : other4;
}

/**
 * As `reachOf` for each server behind `bounds`, sockets of one port: the wildcards of both families are one
 * server's (nginx's).
 */
export function serversReach(bounds: readonly Bound[]): number[] {
  const wildcards = bounds.filter((one) => isWildcard(one.address)).map(reachOf);
  const others = bounds.filter((one) => !isWildcard(one.address)).map(reachOf);
  return wildcards.length === 0 ? others : [wildcards.reduce((a, b) => a | b, 0), ...others];
}

/**
 * Which addresses of a port an app gets that listens on some and stands in for the other side's servers on
 * the rest (`reachBits`). It stands in for a server beside which it could not be bound there; an app on
 * loopback alone also for one on all addresses of a family, since a developer binds to localhost what is
 * served to others later.
 */
export function standsIn(
  servers: readonly number[],
  { covered, standIn }: { covered: number; standIn: number },
): number {
  const { loopback4, other4, loopback6, other6 } = reachBits;
  const local = (covered & (loopback4 | loopback6)) !== 0 && (covered & (other4 | other6)) === 0;
  const isWhole = (server: number): boolean =>
    [loopback4 | other4, loopback6 | other6].some((family) => (server & family) === family);
  return servers.filter((server) => (server & covered) !== 0 || (local && isWhole(server)))
    .reduce((all, server) => all | (standIn & server), covered);
}

/** 127.0.0.0/8 and ::1. */
export function isLoopback(address: string): boolean {
  return address.startsWith("127.") || address === "::1";
}

/** The addresses that mean all. */
export function isWildcard(address: string): boolean {
  return address === "0.0.0.0" || address === "::";
}
