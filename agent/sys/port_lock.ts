// One session at a time steals a port: an abstract Unix socket named after the port is the lock. Such names live
// in the network namespace and vanish with the process that holds them (unix(7)), so nothing is ever left behind.
// Called by incoming/subscriptions.ts. Whoever connects to the socket is told one line: who holds it.

import { c, check, E, errno, K, SystemError } from "./libc.ts";
import { Watch } from "../../core/net/poll.ts";

const flags = K.SOCK_STREAM | K.SOCK_CLOEXEC;
const maxLine = 512;

/** A held lock. */
export class PortLock {
  readonly #fd: number;
  readonly #watch: Watch;
  readonly #line: Uint8Array<ArrayBuffer>;
  #open = true;

  /** Throws SystemError EADDRINUSE when another process holds the port. */
  constructor(port: number, holder: string) {
    const name = abstractName(port);
    this.#line = new TextEncoder().encode(holder.slice(0, maxLine - 1) + "\n").subarray(0, maxLine);
    this.#fd = check("socket", c.socket(K.AF_UNIX, flags | K.SOCK_NONBLOCK, 0));
    try {
      check("bind", c.bind(this.#fd, name, name.length));
      check("listen", c.listen(this.#fd, 16));
      this.#watch = new Watch(this.#fd);
    } catch (error) {
      c.close(this.#fd);
      throw error;
    }
    this.#answer();
  }

  /** Gives the port up. */
  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#watch.close();
    c.close(this.#fd);
  }

  async #answer(): Promise<void> {
    while (this.#open) {
      const fd = c.accept4(this.#fd, null, null, K.SOCK_NONBLOCK | K.SOCK_CLOEXEC);
      if (fd < 0) {
        await this.#watch.readable();
        continue;
      }
      c.send(fd, this.#line, BigInt(this.#line.length), K.MSG_NOSIGNAL | K.MSG_DONTWAIT);
      c.close(fd);
    }
  }
}

/** What the holder of `port` says of itself; "" when it is gone or says nothing within a second. */
export async function portHolder(port: number): Promise<string> {
  const name = abstractName(port);
  const fd = check("socket", c.socket(K.AF_UNIX, flags | K.SOCK_NONBLOCK, 0));
  let watch: Watch | undefined;
  let timer: number | undefined;
  try {
    check("connect", c.connect(fd, name, name.length));
    watch = new Watch(fd);
    const line = new Uint8Array(maxLine);
    const late = new Promise<void>((resolve) => timer = setTimeout(resolve, 1000));
    let count = c.recv(fd, line, BigInt(maxLine), K.MSG_DONTWAIT);
    if (count < 0 && errno() === E.EAGAIN) {
      await Promise.race([watch.readable(), late]);
      count = c.recv(fd, line, BigInt(maxLine), K.MSG_DONTWAIT);
    }
    return count > 0 ? new TextDecoder().decode(line.subarray(0, count)).trimEnd() : "";
  } catch (error) {
    if (error instanceof SystemError) return "";
    throw error;
  } finally {
    clearTimeout(timer);
    watch?.close();
    c.close(fd);
  }
}

/** `struct sockaddr_un` whose path begins with a zero byte. */
function abstractName(port: number): Uint8Array<ArrayBuffer> {
  const path = new TextEncoder().encode(`\0mirrord/steal/tcp/${port}`);
  return new Uint8Array([K.AF_UNIX, 0, ...path]);
}
