// The order of addresses in the answer of getaddrinfo: destination address selection (RFC 6724, 6), as glibc
// implements it, with the routes and addresses of the target's network namespace. Called by lookup.ts.
// Not read: gai.conf(5), which containers do not have; rule 7, which is about tunnels.

import { addressBytes } from "../../core/net/address.ts";
import type { Addresses } from "../sys/address_list.ts";
import { sourceAddress } from "../sys/source_address.ts";

/** Prefix of 16 bytes, its length, and what it gives (RFC 6724, 2.1); the labels are those of glibc. */
type Policy = readonly { prefix: Uint8Array; length: number; value: number }[];
const labels = policy([
  ["::1", 128, 0],
  ["2002::", 16, 2],
  ["::", 96, 3],
  ["::ffff:0:0", 96, 4],
  ["fec0::", 10, 5],
  ["fc00::", 7, 6],
  ["2001:0::", 32, 7],
  ["::", 0, 1],
]);
const precedences = policy([
  ["::1", 128, 50],
  ["2002::", 16, 30],
  ["::", 96, 20],
  ["::ffff:0:0", 96, 10],
  ["::", 0, 40],
]);

const scopes = { linkLocal: 2, siteLocal: 5, global: 14 } as const;
const deprecated = 0x20; // IFA_F_DEPRECATED (linux/if_addr.h)
const homeAddress = 0x10;

/** What the rules look at. */
interface Destination {
  text: string;
  isFour: boolean;
  /** 16 bytes, an IPv4 address mapped. */
  bytes: Uint8Array;
  source: Uint8Array | null;
  sourceFlags: number;
  /** Bits of the network that an IPv4 source is in. */
  prefix: number;
}

/** The same addresses, the best first; those that the rules do not distinguish stay in order. */
export function sortDestinations(addresses: readonly string[], own: () => Addresses): string[] {
  if (addresses.length < 2) return [...addresses];
  const now = own();
  const known = new Map<string, Destination>();
  const destinations = addresses.map((text) => {
    const one = known.get(text) ?? describe(text, now);
    known.set(text, one);
    return one;
  });
  return destinations.sort(compare).map(({ text }) => text); // stable since ECMAScript 2019: rule 10
}

/**
 * Families of which the target has an address that is not loopback: what AI_ADDRCONFIG asks (getaddrinfo(3)).
 */
export function usableFamilies(own: Addresses): { ipv4: boolean; ipv6: boolean } {
  return {
    ipv4: [...own.prefixes.keys()].some((address) => address !== "127.0.0.1"),
    ipv6: [...own.flags.keys()].some((address) => address !== "::1"),
  };
}

function describe(text: string, own: Addresses): Destination {
  const bytes = addressBytes(text);
  const source = sourceAddress({ address: text, port: 53 });
  const sourceBytes = source === null ? null : addressBytes(source);
  return {
    text,
    isFour: bytes.length === 4,
    bytes: sixteen(bytes),
    source: sourceBytes === null ? null : sixteen(sourceBytes),
    sourceFlags: own.flags.get(source ?? "") ?? 0,
    prefix: own.prefixes.get(source ?? "") ?? 32,
  };
}

function sixteen(bytes: Uint8Array): Uint8Array {
  return bytes.length === 16
    ? bytes
    : Uint8Array.from([...new Array<number>(10).fill(0), 255, 255, ...bytes]);
}

/** Negative when `a` goes first. */
function compare(a: Destination, b: Destination): number {
  if (a.source === null || b.source === null) { // rule 1: what can be reached
    if (a.source !== null || b.source !== null) return a.source === null ? 1 : -1;
    return valueOf(precedences, b.bytes) - valueOf(precedences, a.bytes) ||
      scopeOf(a.bytes) - scopeOf(b.bytes);
  }
  return prefer(scopeOf(a.bytes) === scopeOf(a.source), scopeOf(b.bytes) === scopeOf(b.source)) || // 2
    prefer((a.sourceFlags & deprecated) === 0, (b.sourceFlags & deprecated) === 0) || // 3
    prefer((a.sourceFlags & homeAddress) !== 0, (b.sourceFlags & homeAddress) !== 0) || // 4
    prefer(hasSameLabel(a.bytes, a.source), hasSameLabel(b.bytes, b.source)) || // 5
    valueOf(precedences, b.bytes) - valueOf(precedences, a.bytes) || // 6
    scopeOf(a.bytes) - scopeOf(b.bytes) || // 8
    longestPrefix(a, b); // 9
}

function prefer(a: boolean, b: boolean): number {
  return a === b ? 0 : a ? -1 : 1;
}

/** Only within a family, and for IPv4 only inside the source's own network, as in glibc. */
function longestPrefix(a: Destination, b: Destination): number {
  if (a.isFour !== b.isFour || a.source === null || b.source === null) return 0;
  if (!a.isFour) return equalBits(b.bytes, b.source) - equalBits(a.bytes, a.source);
  const near = ({ bytes, prefix }: Destination, source: Uint8Array): number => {
    const bits = equalBits(bytes, source) - 96;
    return bits >= prefix ? bits : 0;
  };
  return near(b, b.source) - near(a, a.source);
}

function hasSameLabel(destination: Uint8Array, source: Uint8Array): boolean {
  return valueOf(labels, destination) === valueOf(labels, source);
}

function policy(lines: readonly (readonly [prefix: string, length: number, value: number])[]): Policy {
  return lines.map(([text, length, value]) => ({ prefix: sixteen(addressBytes(text)), length, value }));
}

/** The first prefix that matches: the lists end with one that always does. */
function valueOf(policy: Policy, bytes: Uint8Array): number {
  return policy.find(({ prefix, length }) => equalBits(prefix, bytes) >= length)?.value ?? 0;
}

/** Scope of an address (RFC 4291, 2.7; RFC 6724, 3.1, 3.2 for loopback and IPv4). */
function scopeOf(bytes: Uint8Array): number {
  const [b0 = 0, b1 = 0] = bytes;
  if (b0 === 0xff) return b1 & 15;
  if (b0 === 0xfe && (b1 & 0xc0) === 0x80) return scopes.linkLocal;
  if (b0 === 0xfe && (b1 & 0xc0) === 0xc0) return scopes.siteLocal;
  const isLoopback = bytes.subarray(0, 15).every((byte) => byte === 0) && bytes[15] === 1;
  if (isLoopback) return scopes.linkLocal;
  const isMapped = bytes.subarray(0, 10).every((byte) => byte === 0) && bytes[10] === 255 &&
    bytes[11] === 255;
  if (!isMapped) return scopes.global;
  const isLinkLocal = bytes[12] === 127 || (bytes[12] === 169 && bytes[13] === 254);
  return isLinkLocal ? scopes.linkLocal : scopes.global;
}

/** How many leading bits are the same. */
function equalBits(one: Uint8Array, other: Uint8Array): number {
  for (let index = 0; index < one.length; index++) {
    const differs = (one[index] ?? 0) ^ (other[index] ?? 0);
    if (differs !== 0) return 8 * index + Math.clz32(differs) - 24;
  }
  return 8 * one.length;
}
