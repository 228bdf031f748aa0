// The kernel's lists of this network namespace's sockets, by sock_diag(7): TCP listeners, TCP sockets that wait for a
// connection, bound UDP sockets. Unlike /proc/net/tcp it costs no more when there are ten thousand connections. Called by
// core/session/listening.ts.

import { c, check, K, outcome } from "./libc.ts";
import { retry } from "./socket.ts";

/** A local port, and the inode by which /proc/PID/fd names the socket. */
export interface BoundSocket {
  port: number;
  inode: number;
}

const AF_NETLINK = 16;
const NETLINK_INET_DIAG = 4;
const SOCK_DIAG_BY_FAMILY = 20;
const NLM_F_REQUEST_DUMP = 0x301;
const NLMSG_ERROR = 2;
const NLMSG_DONE = 3;
const headerBytes = 16;
const requestBytes = headerBytes + 56;
/** In struct inet_diag_msg: the source port, and the inode behind addresses, time, queues and user. */
const portAt = 4;
const inodeAt = 68;
/** Protocol numbers, and sets of the kernel's states: TCP_LISTEN is 10, TCP_SYN_SENT 2, TCP_SYN_RECV 3. */
const lists = {
  tcp: { number: 6, states: 1 << 10 },
  waiting: { number: 6, states: 1 << 2 | 1 << 3 },
  udp: { number: 17, states: ~0 },
};
const scratch = new Uint8Array(65536);

/** What is listed: TCP listeners, TCP sockets whose connect is under way, bound UDP sockets. */
export type SocketList = keyof typeof lists;

/** All of both families; null where the kernel has no such interface. */
export function boundSockets(list: SocketList): BoundSocket[] | null {
  const fd = c.socket(AF_NETLINK, K.SOCK_DGRAM | K.SOCK_CLOEXEC, NETLINK_INET_DIAG);
  if (fd < 0) return null;
  try {
    const found: BoundSocket[] = [];
    for (const family of [K.AF_INET, K.AF_INET6]) {
      const request = dumpRequest(family, list);
      check("send", c.send(fd, request, BigInt(request.length), 0));
      while (true) {
        const count = retry(() => outcome.recv(fd, scratch, 0));
        const part = count <= 0 ? null : readPart(scratch.subarray(0, count), found);
        if (part === null) return null;
        if (part === "done") break;
      }
    }
    return found;
  } finally {
    c.close(fd);
  }
}

/** struct nlmsghdr and struct inet_diag_req_v2. */
function dumpRequest(family: number, list: SocketList): Uint8Array<ArrayBuffer> {
  const { number, states } = lists[list];
  const view = new DataView(new ArrayBuffer(requestBytes));
  view.setUint32(0, requestBytes, true);
  view.setUint16(4, SOCK_DIAG_BY_FAMILY, true);
  view.setUint16(6, NLM_F_REQUEST_DUMP, true);
  view.setUint8(headerBytes, family);
  view.setUint8(headerBytes + 1, number);
  view.setUint32(headerBytes + 4, states >>> 0, true);
  return new Uint8Array(view.buffer);
}

/** Adds what one datagram of the answer tells; null after an error. */
function readPart(bytes: Uint8Array, found: BoundSocket[]): "more" | "done" | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at + headerBytes <= bytes.length;) {
    const length = view.getUint32(at, true);
    const type = view.getUint16(at + 4, true);
    if (type === NLMSG_DONE) return "done";
    if (type === NLMSG_ERROR || length < headerBytes) return null;
    if (length >= headerBytes + inodeAt + 4) {
      const body = at + headerBytes;
      found.push({ port: view.getUint16(body + portAt), inode: view.getUint32(body + inodeAt, true) });
    }
    at += (length + 3) & ~3;
  }
  return "more";
}
