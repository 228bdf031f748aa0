// Who is at the other end of a Unix socket: the kernel keeps it for each connection (unix(7), SO_PEERCRED).
// The runtime does not tell the descriptors of its connections, so they are found by the path that they
// belong to. Called by core/control.

import { c, K } from "./libc.ts";

/** sun_family, and 108 bytes of path. */
const sockaddrBytes = 110;
/** struct ucred: pid, uid, gid. */
const ucredBytes = 12;

/**
 * The users at the other ends of all connections that this process has accepted at the Unix socket `path`,
 * its own among them, which listens there.
 */
export function localPeers(path: string): number[] {
  const users: number[] = [];
  for (const { name } of Deno.readDirSync("/proc/self/fd")) {
    if (boundPath(Number(name)) === path) users.push(peerOf(Number(name)));
  }
  return users;
}

function boundPath(fd: number): string | null {
  const bytes = new Uint8Array(sockaddrBytes);
  const length = new Uint32Array([sockaddrBytes]);
  if (c.getsockname(fd, bytes, length) !== 0) return null; // no socket
  if (new DataView(bytes.buffer).getUint16(0, true) !== K.AF_UNIX) return null;
  return new TextDecoder().decode(bytes.subarray(2, length[0])).replace(/\0.*$/s, "");
}

/** -1, which is nobody's, where the kernel does not tell. */
function peerOf(fd: number): number {
  const peer = new Uint8Array(ucredBytes);
  const length = new Uint32Array([ucredBytes]);
  if (c.getsockopt(fd, K.SOL_SOCKET, K.SO_PEERCRED, peer, length) !== 0) return -1;
  return new DataView(peer.buffer).getUint32(4, true);
}
