// The kernel's lists of this network namespace's sockets, by sock_diag(7): TCP listeners, TCP sockets that
// wait for a connection, bound UDP sockets. Unlike /proc/net/tcp it costs no more when there are ten thousand
// connections. Called by its neighbour listening.ts.

import { formatIp } from "../../../protocol-wasm/mod.ts";
import { AF_NETLINK, attributes, dumpRequest, readDump } from "./diag_dump.ts";
import type { BoundSocket, SocketList } from "../platform.ts";
import { c, check, K, outcome } from "./libc.ts";
import { retry } from "./socket.ts";

const NETLINK_INET_DIAG = 4;
/** struct inet_diag_req_v2. */
const requestBytes = 56;
/**
 * In struct inet_diag_msg: the family, the source's port and address, and the inode behind the rest.
 * Attributes follow.
 */
const familyAt = 0;
const portAt = 4;
const addressAt = 8;
const inodeAt = 68;
const attributesAt = 72;
const INET_DIAG_SKV6ONLY = 11;
/** Protocol numbers, and sets of the kernel's states: TCP_LISTEN is 10, TCP_SYN_SENT 2, TCP_SYN_RECV 3. */
const lists: Record<SocketList, { number: number; states: number }> = {
  tcp: { number: 6, states: 1 << 10 },
  waiting: { number: 6, states: 1 << 2 | 1 << 3 },
  udp: { number: 17, states: ~0 },
};
const scratch = new Uint8Array(65536);

/** All of both families; null where the kernel has no such interface. */
export function boundSockets(list: SocketList): BoundSocket[] | null {
  const fd = c.socket(AF_NETLINK, K.SOCK_DGRAM | K.SOCK_CLOEXEC, NETLINK_INET_DIAG);
  if (fd < 0) return null;
  try {
    const found: BoundSocket[] = [];
    for (const family of [K.AF_INET, K.AF_INET6]) {
      const request = dumpRequest(question(family, list));
      check("send", c.send(fd, request, BigInt(request.length), 0));
      while (true) {
        const count = retry(() => outcome.recv(fd, scratch, 0));
        const part = count <= 0 ? null : readDump(scratch.subarray(0, count), (message) => {
          if (message.byteLength >= inodeAt + 4) found.push(readSocket(message));
        });
        if (part === null) return null;
        if (part === "done") break;
      }
    }
    return found;
  } finally {
    c.close(fd);
  }
}

function question(family: number, list: SocketList): DataView<ArrayBuffer> {
  const { number, states } = lists[list];
  const view = new DataView(new ArrayBuffer(requestBytes));
  view.setUint8(0, family);
  view.setUint8(1, number);
  view.setUint32(4, states >>> 0, true);
  return view;
}

function readSocket(message: DataView<ArrayBuffer>): BoundSocket {
  const family = message.getUint8(familyAt) === K.AF_INET ? 4 : 6;
  const address = new Uint8Array(message.buffer, message.byteOffset + addressAt, 16);
  return {
    address: formatIp(family, address) ?? "",
    port: message.getUint16(portAt),
    inode: message.getUint32(inodeAt, true),
    only6: family === 6 && isOnly6(message),
  };
}

function isOnly6(message: DataView<ArrayBuffer>): boolean {
  for (const { type, value } of attributes(message, attributesAt)) {
    if (type === INET_DIAG_SKV6ONLY) return value.byteLength > 0 && value.getUint8(0) === 1;
  }
  return false;
}
