// Network interfaces as the kernel reports them: rtnetlink(7) and the ioctls of netdevice(7), in the network
// namespace of this process, which is the target's. Called by agent/interfaces.ts. All calls are read-only.

import { outcome } from "../../core/net/linux/libc.ts";
import { concatenate } from "../../protocol-wasm/mod.ts";
import { c, check, E, K, SystemError } from "./libc.ts";

const AF_NETLINK = 16;
const NETLINK_ROUTE = 0;
const SOCK_RAW = 3;
const SOL_NETLINK = 270;
const NETLINK_GET_STRICT_CHK = 12;
/** Of struct nlmsghdr: length u32, type u16, flags u16, sequence u32, port u32. */
const headerBytes = 16;
const [NLMSG_ERROR, NLMSG_DONE, firstRouteType] = [2, 3, 16];
const NLM_F_MULTI = 2;
const NLM_F_DUMP = 0x300;
/** <linux/rtnetlink.h>; struct rtmsg has 12 bytes. */
const [RTM_GETROUTE, RTA_UID, routeBytes] = [26, 25, 12];
const SIOCGIFCONF = 0x8912;
/** struct ifreq, and where its pointer stands. */
const requestBytes = 40;
const pointerAt = 16;
const receiveBytes = 1 << 16;
/** Larger answers do not fit into a frame. */
const mostBytes = 1 << 20;

/** Does the message ask for something, and no more? Of four types in a row the third does (rtnetlink(7)). */
export function isQuestion(request: Uint8Array): boolean {
  const view = new DataView(request.buffer, request.byteOffset, request.byteLength);
  if (request.length < headerBytes || view.getUint32(0, true) !== request.length) return false;
  const type = view.getUint16(4, true);
  return type >= firstRouteType && type % 4 === 2;
}

/**
 * The question for one route, asked as the user `user` unless it names one: rules of `ip rule` may go by
 * users (rtnetlink(7)).
 */
export function asUser(request: Uint8Array, user: () => number): Uint8Array {
  const view = new DataView(request.buffer, request.byteOffset, request.byteLength);
  const isOne = view.getUint16(4, true) === RTM_GETROUTE && (view.getUint16(6, true) & NLM_F_DUMP) === 0;
  if (!isOne || request.length < headerBytes + routeBytes) return request;
  for (let at = headerBytes + routeBytes; at + 4 <= request.length;) {
    const length = view.getUint16(at, true);
    if (view.getUint16(at + 2, true) === RTA_UID || length < 4) return request;
    at += (length + 3) & ~3;
  }
  const asked = new Uint8Array(((request.length + 3) & ~3) + 8);
  asked.set(request);
  const added = new DataView(asked.buffer);
  added.setUint32(0, asked.length, true);
  added.setUint16(asked.length - 8, 8, true);
  added.setUint16(asked.length - 6, RTA_UID, true);
  added.setUint32(asked.length - 4, user(), true);
  return asked;
}

/** The kernel's messages in answer to `request`. Throws SystemError. */
export function askNetlink(request: Uint8Array, strict: boolean): Uint8Array {
  const fd = check(
    "socket",
    c.socket(AF_NETLINK, SOCK_RAW | K.SOCK_CLOEXEC | K.SOCK_NONBLOCK, NETLINK_ROUTE),
  );
  try {
    if (strict) c.setsockopt(fd, SOL_NETLINK, NETLINK_GET_STRICT_CHK, Uint8Array.of(1, 0, 0, 0), 4);
    const sent = Uint8Array.from(request);
    new DataView(sent.buffer).setUint32(12, 0, true);
    check("send", c.send(fd, sent, BigInt(sent.length), 0));
    return receiveAll(fd);
  } finally {
    c.close(fd);
  }
}

/** The kernel has answered by the time the question is sent: what is missing comes with the next read. */
function receiveAll(fd: number): Uint8Array {
  const parts: Uint8Array[] = [];
  let size = 0;
  const into = new Uint8Array(receiveBytes);
  for (let isOver = false; !isOver;) {
    const count = outcome.recv(fd, into, 0);
    if (count < 0) {
      const code = -count;
      if (code === E.EINTR) continue;
      if (code === E.EAGAIN && parts.length > 0) break;
      throw new SystemError("recv", code);
    }
    const messages = into.slice(0, count);
    isOver = readPart(messages);
    parts.push(messages);
    size += count;
    if (size > mostBytes) throw new SystemError("recv", E.EMSGSIZE);
  }
  return concatenate(parts);
}

/** Addresses each message to port 0; true when the last one ends the answer. */
function readPart(messages: Uint8Array): boolean {
  const view = new DataView(messages.buffer, messages.byteOffset, messages.byteLength);
  let isOver = true;
  for (let at = 0; at + headerBytes <= messages.length;) {
    const [length, type, flags] = [
      view.getUint32(at, true),
      view.getUint16(at + 4, true),
      view.getUint16(at + 6, true),
    ];
    if (length < headerBytes) break;
    view.setUint32(at + 12, 0, true);
    isOver = type === NLMSG_DONE || type === NLMSG_ERROR || (flags & NLM_F_MULTI) === 0;
    at += (length + 3) & ~3;
  }
  return isOver;
}

/**
 * ioctl(2) on a socket. `request` is as in the message `interface`; returns what the kernel made of it.
 * Throws SystemError.
 */
export function askInterface(command: number, request: Uint8Array): Uint8Array {
  const fd = check("socket", c.socket(K.AF_INET, K.SOCK_DGRAM | K.SOCK_CLOEXEC, 0));
  try {
    if (command === SIOCGIFCONF) return listInterfaces(fd);
    const made = new Uint8Array(requestBytes);
    made.set(request.subarray(0, requestBytes));
    const behind = Uint8Array.from(request.subarray(requestBytes));
    if (behind.length > 0) setPointer(made, pointerAt, behind);
    check("ioctl", c.ioctl(fd, BigInt(command), made));
    const answer = new Uint8Array(requestBytes + behind.length);
    answer.set(made);
    answer.set(behind, requestBytes);
    return answer;
  } finally {
    c.close(fd);
  }
}

/**
 * struct ifconf: the room's size, then a pointer to it; without one the kernel returns the size that it
 * needs.
 */
function listInterfaces(fd: number): Uint8Array {
  const conf = new Uint8Array(16);
  check("ioctl", c.ioctl(fd, BigInt(SIOCGIFCONF), conf));
  const view = new DataView(conf.buffer);
  const room = new Uint8Array(view.getInt32(0, true) + 16 * requestBytes); // some may come meanwhile
  view.setInt32(0, room.length, true);
  setPointer(conf, 8, room);
  check("ioctl", c.ioctl(fd, BigInt(SIOCGIFCONF), conf));
  return room.slice(0, view.getInt32(0, true));
}

function setPointer(struct: Uint8Array, at: number, to: Uint8Array<ArrayBuffer>): void {
  const pointer = BigInt(Deno.UnsafePointer.value(Deno.UnsafePointer.of(to)));
  new DataView(struct.buffer, struct.byteOffset).setBigUint64(at, pointer, true);
}
