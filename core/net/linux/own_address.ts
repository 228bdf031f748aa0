// Which addresses are this network namespace's own. Called by the agent, for mirrored packets and for the
// session's questions. Facts: ip(7), bind(2).

import type { Endpoint } from "../address.ts";
import { encodeSockaddr } from "./sockaddr.ts";
import { c, check, K } from "./libc.ts";

/** Whether `endpoint`'s address is one of this network namespace's own: no other can be bound to (ip(7)). */
export function isOwnAddress(endpoint: Endpoint): boolean {
  const name = encodeSockaddr(endpoint);
  const fd = check("socket", c.socket(name[0] ?? 0, K.SOCK_DGRAM | K.SOCK_CLOEXEC, 0));
  const own = c.bind(fd, name, name.length) === 0;
  c.close(fd);
  return own;
}
