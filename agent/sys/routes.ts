// The routes out of this thread's network namespace: its gateways, and the networks that are reached without
// one. Called by incoming/nodes.ts. Facts: proc(5) on /proc/net/route, and net/ipv6/route.c of the kernel on
// ipv6_route.

import { formatIp } from "../../protocol-wasm/mod.ts";

/** A prefix that is reached directly, as 16 address bytes (IPv4 in the first 4) and its length. */
export interface Prefix {
  family: 4 | 6;
  bytes: Uint8Array;
  length: number;
}

/** Gateways, and what is on the same link. */
export interface Routes {
  gateways: string[];
  direct: Prefix[];
}

const gatewayFlag = 2;

/** The routes as they are now. */
export function routes(): Routes {
  const ipv4 = readIpv4(contentOf("/proc/thread-self/net/route"));
  const ipv6 = readIpv6(contentOf("/proc/thread-self/net/ipv6_route"));
  return { gateways: [...ipv4.gateways, ...ipv6.gateways], direct: [...ipv4.direct, ...ipv6.direct] };
}

/**
 * `Iface Destination Gateway Flags RefCnt Use Metric Mask …`: addresses as little-endian hexadecimal words.
 */
export function readIpv4(text: string): Routes {
  const found: Routes = { gateways: [], direct: [] };
  for (const line of text.split("\n").slice(1)) {
    const [, destination = "", gateway = "", flags = "", , , , mask = ""] = line.trim().split(/\s+/);
    if (mask === "") continue;
    if ((parseInt(flags, 16) & gatewayFlag) !== 0) found.gateways.push(formatIp(4, words(gateway)) ?? "");
    else {
      const length = [...words(mask)].reduce((sum, byte) => sum + bitsOf(byte), 0);
      if (length > 0) found.direct.push({ family: 4, bytes: words(destination), length });
    }
  }
  return found;
}

/** `destination length source length next-hop metric refcnt use flags device`, in hexadecimal. */
export function readIpv6(text: string): Routes {
  const found: Routes = { gateways: [], direct: [] };
  for (const line of text.split("\n")) {
    const [destination = "", length = "", , , next = "", , , , flags = "", device] = line.trim().split(/\s+/);
    if (device === undefined || device === "lo") continue;
    if ((parseInt(flags, 16) & gatewayFlag) !== 0) found.gateways.push(formatIp(6, bytesOf(next)) ?? "");
    else found.direct.push({ family: 6, bytes: bytesOf(destination), length: parseInt(length, 16) });
  }
  return found;
}

function contentOf(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch {
    return ""; // no such family here
  }
}

function words(hexadecimal: string): Uint8Array {
  return bytesOf(hexadecimal).reverse();
}

function bytesOf(hexadecimal: string): Uint8Array {
  const bytes = hexadecimal.match(/../g) ?? [];
  return Uint8Array.from(bytes, (byte) => parseInt(byte, 16));
}

function bitsOf(byte: number): number {
  let bits = 0;
  for (let rest = byte; rest !== 0; rest >>= 1) bits += rest & 1;
  return bits;
}
