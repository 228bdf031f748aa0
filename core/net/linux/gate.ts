// A listener that leaves a connect waiting until the session answers it: the app's own socket waits there for
// the result of a far connect. Used by core/session/outgoing.ts.
//
// Theory of operation. A listener whose queue is full drops every SYN (listen(2), tcp(7)), so a socket that
// dials the gate stays in SYN_SENT: connect, poll, select and epoll, time-outs and signals are all the
// kernel's own. None of this needs a privilege; a socket filter on TCP does, on some kernels. Two ways lead
// out, each a dial by the session from the gate's very address (SO_REUSEPORT), which makes a simultaneous
// open (RFC 9293, 3.5):
//   admit   both ends dialled, so both are connected at once, without waiting for a retransmission.
//   refuse  the first dial is deaf (IP_MINTTL above what the answer has), so the waiting socket goes from SYN_SENT to
//           SYN_RECEIVED and no further, where it still counts as waiting. The second dial gets the acknowledgement of the
//           first (RFC 5961, 4.2), which fits no SYN of its own, and so the kernel resets the waiting socket. It was never
//           connected; events and states are those of a refused connect, the errno alone is ECONNRESET.
// Nothing comes in unasked: only the address that the session names is dialled.

import type { Endpoint } from "../address.ts";
import { encodeSockaddr } from "./sockaddr.ts";
import { c, check, K } from "./libc.ts";
import { E, SystemError } from "../system_error.ts";
import { dialTcp, nameOf, type Socket } from "./socket.ts";

/** How long the gate's own connection may take to fill its queue. */
const fillMs = 5000;
const maxHops = 255;
const one = words(1);
const lingerZero = words(1, 0);

export class Gate {
  readonly address: Endpoint;
  readonly holdsConnects = true;
  readonly #family: number;
  readonly #fd: number;
  /** The connection that fills the queue. */
  readonly #filler: number;

  /**
   * Opens a gate at a free port of `host`, a loopback address. Throws SystemError where the family is
   * missing.
   */
  constructor(host: string) {
    this.#family = host.includes(":") ? K.AF_INET6 : K.AF_INET;
    this.#fd = this.#socket(0);
    try {
      this.#bind(this.#fd, { address: host, port: 0 });
      // A queue of length 0 holds one.
      check("listen", c.listen(this.#fd, 0));
      this.address = nameOf(c.getsockname, this.#fd);
      this.#filler = this.#fill();
    } catch (error) {
      c.close(this.#fd);
      throw error;
    }
  }

  /**
   * Connects the socket that waits at `waiting`. Rejects with SystemError when it waits no longer
   * (ECONNREFUSED).
   */
  admit(waiting: Endpoint): Promise<Socket> {
    return dialTcp({ destination: waiting, source: this.address, shared: true, acknowledges: true });
  }

  /**
   * Fails the socket that waits at `waiting`; one that waits no longer is left alone. Throws SystemError
   * without descriptors.
   */
  refuse(waiting: Endpoint): void {
    this.#dial(waiting, true);
    this.#dial(waiting, false);
  }

  /** Sockets that still wait are refused when they try again. */
  [Symbol.dispose](): void {
    c.close(this.#filler);
    c.close(this.#fd);
  }

  #socket(how: number): number {
    return check("socket", c.socket(this.#family, K.SOCK_STREAM | K.SOCK_CLOEXEC | how, 0));
  }

  #bind(fd: number, endpoint: Endpoint): void {
    const name = encodeSockaddr(endpoint);
    check("setsockopt", c.setsockopt(fd, K.SOL_SOCKET, K.SO_REUSEPORT, one, 4));
    check("bind", c.bind(fd, name, name.length));
  }

  #fill(): number {
    const name = encodeSockaddr(this.address);
    const filler = this.#socket(0);
    try {
      // It carries nothing; but all sockets of the session send small writes at once.
      check("setsockopt", c.setsockopt(filler, K.IPPROTO_TCP, K.TCP_NODELAY, one, 4));
      check("connect", c.connect(filler, name, name.length));
      // struct pollfd: the descriptor and the events.
      const queue = words(this.#fd, K.POLLIN);
      if (check("poll", c.poll(queue, 1n, fillMs)) === 0) throw new SystemError("poll", E.ETIMEDOUT);
      return filler;
    } catch (error) {
      c.close(filler);
      throw error;
    }
  }

  /**
   * Sends a SYN and forgets about it. Where an app's own packets have 255 hops to live, a deaf dial is
   * answered, and then resets.
   */
  #dial(waiting: Endpoint, deaf: boolean): void {
    const fd = this.#socket(K.SOCK_NONBLOCK);
    try {
      if (deaf) this.#deafen(fd);
      c.setsockopt(fd, K.SOL_SOCKET, K.SO_LINGER, lingerZero, 8);
      this.#bind(fd, this.address);
      const name = encodeSockaddr(waiting);
      c.connect(fd, name, name.length);
    } finally {
      c.close(fd);
    }
  }

  #deafen(fd: number): void {
    const limit = words(maxHops);
    if (this.#family === K.AF_INET) {
      check("setsockopt", c.setsockopt(fd, K.IPPROTO_IP, K.IP_MINTTL, limit, 4));
    } else check("setsockopt", c.setsockopt(fd, K.IPPROTO_IPV6, K.IPV6_MINHOPCOUNT, limit, 4));
  }
}

/**
 * Opens a gate at a free port of `host`, a loopback address. Throws SystemError where the family is missing.
 */
export function openGate(host: string): Gate {
  return new Gate(host);
}

/** 32-bit words as bytes, little-endian as both machines are. */
function words(...values: number[]): Uint8Array<ArrayBuffer> {
  return new Uint8Array(new Uint32Array(values).buffer);
}
