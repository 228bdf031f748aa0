// TCP sockets of session and agent: made by the kernel's own calls, served by poll.ts. The agent's link, stolen connections,
// the way to the original, and outgoing connections at both ends are made of them. Facts: tcp(7), socket(7), connect(2).
// Invariant: nothing is buffered here; a read happens when asked for, a write resolves when the kernel took all.

import { log } from "../base/log.ts";
import { decodeSockaddr, encodeSockaddr, type Endpoint, sockaddrSize } from "./address.ts";
import { c, check, E, K, noErrno, outcome, SystemError } from "./libc.ts";
import { takeTurn, Watch } from "./poll.ts";

const flags = K.SOCK_STREAM | K.SOCK_NONBLOCK | K.SOCK_CLOEXEC;
const one = words(1);
const lingerZero = words(1, 0);
// Reads land here first, then are copied out at their true size: a connection at rest owns no buffer.
const scratch = new Uint8Array(65536);
/** What one accepted connection counts of a turn, in bytes. */
const acceptCost = 16384;
/** How often a call is asked again for an errno that is not its own. */
const foreignLimit = 3;
/** How long accept rests when the process is out of descriptors. */
const descriptorPauseMs = 20;

/** A connected stream with half-close and reset; a `ByteChannel` of core/base/relay.ts. */
export class Socket {
  readonly #fd: number;
  readonly #watch: Watch;
  #closed = false;
  #writing: Promise<void> | null = null;
  readonly localAddress: Endpoint;
  readonly peerAddress: Endpoint;

  /** Takes over a connected, non-blocking descriptor; closes it when that fails. */
  constructor(fd: number, watch?: Watch) {
    this.#fd = fd;
    try {
      this.localAddress = nameOf(c.getsockname, fd);
      this.peerAddress = nameOf(c.getpeername, fd);
      c.setsockopt(fd, K.IPPROTO_TCP, K.TCP_NODELAY, one, 4);
      this.#watch = watch ?? new Watch(fd);
    } catch (error) {
      watch?.close();
      c.close(fd);
      throw error;
    }
  }

  /** The next bytes (64 KiB at most), null after the peer's half-close. Rejects with SystemError. */
  async read(): Promise<Uint8Array<ArrayBuffer> | null> {
    for (;;) {
      const count = this.#receive(scratch);
      if (count !== null) {
        const bytes = count === 0 ? null : scratch.slice(0, count);
        await takeTurn(count);
        return bytes;
      }
      await this.#watch.readable();
    }
  }

  /** As `read`, into the caller's memory: the count of bytes, null at the end. */
  async readInto(into: Uint8Array): Promise<number | null> {
    for (;;) {
      const count = this.#receive(into);
      if (count !== null) {
        await takeTurn(count);
        return count === 0 ? null : count;
      }
      await this.#watch.readable();
    }
  }

