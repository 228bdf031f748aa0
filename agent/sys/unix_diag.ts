// The kernel's list of the Unix sockets of this network namespace, by sock_diag(7). Called by port_lock.ts.
// Unlike /proc/net/unix it reports how large a socket's receive buffer may be, and that size is the mark.

import { AF_NETLINK, attributes, dumpRequest, readDump } from "../../core/net/linux/diag_dump.ts";
import { c, check, K } from "./libc.ts";

/** A named Unix socket. */
export interface NamedSocket {
  /** An abstract name without its zero byte; one character for each byte. */
  name: string;
  inode: number;
  listens: boolean;
  receiveBuffer: number;
}

const NETLINK_SOCK_DIAG = 4;
/** struct unix_diag_req. */
const requestBytes = 24;
/** UDIAG_SHOW_NAME and UDIAG_SHOW_MEMINFO, and the attributes that they bring (<linux/unix_diag.h>). */
const show = 0x1 | 0x20;
const UNIX_DIAG_NAME = 0;
const UNIX_DIAG_MEMINFO = 5;
/**
 * In struct unix_diag_msg; attributes follow at 16. In the memory attribute SK_MEMINFO_RCVBUF is the second
 * number.
 */
const stateAt = 2;
const inodeAt = 4;
const attributesAt = 16;
const receiveBufferAt = 4;
/** TCP_CLOSE: bound, no more; TCP_LISTEN. */
const states = 1 << 7 | 1 << 10;
const listening = 10;

/** Sockets whose abstract name begins with `prefix`; null where the kernel has no such list. */
export function abstractSockets(prefix: string): NamedSocket[] | null {
  const fd = check("socket", c.socket(AF_NETLINK, K.SOCK_DGRAM | K.SOCK_CLOEXEC, NETLINK_SOCK_DIAG));
  try {
    const question = new DataView(new ArrayBuffer(requestBytes));
    question.setUint8(0, K.AF_UNIX);
    question.setUint32(4, states, true);
    question.setUint32(12, show, true);
    const request = dumpRequest(question);
    check("send", c.send(fd, request, BigInt(request.length), 0));
    const found: NamedSocket[] = [];
    const part = new Uint8Array(65_536);
    for (;;) {
      // Answers of this kind are there when the question was sent.
      const count = check("recv", c.recv(fd, part, BigInt(part.length), K.MSG_DONTWAIT));
      const state = readDump(part.subarray(0, count), (message) => {
        const socket = readSocket(message);
        if (socket !== null) found.push(socket);
      });
      if (state === null) return null;
      if (state === "done") return found.filter(({ name }) => name.startsWith(prefix));
    }
  } finally {
    c.close(fd);
  }
}

function readSocket(message: DataView<ArrayBuffer>): NamedSocket | null {
  let name = "";
  let receiveBuffer = 0;
  for (const { type, value } of attributes(message, attributesAt)) {
    if (type === UNIX_DIAG_NAME) {
      name = String.fromCharCode(...new Uint8Array(value.buffer, value.byteOffset, value.byteLength));
    }
    if (type === UNIX_DIAG_MEMINFO) receiveBuffer = value.getUint32(receiveBufferAt, true);
  }
  if (!name.startsWith("\0")) return null;
  const listens = message.getUint8(stateAt) === listening;
  return { name: name.slice(1), inode: message.getUint32(inodeAt, true), listens, receiveBuffer };
}
