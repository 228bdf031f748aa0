// struct sockaddr_in and sockaddr_in6 ↔ Endpoint (ip(7), ipv6(7)). Called by its neighbours here, and by
// agent/sys.

import { formatIp } from "../../../protocol-wasm/mod.ts";
import { addressBytes, type Endpoint } from "../address.ts";
import { K } from "./libc.ts";

/** Room for either family. */
export const sockaddrSize = 28;

/** The socket address for bind and connect, with its true length. */
export function encodeSockaddr(endpoint: Endpoint): Uint8Array<ArrayBuffer> {
  const ip = addressBytes(endpoint.address);
  const bytes = new Uint8Array(ip.length === 4 ? 16 : sockaddrSize);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, ip.length === 4 ? K.AF_INET : K.AF_INET6, true);
  view.setUint16(2, endpoint.port);
  bytes.set(ip, ip.length === 4 ? 4 : 8);
  if (ip.length === 16) view.setUint32(24, endpoint.scope ?? 0, true);
  return bytes;
}

/** What getsockname, getpeername or accept4 wrote. Throws TypeError on another family. */
export function decodeSockaddr(bytes: Uint8Array): Endpoint {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const family = view.getUint16(0, true);
  const port = view.getUint16(2);
  if (family === K.AF_INET) return { address: formatIp(4, bytes.subarray(4, 20)) ?? "", port };
  if (family !== K.AF_INET6) throw new TypeError(`not an IP socket address: family ${family}`);
  const address = formatIp(6, bytes.subarray(8, 24)) ?? "";
  const scope = view.getUint32(24, true);
  return scope === 0 ? { address, port } : { address, port, scope };
}