  /** Resolves when the kernel took every byte; calls are served in order. Rejects with SystemError. */
  async write(bytes: Uint8Array): Promise<void> {
    const before = this.#writing;
    const sent = before === null ? this.#transmit(bytes) : 0;
    if (sent === bytes.length) return;
    const turn = this.#transmitRest(before, bytes.subarray(sent));
    this.#writing = turn;
    try {
      await turn;
    } finally {
      if (this.#writing === turn) this.#writing = null;
    }
  }

  /** Half-close, after what was written. */
  async closeWrite(): Promise<void> {
    await this.#writing;
    if (!this.#closed) c.shutdown(this.#fd, K.SHUT_WR);
  }

  /** Ends both ways at once; the peer sees a reset (SO_LINGER with no time: socket(7)). */
  reset(): void {
    if (this.#closed) return;
    c.setsockopt(this.#fd, K.SOL_SOCKET, K.SO_LINGER, lingerZero, 8);
    this.close();
  }

  /** Ends both ways; what was written is still delivered. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#watch.close();
    c.close(this.#fd);
  }

  /** The count of bytes, or null when none are there yet. */
  #receive(into: Uint8Array): number | null {
    if (this.#closed) throw new SystemError("recv", E.ECONNRESET);
    const count = retry(() => outcome.recv(this.#fd, buffer(into), K.MSG_DONTWAIT));
    if (count >= 0) return count;
    if (count === -E.EAGAIN) return null;
    throw new SystemError("recv", -count);
  }

  /** How many bytes the kernel took now. */
  #transmit(bytes: Uint8Array): number {
    if (this.#closed) throw new SystemError("send", E.ECONNRESET);
    let sent = 0;
    while (sent < bytes.length) {
      const rest = bytes.subarray(sent);
      const how = K.MSG_DONTWAIT | K.MSG_NOSIGNAL;
      const count = retry(() => outcome.send(this.#fd, buffer(rest), how));
      if (count === -E.EAGAIN) break;
      if (count < 0) throw new SystemError("send", -count);
      sent += count;
    }
    return sent;
  }

  async #transmitRest(before: Promise<void> | null, bytes: Uint8Array): Promise<void> {
    await before;
    for (let sent = 0;;) {
      sent += this.#transmit(bytes.subarray(sent));
      if (sent === bytes.length) return;
      await this.#watch.writable();
    }
  }
}

/** A listening socket. */
export class Listener {
  readonly fd: number;
  readonly #watch: Watch;
  #closed = false;
  readonly address: Endpoint;

  /** Takes over a listening, non-blocking descriptor. */
  constructor(fd: number) {
    this.fd = fd;
    this.address = nameOf(c.getsockname, fd);
    this.#watch = new Watch(fd);
  }

  /** The next connection, null once the listener is closed. */
  async accept(): Promise<Socket | null> {
    for (;;) {
      if (this.#closed) return null;
      const code = retry(() => outcome.accept(this.fd));
      if (code >= 0) {
        // A connection that was reset while it waited has no peer any more: on to the next.
        try {
          const socket = new Socket(code);
          await takeTurn(acceptCost);
          return socket;
        } catch {
          continue;
        }
      }
      if (code === -E.EAGAIN) await this.#watch.readable();
      // What else accept(2) reports is of one connection or of the process, never of the listener.
      else if (code !== -E.ECONNABORTED) {
        await new Promise((resolve) => setTimeout(resolve, descriptorPauseMs));
      }
    }
  }

  /** Connections nobody accepted are reset by the kernel. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#watch.close();
    c.close(this.fd);
  }
}

/** Listens on one address; port 0 takes a free one. Throws SystemError (EAFNOSUPPORT or EADDRNOTAVAIL: no such family here). */
export function listenTcp(endpoint: Endpoint): Listener {
  const name = encodeSockaddr(endpoint);
  const fd = check("socket", c.socket(familyOf(name), flags, 0));
  try {
    c.setsockopt(fd, K.SOL_SOCKET, K.SO_REUSEADDR, one, 4);
    if (familyOf(name) === K.AF_INET6) c.setsockopt(fd, K.IPPROTO_IPV6, K.IPV6_V6ONLY, one, 4);
    check("bind", c.bind(fd, name, name.length));
    check("listen", c.listen(fd, 4096));
    return new Listener(fd);
  } catch (error) {
    c.close(fd);
    throw error;
  }
}

/** As `listenTcp`; null where the kernel or this namespace has no such address family. */
export function listenIfThere(endpoint: Endpoint): Listener | null {
  try {
    return listenTcp(endpoint);
  } catch (error) {
    const absent = error instanceof SystemError &&
      (error.errno === E.EAFNOSUPPORT || error.errno === E.EADDRNOTAVAIL);
    if (absent) return null;
    throw error;
  }
}

/** Whether `endpoint`'s address is one of this network namespace's own: no other can be bound to (ip(7)). */
export function isOwnAddress(endpoint: Endpoint): boolean {
  const name = encodeSockaddr(endpoint);
  const fd = check("socket", c.socket(familyOf(name), K.SOCK_DGRAM | K.SOCK_CLOEXEC, 0));
  const own = c.bind(fd, name, name.length) === 0;
  c.close(fd);
  return own;
}

/** Where to, and from which address; `bound` learns the source port before the first packet leaves. */
export interface DialOptions {
  destination: Endpoint;
  source?: Endpoint;
  /** Time to live, or hop limit, of its packets; the system's unless given. */
  hops?: number;
  /** Others are bound to `source` too, listeners among them (SO_REUSEPORT). */
  shared?: boolean;
  bound?: (source: Endpoint) => void;
  signal?: AbortSignal;
}

/**
 * Connects. Rejects with SystemError (ECONNREFUSED when nobody listens; EADDRINUSE or EADDRNOTAVAIL when the source
 * port is taken, for this destination or wholly), or the signal's reason.
 */
export async function dialTcp(options: DialOptions): Promise<Socket> {
  const { destination, source, shared, hops, bound, signal } = options;
  signal?.throwIfAborted();
  const name = encodeSockaddr(destination);
  const fd = check("socket", c.socket(familyOf(name), flags, 0));
  let watch: Watch | undefined;
  const abort = () => watch?.close();
  try {
    if (hops !== undefined) {
      c.setsockopt(fd, K.IPPROTO_IP, K.IP_TTL, words(hops), 4);
      if (familyOf(name) === K.AF_INET6) {
        c.setsockopt(fd, K.IPPROTO_IPV6, K.IPV6_UNICAST_HOPS, words(hops), 4);
      }
    }
    if (source !== undefined) {
      // A port that rests in TIME_WAIT can be had again by its number (socket(7)).
      c.setsockopt(fd, K.SOL_SOCKET, shared === true ? K.SO_REUSEPORT : K.SO_REUSEADDR, one, 4);
      const from = encodeSockaddr(source);
      check("bind", c.bind(fd, from, from.length));
      bound?.(nameOf(c.getsockname, fd));
    }
    const code = retry(() => outcome.connect(fd, name));
    // EALREADY: it was asked twice.
    if (code < 0 && code !== -E.EINPROGRESS && code !== -E.EALREADY) throw new SystemError("connect", -code);
    // Over loopback the answer is here already; elsewhere it makes the socket writable (connect(2)).
    while (code < 0 && !isConnected(fd)) {
      if (watch === undefined) {
        watch = new Watch(fd);
        signal?.addEventListener("abort", abort, { once: true });
      }
      await watch.writable();
      signal?.throwIfAborted();
    }
  } catch (error) {
    watch?.close();
    c.close(fd);
    throw error;
  } finally {
    signal?.removeEventListener("abort", abort);
  }
  return new Socket(fd, watch);
}

/** Throws SystemError when the connection attempt failed. */
function isConnected(fd: number): boolean {
  const code = words(0);
  check("getsockopt", c.getsockopt(fd, K.SOL_SOCKET, K.SO_ERROR, code, words(4)));
  const failure = new DataView(code.buffer).getInt32(0, true);
  if (failure !== 0) throw new SystemError("connect", failure);
  return c.getpeername(fd, new Uint8Array(sockaddrSize), words(sockaddrSize)) === 0;
}

/**
 * The call's result, or -errno; tried again after EINTR. The runtime may have touched errno on its way back to us: what no
 * call on a socket gives is asked for again, rather than taken for an end (0) or handed to the app.
 */
export function retry(call: () => number): number {
  for (let foreign = 0;;) {
    const result = call();
    if (result >= 0) return result;
    if (result === -E.EINTR) continue;
    const isForeign = result === -E.ENOENT || result === -noErrno;
    if (!isForeign || ++foreign > foreignLimit) return result === -noErrno ? -E.EIO : result;
    log.debug(`errno ${-result} after a call on a socket: asked again`);
  }
}

/** What getsockname or getpeername says of `fd`. */
export function nameOf(call: typeof c.getsockname, fd: number): Endpoint {
  const bytes = new Uint8Array(sockaddrSize);
  check("getsockname", call(fd, bytes, words(sockaddrSize)));
  return decodeSockaddr(bytes);
}

function familyOf(name: Uint8Array): number {
  return name[0] ?? 0;
}

/** 32-bit words as bytes, little-endian as both machines are. */
function words(...values: number[]): Uint8Array<ArrayBuffer> {
  return new Uint8Array(new Uint32Array(values).buffer);
}

/** The runtime passes the address of any array buffer, Wasm memory too; its types ask for this one. */
function buffer(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return bytes as Uint8Array<ArrayBuffer>;
}
