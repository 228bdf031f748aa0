// TCP sockets of session and agent: made by the kernel's own calls, served by poll.ts. The agent's link,
// stolen connections, the way to the original, and outgoing connections at both ends are made of them. Facts:
// tcp(7), socket(7), connect(2). Invariant: nothing is buffered here; a read happens when asked for, a write
// resolves when the kernel took all.

import { log } from "../../base/log.ts";
import type { Endpoint } from "../address.ts";
import { decodeSockaddr, encodeSockaddr, sockaddrSize } from "./sockaddr.ts";
import { countOf, delivered, openingHops, peerIsOver, unacknowledged } from "./delivery.ts";
import { c, check, K, noErrno, outcome } from "./libc.ts";
import { E, SystemError } from "../system_error.ts";
import type { DialOptions } from "../platform.ts";
import { freeBytes } from "../../../protocol-wasm/mod.ts";
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

/** A connected stream with half-close and reset; a `ByteChannel` as core/net/relay.ts joins. */
export class Socket {
  readonly #fd: number;
  readonly #watch: Watch;
  readonly #acknowledges: boolean;
  #closed = false;
  #writing: Promise<void> | null = null;
  /** Bytes of `write` that the kernel has not taken yet. */
  #held = 0;
  /** The peer's half-close was read. */
  #peerEnded = false;
  #halfClosed = false;
  /** The errno with which a write found the connection over. */
  #reset = 0;
  readonly localAddress: Endpoint;
  readonly peerAddress: Endpoint;

  /** Takes over a connected, non-blocking descriptor; closes it when that fails. */
  constructor(fd: number, options: { watch?: Watch | undefined; acknowledges?: boolean } = {}) {
    const { watch, acknowledges = false } = options;
    this.#fd = fd;
    this.#acknowledges = acknowledges;
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

  /** As of every `ByteChannel`: of bytes from `read` only. */
  release(bytes: Uint8Array): void {
    freeBytes(bytes);
  }

  /** Resolves when the kernel took every byte; calls are served in order. Rejects with SystemError. */
  async write(bytes: Uint8Array): Promise<void> {
    const before = this.#writing;
    const sent = before === null ? this.#transmit(bytes) : 0;
    if (sent === bytes.length) return;
    const held = bytes.length - sent;
    const turn = this.#transmitRest(before, bytes.subarray(sent));
    this.#writing = turn;
    this.#held += held;
    try {
      await turn;
    } finally {
      this.#held -= held;
      if (this.#writing === turn) this.#writing = null;
    }
  }

  /** Half-close, after what was written. */
  async closeWrite(): Promise<void> {
    await this.#writing;
    if (this.#closed) return;
    this.#halfClosed = true;
    c.shutdown(this.#fd, K.SHUT_WR);
  }

  /** Bytes that were written and that the peer's kernel has not acknowledged. */
  get unsent(): number {
    if (this.#closed) return 0;
    // The half-close counts as one: it is the kernel's to repeat, to a peer that is gone in vain.
    return this.#held + Math.max(0, unacknowledged(this.#fd) - (this.#halfClosed ? 1 : 0));
  }

  /** This side is closed, by whatever way. */
  get isClosed(): boolean {
    return this.#closed;
  }

  /**
   * With how many hops to live it arrived; null: its listener does not keep that (`keepOpenings`), or it was
   * asked before.
   */
  get openingHops(): number | null {
    return this.#closed ? null : openingHops(this.#fd);
  }

  /** Bytes that arrived and were not read. */
  get unread(): number {
    return this.#closed ? 0 : countOf(this.#fd, K.FIONREAD);
  }

  /** The peer half-closed, closed or reset it, whether that was read already or not. */
  get peerIsOver(): boolean {
    return this.#closed || peerIsOver(this.#fd);
  }

  /** As `reset`, once the peer's kernel has what was written. */
  async resetInOrder(): Promise<void> {
    await delivered(() => this.unsent);
    this.reset();
  }

  /**
   * As `close`, but safe where the peer may still send: what nobody reads makes the kernel reset the
   * connection, and drop what it has not delivered (RFC 1122, 4.2.2.13).
   */
  async closeInOrder(): Promise<void> {
    await this.closeWrite().catch(() => {}); // a write failed: the connection is over
    if (!this.#peerEnded) await delivered(() => this.unsent);
    this.close();
  }

  /** Ends it now: in order when this side has half-closed, otherwise by a reset. */
  leave(): void {
    if (this.#halfClosed) this.close();
    else this.reset();
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
    if (this.#acknowledges && count > 0) c.setsockopt(this.#fd, K.IPPROTO_TCP, K.TCP_QUICKACK, one, 4);
    if (count === 0 && into.length > 0) {
      // After a reset that a write reported, the end of stream here is no real one.
      if (this.#reset !== 0) throw new SystemError("recv", this.#reset);
      this.#peerEnded = true;
    }
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
      if (count < 0) {
        if (count !== -E.EPIPE) this.#reset = -count; // EPIPE: its half-close came before
        throw new SystemError("send", -count);
      }
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
      // Other errors of accept(2) are about one connection or about the process, never about the listener.
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

/**
 * Listens on one address; port 0 takes a free one. Throws SystemError (EAFNOSUPPORT or EADDRNOTAVAIL: no such
 * family here). Accepted connections inherit SO_REUSEADDR: one that keeps a stolen port does not keep the
 * target's server from it (socket(7)). `alone`: without that option, so that nobody can bind the port before
 * it listens.
 */
export function listenTcp(endpoint: Endpoint, alone = false): Listener {
  const name = encodeSockaddr(endpoint);
  const fd = check("socket", c.socket(familyOf(name), flags, 0));
  try {
    if (!alone) c.setsockopt(fd, K.SOL_SOCKET, K.SO_REUSEADDR, one, 4);
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
export function listenIfThere(endpoint: Endpoint, alone = false): Listener | null {
  try {
    return listenTcp(endpoint, alone);
  } catch (error) {
    const absent = error instanceof SystemError &&
      (error.errno === E.EAFNOSUPPORT || error.errno === E.EADDRNOTAVAIL);
    if (absent) return null;
    throw error;
  }
}

/**
 * Connects. Rejects with SystemError (ECONNREFUSED without a listener; EADDRINUSE or EADDRNOTAVAIL when the
 * source port is taken, for this destination or wholly), or the signal's reason.
 */
export async function dialTcp(options: DialOptions): Promise<Socket> {
  const { destination, source, shared, acknowledges = false, hops, bound, began, signal } = options;
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
    began?.(nameOf(c.getsockname, fd));
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
  return new Socket(fd, { watch, acknowledges });
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
 * The call's result, or -errno; tried again after EINTR. The runtime may have touched errno on its way back
 * to us: what no call on a socket gives is asked for again, rather than taken for an end (0) or handed to the
 * app.
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

/** What getsockname or getpeername returns for `fd`. */
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
