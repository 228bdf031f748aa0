// What the look-ups of both links share: flags, and the lists that are sent as one field. Used by
// agent/dns.ts and core/session/dns.ts; layer/wire.h has the flags, too.

import { packedAddressBytes } from "./numbers.ts";
import { formatIp, parseIp } from "../addresses/ip_address.ts";

/**
 * Bits of `lookup`'s flags. `sorted`: as getaddrinfo(3); the others are its AI_ADDRCONFIG, AI_V4MAPPED,
 * AI_ALL, AI_CANONNAME, AI_IDN.
 */
export const lookupFlags = {
  sorted: 1,
  addrConfig: 2,
  v4Mapped: 4,
  all: 8,
  canonName: 16,
  idn: 32,
} as const;

/**
 * Bits of `resolve`'s flags. `search`: as res_search(3). The others are what a program set in its own state
 * of the resolver (resolver(3)): RES_USEVC, RES_IGNTC, RES_USE_EDNS0, RES_USE_DNSSEC, RES_TRUSTAD; and what
 * it took away: RES_RECURSE, RES_DEFNAMES, RES_DNSRCH.
 */
export const resolveFlags = {
  search: 1,
  useTcp: 2,
  ignoreTruncation: 4,
  edns: 8,
  dnssec: 16,
  trustAd: 32,
  noRecursion: 64,
  noDefaultDomain: 128,
  noSearchList: 256,
} as const;

/** Addresses as 17 bytes each: family and 16 bytes. What is no address is left out. */
export function packAddresses(addresses: readonly string[]): Uint8Array {
  const bytes: number[] = [];
  for (const address of addresses) {
    const ip = parseIp(address);
    if (ip !== null && ip.family !== 0) bytes.push(ip.family, ...ip.bytes);
  }
  return Uint8Array.from(bytes);
}

/** The addresses of `packAddresses`; a rest that is none is passed over. */
export function unpackAddresses(bytes: Uint8Array): string[] {
  const addresses: string[] = [];
  for (let at = 0; at + packedAddressBytes <= bytes.length; at += packedAddressBytes) {
    const text = formatIp(bytes[at] ?? 0, bytes.subarray(at + 1, at + packedAddressBytes));
    if (text) addresses.push(text);
  }
  return addresses;
}
