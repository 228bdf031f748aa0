// A place where connections are begun but not answered until the session says so: how an app's own socket waits for what a
// far connect gives. Used by core/session/outgoing.ts.
//
// Theory of operation. A listener drops every SYN by a socket filter (socket(7), SO_ATTACH_FILTER), so whoever dials the
// gate stays in SYN_SENT: connect, poll, select and epoll, time-outs and signals are all the kernel's own. `admit` binds
// another socket to the gate's very address (SO_REUSEPORT) and connects it to the one that waits: both ends dialled, which
// is a simultaneous open (RFC 9293, 3.5), and both are connected at once, without waiting for a retransmission. Nobody
// comes in unasked: only the address that `admit` names is dialled.

import { encodeSockaddr, type Endpoint } from "./address.ts";
import { c, check, K } from "./libc.ts";
import { dialTcp, nameOf, type Socket } from "./socket.ts";

const one = new Uint8Array(new Uint32Array([1]).buffer);

export class Gate {
  readonly address: Endpoint;
  readonly #fd: number;

  /** Opens a gate at a free port of `host`, a loopback address. Throws SystemError where the family is missing. */
  constructor(host: string) {
    const name = encodeSockaddr({ address: host, port: 0 });
    const family = host.includes(":") ? K.AF_INET6 : K.AF_INET;
    this.#fd = check("socket", c.socket(family, K.SOCK_STREAM | K.SOCK_NONBLOCK | K.SOCK_CLOEXEC, 0));
    try {
      check("setsockopt", c.setsockopt(this.#fd, K.SOL_SOCKET, K.SO_REUSEPORT, one, 4));
      dropAll(this.#fd);
      check("bind", c.bind(this.#fd, name, name.length));
      check("listen", c.listen(this.#fd, 1));
      this.address = nameOf(c.getsockname, this.#fd);
    } catch (error) {
      c.close(this.#fd);
      throw error;
    }
  }

  /** Connects the socket that waits at `waiting`. Rejects with SystemError when it waits no longer (ECONNREFUSED). */
  admit(waiting: Endpoint): Promise<Socket> {
    return dialTcp({ destination: waiting, source: this.address, shared: true });
  }

  /** Who still waits is refused when it tries again. */
  [Symbol.dispose](): void {
    c.close(this.#fd);
  }
}

/** Attaches the program "return 0": struct sock_fprog is a count and, aligned to a pointer, where the instructions are. */
function dropAll(fd: number): void {
  const instruction = new Uint8Array(8);
  instruction[0] = 0x06; // BPF_RET | BPF_K
  const program = new DataView(new ArrayBuffer(16));
  program.setUint16(0, 1, true);
  program.setBigUint64(8, BigInt(Deno.UnsafePointer.value(Deno.UnsafePointer.of(instruction))), true);
  check(
    "setsockopt",
    c.setsockopt(fd, K.SOL_SOCKET, K.SO_ATTACH_FILTER, new Uint8Array(program.buffer), program.byteLength),
  );
}
