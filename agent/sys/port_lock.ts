// One session at a time steals a port. A session that wants one puts an abstract Unix socket beside those of
// the others, under a name of its own (so nobody can take the name before it), with a mark that only a
// process with NET_ADMIN can make: a receive buffer beyond every limit (SO_RCVBUFFORCE, socket(7)). A program
// that may not steal has no mark and is ignored, whatever it binds. Such sockets vanish with their process
// (unix(7)), so nothing is ever left behind. Called by incoming/subscriptions.ts.
//
// Among the marked: one that listens has the port. Of those that do not listen yet the one with the lowest
// name goes on, and only when no other is left beside it; the others close theirs. Each session binds its
// name before it looks, so no two can miss each other.

import { pauseOrEnd } from "../../core/base/pause.ts";
import { Watch } from "../../core/net/linux/poll.ts";
import { c, check, E, K, lastErrno, SystemError } from "./libc.ts";
import { abstractSockets, type NamedSocket } from "./unix_diag.ts";

const flags = K.SOCK_STREAM | K.SOCK_CLOEXEC;
const maxLine = 512;
/**
 * The most that SO_RCVBUFFORCE takes; the kernel doubles it. Without NET_ADMIN it would be net.core.rmem_max.
 */
const markBytes = 0x3fffffff;
/** How long others may take to make up their minds: they need microseconds. */
const patienceMs = 1000;
const lookMs = 5;

/** What `takePort` found. */
export type PortOutcome =
  | { lock: PortLock; /** Sockets under such names without a mark: another program's. */ strangers: number }
  | { lock: null; /** What the holder says of itself; "" when it says nothing. */ holder: string };

/**
 * Takes `port` unless another session has it; `holder` is what other sessions get then. Throws SystemError.
 */
export async function takePort(port: number, holder: string): Promise<PortOutcome> {
  const until = performance.now() + patienceMs;
  for (;;) {
    const claim = new Claim(port);
    try {
      for (;;) {
        const { rivals, strangers } = claim.look();
        const late = performance.now() > until;
        const has = rivals.find(({ listens }) => listens);
        if (has !== undefined) return { lock: null, holder: await lineOf(has.name) };
        if (rivals.length === 0) return { lock: new PortLock(claim.listen(), holder), strangers };
        if (late) return { lock: null, holder: "" };
        if (rivals.some(({ name }) => name < claim.name)) break;
        await pauseOrEnd(lookMs, undefined);
      }
    } finally {
      claim.close();
    }
    await pauseOrEnd(lookMs, undefined);
  }
}

/** A marked socket under a name of its own, not decided yet. */
class Claim {
  readonly name: string;
  readonly #prefix: string;
  #fd: number;

  constructor(port: number) {
    this.#prefix = `mirrord/steal/tcp/${port}/`;
    this.name = this.#prefix + crypto.getRandomValues(new Uint8Array(12)).toHex();
    this.#fd = check("socket", c.socket(K.AF_UNIX, flags | K.SOCK_NONBLOCK, 0));
    try {
      const size = new Uint8Array(new Uint32Array([markBytes]).buffer);
      check("setsockopt", c.setsockopt(this.#fd, K.SOL_SOCKET, K.SO_RCVBUFFORCE, size, 4));
      const address = abstractAddress(this.name);
      check("bind", c.bind(this.#fd, address, address.length));
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** The others under this port's names. Where the kernel lists no marks every one of them counts. */
  look(): { rivals: NamedSocket[]; strangers: number } {
    const all = (abstractSockets(this.#prefix) ?? listedSockets(this.#prefix))
      .filter(({ name }) => name !== this.name);
    const rivals = all.filter(({ receiveBuffer }) => receiveBuffer >= 2 * markBytes);
    return { rivals, strangers: all.length - rivals.length };
  }

  /** Decided; the descriptor is the caller's. */
  listen(): number {
    check("listen", c.listen(this.#fd, 16));
    const fd = this.#fd;
    this.#fd = -1;
    return fd;
  }

  close(): void {
    if (this.#fd >= 0) c.close(this.#fd);
    this.#fd = -1;
  }
}

/** A held port. A program that connects to its socket gets one line: the holder's name. */
export class PortLock {
  readonly #fd: number;
  readonly #watch: Watch;
  readonly #line: Uint8Array<ArrayBuffer>;
  #open = true;

  /** Takes over a listening socket. */
  constructor(fd: number, holder: string) {
    this.#line = new TextEncoder().encode(holder.slice(0, maxLine - 1) + "\n").subarray(0, maxLine);
    this.#fd = fd;
    try {
      this.#watch = new Watch(fd);
    } catch (error) {
      c.close(fd);
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

/** What the socket `name` sends about its owner; "" when it is gone or sends nothing within a second. */
async function lineOf(name: string): Promise<string> {
  const address = abstractAddress(name);
  const fd = check("socket", c.socket(K.AF_UNIX, flags | K.SOCK_NONBLOCK, 0));
  let watch: Watch | undefined;
  let timer: number | undefined;
  try {
    check("connect", c.connect(fd, address, address.length));
    watch = new Watch(fd);
    const line = new Uint8Array(maxLine);
    const late = new Promise<void>((resolve) => timer = setTimeout(resolve, patienceMs));
    let count = c.recv(fd, line, BigInt(maxLine), K.MSG_DONTWAIT);
    if (count < 0 && lastErrno() === E.EAGAIN) {
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

/**
 * The same from /proc/net/unix (proc_pid_net(5)), all of them taken for marked: in doubt the port stays the
 * target's.
 */
function listedSockets(prefix: string): NamedSocket[] {
  const lines = Deno.readTextFileSync("/proc/thread-self/net/unix").split("\n");
  return lines.flatMap((line) => {
    const [, , , state, , , inode, name] = line.trim().split(/\s+/);
    if (name === undefined || !name.startsWith(`@${prefix}`)) return [];
    const listens = (Number.parseInt(state ?? "", 16) & 0x10000) !== 0;
    return [{ name: name.slice(1), inode: Number(inode), listens, receiveBuffer: 2 * markBytes }];
  });
}

/** `struct sockaddr_un` whose path begins with a zero byte. */
function abstractAddress(name: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array([K.AF_UNIX, 0, 0, ...new TextEncoder().encode(name)]);
}
