// struct sockaddr_in and sockaddr_in6 ↔ Endpoint (ip(7), ipv6(7)), and a bypass key. Called by socket.ts and
// bpf.ts. Text is canonical: dotted IPv4, RFC 5952 IPv6, an IPv4-mapped address as IPv4.

import { K } from "./libc.ts";

/** One end of a TCP connection. `scope` is the interface index of a link-local IPv6 address. */
export interface Endpoint {
  address: string;
  port: number;
  scope?: number;
}

/** Room for either family. */
export const SOCKADDR_SIZE = 28;

/** 4 or 16 bytes in network order. Throws on what is no IP address. */
export function addressBytes(text: string): Uint8Array<ArrayBuffer> {
  const bytes = text.includes(":") ? parseIPv6(text) : parseIPv4(text);
  if (bytes === null) throw new TypeError(`not an IP address: ${JSON.stringify(text)}`);
  return bytes;
}

/** The socket address for bind and connect, with its true length. */
export function encodeSockaddr(endpoint: Endpoint): Uint8Array<ArrayBuffer> {
  const ip = addressBytes(endpoint.address);
  const bytes = new Uint8Array(ip.length === 4 ? 16 : SOCKADDR_SIZE);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, ip.length === 4 ? K.AF_INET : K.AF_INET6, true);
  view.setUint16(2, endpoint.port);
  bytes.set(ip, ip.length === 4 ? 4 : 8);
  if (ip.length === 16) view.setUint32(24, endpoint.scope ?? 0, true);
  return bytes;
}

/** What getsockname, getpeername or accept4 wrote. Throws on another family. */
export function decodeSockaddr(bytes: Uint8Array): Endpoint {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const family = view.getUint16(0, true);
  const port = view.getUint16(2);
  if (family === K.AF_INET) return { address: formatIPv4(bytes.subarray(4, 8)), port };
  if (family !== K.AF_INET6) throw new TypeError(`not an IP socket address: family ${family}`);
  const ip = bytes.subarray(8, 24);
  const mapped = ip.subarray(0, 10).every((byte) => byte === 0) && ip[10] === 255 && ip[11] === 255;
  if (mapped) return { address: formatIPv4(ip.subarray(12)), port };
  const scope = view.getUint32(24, true);
  return scope === 0 ? { address: formatIPv6(ip), port } : { address: formatIPv6(ip), port, scope };
}

function parseIPv4(text: string): Uint8Array<ArrayBuffer> | null {
  const parts = text.split(".");
  const valid = parts.length === 4 &&
    parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) < 256);
  return valid ? new Uint8Array(parts.map(Number)) : null;
}

function parseIPv6(text: string): Uint8Array<ArrayBuffer> | null {
  const halves = text.split("::");
  if (halves.length > 2) return null;
  const [head, tail] = halves.map(groups);
  if (head === undefined || head === null || tail === null) return null;
  const missing = 8 - head.length - (tail?.length ?? 0);
  if (tail === undefined ? missing !== 0 : missing < 1) return null;
  const all = [...head, ...Array<number>(missing).fill(0), ...(tail ?? [])];
  return new Uint8Array(all.flatMap((group) => [group >> 8, group & 255]));
}

function groups(text: string): number[] | null {
  if (text === "") return [];
  const parts = text.split(":");
  return parts.every((part) => /^[0-9a-f]{1,4}$/i.test(part))
    ? parts.map((part) => parseInt(part, 16))
    : null;
}

function formatIPv4(bytes: Uint8Array): string {
  return bytes.join(".");
}

/** The longest run of two or more zero groups becomes "::", the first of equals (RFC 5952, 4.2). */
function formatIPv6(bytes: Uint8Array): string {
  const words = Array.from({ length: 8 }, (_, i) => ((bytes[2 * i] ?? 0) << 8) | (bytes[2 * i + 1] ?? 0));
  let [start, length] = [-1, 1];
  for (let i = 0; i < 8; i++) {
    let end = i;
    while (words[end] === 0) end++;
    if (end - i > length) [start, length] = [i, end - i];
  }
  const hex = words.map((word) => word.toString(16));
  if (start < 0) return hex.join(":");
  return `${hex.slice(0, start).join(":")}::${hex.slice(start + length).join(":")}`;
}
