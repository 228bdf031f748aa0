// One end of a connection, and its address as bytes. Text is that of the wire: canonical, an IPv4-mapped
// address as IPv4.

import { parseIp } from "../../protocol-wasm/mod.ts";

/** One end of a TCP connection. `scope` is the interface index of a link-local IPv6 address. */
export interface Endpoint {
  address: string;
  port: number;
  scope?: number;
}

/** 4 or 16 bytes in network order. Throws TypeError on what is no IP address. */
export function addressBytes(text: string): Uint8Array {
  const ip = parseIp(text);
  if (ip === null || ip.family === 0) throw new TypeError(`not an IP address: ${JSON.stringify(text)}`);
  return ip.bytes.subarray(0, ip.family === 4 ? 4 : 16);
}

/** As in a URL: "10.0.0.1:80", "[::1]:80". */
export function addressText({ address, port }: Endpoint): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}
