// TCP_NODELAY on the sockets that the runtime makes for mirrord (WebSocket, fetch, node:tls): the runtime
// sets the option to 0 and has no setting for it, so a small message would wait for the acknowledgement of
// the one before (Nagle against delayed ACK, tcp(7)). Called by core/kube after each answer of the API
// server. The sockets of socket.ts set the option themselves.

import { c, K } from "./libc.ts";

const one = new Uint8Array(new Uint32Array([1]).buffer);

/**
 * Sets the option on every TCP socket that this process made. One that it inherited may be shared with
 * another program and stays as it is: only its descriptor survives an exec, so only it has no FD_CLOEXEC
 * (fcntl(2)).
 */
export function sendSmallAtOnce(): void {
  for (const { name } of Deno.readDirSync("/proc/self/fd")) {
    const fd = Number(name);
    if (isTcp(fd) && (c.fcntl(fd, K.F_GETFD, 0) & K.FD_CLOEXEC) !== 0) {
      c.setsockopt(fd, K.IPPROTO_TCP, K.TCP_NODELAY, one, 4);
    }
  }
}

/** False for what is no socket, or is closed meanwhile. */
function isTcp(fd: number): boolean {
  const protocol = new Uint32Array(1);
  const length = new Uint8Array(new Uint32Array([4]).buffer);
  const status = c.getsockopt(fd, K.SOL_SOCKET, K.SO_PROTOCOL, new Uint8Array(protocol.buffer), length);
  return status === 0 && protocol[0] === K.IPPROTO_TCP;
}
