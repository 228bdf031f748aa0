// The C library's calls on sockets, with the kernel's numbers beside them. Called by its neighbours here, and
// by agent/sys, which adds the agent's own calls. Every call is non-blocking or short, except
// `epoll_wait_thread`, which runs on a thread of the runtime. Linux, x86_64 and aarch64.

import { SystemError } from "../system_error.ts";

const i32 = "i32";
const libc = Deno.dlopen("libc.so.6", {
  __errno_location: { parameters: [], result: "pointer" },
  close: { parameters: [i32], result: i32 },
  read: { parameters: [i32, "buffer", "usize"], result: i32 },
  write: { parameters: [i32, "buffer", "usize"], result: i32 },
  socket: { parameters: [i32, i32, i32], result: i32 },
  bind: { parameters: [i32, "buffer", "u32"], result: i32 },
  listen: { parameters: [i32, i32], result: i32 },
  accept4: { parameters: [i32, "buffer", "buffer", i32], result: i32 },
  connect: { parameters: [i32, "buffer", "u32"], result: i32 },
  getsockname: { parameters: [i32, "buffer", "buffer"], result: i32 },
  getpeername: { parameters: [i32, "buffer", "buffer"], result: i32 },
  getsockopt: { parameters: [i32, i32, i32, "buffer", "buffer"], result: i32 },
  setsockopt: { parameters: [i32, i32, i32, "buffer", "u32"], result: i32 },
  recv: { parameters: [i32, "buffer", "usize", i32], result: i32 },
  send: { parameters: [i32, "buffer", "usize", i32], result: i32 },
  shutdown: { parameters: [i32, i32], result: i32 },
  poll: { parameters: ["buffer", "u64", i32], result: i32 },
  fcntl: { parameters: [i32, i32, i32], result: i32 },
  ioctl: { parameters: [i32, "u64", "buffer"], result: i32 },
  eventfd: { parameters: ["u32", i32], result: i32 },
  epoll_create1: { parameters: [i32], result: i32 },
  epoll_ctl: { parameters: [i32, i32, i32, "buffer"], result: i32 },
  epoll_wait: { parameters: [i32, "buffer", i32, i32], result: i32 },
  epoll_wait_thread: {
    name: "epoll_wait",
    parameters: [i32, "buffer", i32, i32],
    result: i32,
    nonblocking: true,
  },
});

/**
 * The calls, as in their man pages; -1 means failure, and `lastErrno()` returns its errno if it is called
 * before any other.
 */
export const c = libc.symbols;

const errnoPointer = c.__errno_location();
if (errnoPointer === null) throw new Error("the C library has no errno");
const errnoCell = new Int32Array(Deno.UnsafePointerView.getArrayBuffer(errnoPointer, 4));

/** errno of the last failed call on this thread (errno(3)). */
export function lastErrno(): number {
  return errnoCell[0] ?? 0;
}

/** Stands for an errno of 0, which no failed call leaves; the kernel uses none so high. */
export const noErrno = 4095;

type Bytes = Uint8Array<ArrayBuffer>;

/**
 * Calls that fail in the ordinary course of things: their result, or -errno. It is read where they return,
 * with none of this project's functions entered before: there the runtime may collect or compile, whose own
 * calls leave their errno on this thread.
 */
export const outcome = {
  recv(fd: number, into: Bytes, how: number): number {
    const result = c.recv(fd, into, BigInt(into.length), how);
    return result < 0 ? -(errnoCell[0] || noErrno) : result;
  },
  send(fd: number, from: Bytes, how: number): number {
    const result = c.send(fd, from, BigInt(from.length), how);
    return result < 0 ? -(errnoCell[0] || noErrno) : result;
  },
  accept(fd: number): number {
    const result = c.accept4(fd, null, null, K.SOCK_NONBLOCK | K.SOCK_CLOEXEC);
    return result < 0 ? -(errnoCell[0] || noErrno) : result;
  },
  connect(fd: number, name: Bytes): number {
    const result = c.connect(fd, name, name.length);
    return result < 0 ? -(errnoCell[0] || noErrno) : result;
  },
};

/** The result, or a SystemError named after `call` when it is negative. */
export function check(call: string, result: number): number {
  if (result < 0) throw new SystemError(call, lastErrno());
  return result;
}

/**
 * Bits and numbers of <sys/socket.h>, <netinet/tcp.h>, <fcntl.h>, <sys/epoll.h>: the same on both machines.
 */
export const K = {
  AF_UNIX: 1,
  AF_INET: 2,
  AF_INET6: 10,
  AF_PACKET: 17,
  SOCK_STREAM: 1,
  SOCK_DGRAM: 2,
  SOCK_NONBLOCK: 0o4000,
  SOCK_CLOEXEC: 0o2000000,
  SOL_SOCKET: 1,
  SO_REUSEADDR: 2,
  SO_ERROR: 4,
  SO_RCVBUF: 8,
  SO_LINGER: 13,
  SO_REUSEPORT: 15,
  SO_PEERCRED: 17,
  SO_RCVBUFFORCE: 33,
  SO_MEMINFO: 55,
  SO_PROTOCOL: 38,
  IPPROTO_TCP: 6,
  IP_TTL: 2,
  IP_MINTTL: 21,
  IPPROTO_IP: 0,
  TCP_NODELAY: 1,
  TCP_QUICKACK: 12,
  TCP_INFO: 11,
  TCP_SAVE_SYN: 27,
  TCP_SAVED_SYN: 28,
  TCP_ESTABLISHED: 1 as number,
  TCP_FIN_WAIT1: 4,
  TCP_FIN_WAIT2: 5,
  TCP_CLOSE: 7,
  FIONREAD: 0x541bn,
  SIOCOUTQ: 0x5411n,
  IPPROTO_IPV6: 41,
  IPV6_UNICAST_HOPS: 16,
  IPV6_V6ONLY: 26,
  IPV6_MINHOPCOUNT: 73,
  MSG_DONTWAIT: 0x40,
  MSG_NOSIGNAL: 0x4000,
  SHUT_WR: 1,
  SO_ATTACH_BPF: 50,
  SOL_PACKET: 263,
  PACKET_RX_RING: 5,
  PACKET_STATISTICS: 6,
  PACKET_VERSION: 10,
  TPACKET_V3: 2,
  ETH_P_ALL: 0x0003,
  ETH_P_IP: 0x0800,
  ETH_P_IPV6: 0x86dd,
  PROT_READ: 1,
  PROT_WRITE: 2,
  MAP_SHARED: 1,
  MAP_FAILED: 0xffffffffffffffffn,
  O_RDONLY: 0,
  O_CLOEXEC: 0o2000000,
  F_GETFD: 1,
  FD_CLOEXEC: 1,
  F_GETFL: 3,
  F_SETFL: 4,
  O_NONBLOCK: 0o4000,
  CLONE_NEWUTS: 0x04000000,
  CLONE_NEWNET: 0x40000000,
  POLLIN: 1,
  EPOLLIN: 1,
  EPOLLOUT: 4,
  EPOLLERR: 8,
  EPOLLHUP: 16,
  EPOLLRDHUP: 0x2000,
  EPOLLET: 0x80000000,
  EPOLL_CTL_ADD: 1,
  EPOLL_CTL_DEL: 2,
  EPOLL_CLOEXEC: 0o2000000,
  EFD_NONBLOCK: 0o4000,
  EFD_CLOEXEC: 0o2000000,
  SIGHUP: 1,
  SIGINT: 2,
  SIGPIPE: 13,
  SIGTSTP: 20,
  SIG_IGN: 1n,
} as const;
