// UDP sockets of session and agent; ../datagram_relay.ts carries what they get. Used by
// core/session/datagrams.ts and agent/outgoing.ts. Facts: udp(7).

import { within } from "../../base/pause.ts";
import type { Endpoint } from "../address.ts";
import { encodeSockaddr } from "./sockaddr.ts";
import { countOf } from "./delivery.ts";
import { c, check, K, outcome } from "./libc.ts";
import { E, SystemError } from "../system_error.ts";
import { takeTurn, Watch } from "./poll.ts";
import { nameOf, retry } from "./socket.ts";

/** Entries of what SO_MEMINFO gives; the drops are the last. */
const memoryCounts = 9;
const receiveRoom = new Uint8Array(new Uint32Array([4 << 20]).buffer);
/** The largest payload of IPv4 is 65507 bytes, of IPv6 65527. */
const scratch = new Uint8Array(65536);

/** A bound UDP socket. */
export class DatagramSocket {
  readonly #fd: number;
  readonly #watch: Watch;
  #closed = false;
  /** Not null: how long `next` waits for what is on its way. */
  #lateMs: number | null = null;

  private constructor(fd: number) {
    this.#fd = fd;
    this.#watch = new Watch(fd);
  }

  /** At a free port of `host`. Throws SystemError where the family is missing. */
  static bind(host: string): DatagramSocket {
    return DatagramSocket.#open(host, (fd) => {
      bind(fd, host);
    });
  }

  /**
   * Connected to `remote`, from a free port of `source` if that is given. Throws SystemError: bind(2)'s or
   * connect(2)'s.
   */
  static connect(remote: Endpoint, source?: string): DatagramSocket {
    return DatagramSocket.#open(remote.address, (fd) => {
      if (source !== undefined) bind(fd, source);
      connect(fd, remote);
    });
  }

  static #open(host: string, prepare: (fd: number) => void): DatagramSocket {
    const family = host.includes(":") ? K.AF_INET6 : K.AF_INET;
    const fd = check("socket", c.socket(family, K.SOCK_DGRAM | K.SOCK_NONBLOCK | K.SOCK_CLOEXEC, 0));
    try {
      // Room for a burst. The second needs CAP_NET_ADMIN, the first is limited by net.core.rmem_max
      // (socket(7)).
      for (const option of [K.SO_RCVBUF, K.SO_RCVBUFFORCE]) {
        c.setsockopt(fd, K.SOL_SOCKET, option, receiveRoom, 4);
      }
      prepare(fd);
      return new DatagramSocket(fd);
    } catch (error) {
      c.close(fd);
      throw error;
    }
  }

  /** Its own address. */
  get localAddress(): Endpoint {
    return nameOf(c.getsockname, this.#fd);
  }

  /** The peer that it is connected to. Throws SystemError when it is not. */
  get peerAddress(): Endpoint {
    return nameOf(c.getpeername, this.#fd);
  }

  /** From now on it takes datagrams of `remote` only, and sends there. */
  connect(remote: Endpoint): void {
    connect(this.#fd, remote);
  }

  /** The next datagram. Rejects with SystemError: ECONNREFUSED when an earlier one found no receiver. */
  async receive(): Promise<Uint8Array<ArrayBuffer>> {
    for (;;) {
      const bytes = this.#take();
      if (bytes === null) await this.#watch.readable();
      else {
        await takeTurn(bytes.length);
        return bytes;
      }
    }
  }

  /** As `receive`; null once `finish` was called and nothing more came. */
  async next(): Promise<Uint8Array<ArrayBuffer> | null> {
    for (;;) {
      const bytes = this.#take();
      if (bytes !== null) {
        await takeTurn(bytes.length);
        return bytes;
      }
      if (this.#lateMs === null) await this.#watch.readable();
      else if (!await within(this.#watch.readable().then(() => true), this.#lateMs, false)) {
        return this.#take();
      }
    }
  }

  /** The other end is closed: what waits here, or comes within `lateMs`, is the last. */
  finish(lateMs: number): void {
    if (this.#closed || this.#lateMs !== null) return;
    this.#lateMs = lateMs;
    this.#watch.fire(K.EPOLLIN);
  }

  /** How many came that the kernel had no room for (SO_MEMINFO, SK_MEMINFO_DROPS of <linux/sock_diag.h>). */
  get dropped(): number {
    if (this.#closed) return 0;
    const counts = new Uint32Array(memoryCounts);
    const size = new Uint8Array(new Uint32Array([counts.byteLength]).buffer);
    c.getsockopt(this.#fd, K.SOL_SOCKET, K.SO_MEMINFO, new Uint8Array(counts.buffer), size);
    return counts[memoryCounts - 1] ?? 0;
  }

  /** Bytes of the first datagram that waits. */
  get unread(): number {
    return this.#closed ? 0 : countOf(this.#fd, K.FIONREAD);
  }

  /** Sends, when the kernel has room; false when it dropped it. Rejects with SystemError. */
  async send(bytes: Uint8Array<ArrayBuffer>): Promise<boolean> {
    const how = K.MSG_DONTWAIT | K.MSG_NOSIGNAL;
    while (!this.#closed) {
      const count = retry(() => outcome.send(this.#fd, bytes, how));
      if (count >= 0) return true;
      if (count === -E.ENOBUFS) return false;
      if (count !== -E.EAGAIN) throw new SystemError("send", -count);
      await this.#watch.writable();
    }
    return false;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#watch.close();
    c.close(this.#fd);
  }

  /** Null: none is there. */
  #take(): Uint8Array<ArrayBuffer> | null {
    if (this.#closed) throw new SystemError("recv", E.ECONNRESET);
    const count = retry(() => outcome.recv(this.#fd, scratch, K.MSG_DONTWAIT));
    if (count >= 0) return scratch.slice(0, count);
    if (count === -E.EAGAIN) return null;
    throw new SystemError("recv", -count);
  }
}

/** A socket at a free port of `host`. Throws SystemError where the family is missing. */
export function bindDatagrams(host: string): DatagramSocket {
  return DatagramSocket.bind(host);
}

function bind(fd: number, host: string): void {
  const name = encodeSockaddr({ address: host, port: 0 });
  check("bind", c.bind(fd, name, name.length));
}

function connect(fd: number, remote: Endpoint): void {
  const name = encodeSockaddr(remote);
  check("connect", c.connect(fd, name, name.length));
}
