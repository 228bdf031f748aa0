// The address from which this machine would reach another: found by connecting a UDP socket that sends
// nothing (connect(2)). Called by dns/destinations.ts.

import type { Endpoint } from "../../core/net/address.ts";
import { decodeSockaddr, encodeSockaddr, sockaddrSize } from "../../core/net/linux/sockaddr.ts";
import { c, check, K } from "./libc.ts";

/** The kernel's choice for `peer`; null when it has no way there. */
export function sourceAddress(peer: Endpoint): string | null {
  const name = encodeSockaddr(peer);
  const fd = c.socket(name[0] ?? 0, K.SOCK_DGRAM | K.SOCK_CLOEXEC, 0);
  if (fd < 0) return null;
  try {
    if (c.connect(fd, name, name.length) < 0) return null;
    const own = new Uint8Array(sockaddrSize);
    check("getsockname", c.getsockname(fd, own, new Uint8Array(new Uint32Array([sockaddrSize]).buffer)));
    return decodeSockaddr(own).address;
  } finally {
    c.close(fd);
  }
}
