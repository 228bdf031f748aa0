// The agent's own listeners, on the loopback addresses of the target's network namespace: one port on both.
// Called by main.ts. No other program can take a port that is held: without SO_REUSEPORT on this side no bind
// to it succeeds (socket(7)).

import { type Listener, listenIfThere, listenTcp } from "../core/net/linux/socket.ts";
import { E, SystemError } from "./sys/libc.ts";

/** Free ports that are tried when another program has one on the other family. */
const attempts = 16;

/**
 * Listens on `port` of both families where there are two; 0: on a free one. Runtimes dial IPv4 first: one
 * whose number is taken on IPv6 again and again is held on IPv4 alone. Throws SystemError, EADDRINUSE when
 * `port` is another program's.
 */
export function listenLoopback(port: number): Listener[] {
  for (let attempt = 1;; attempt++) {
    const alone = port === 0;
    const first = listenTcp({ address: "127.0.0.1", port }, alone);
    try {
      const second = listenIfThere({ address: "::1", port: first.address.port }, alone);
      return second === null ? [first] : [first, second];
    } catch (error) {
      const taken = port === 0 && error instanceof SystemError && error.errno === E.EADDRINUSE;
      if (taken && attempt >= attempts) return [first];
      first.close();
      if (!taken) throw error;
    }
  }
}
