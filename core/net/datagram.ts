// UDP sockets of session and agent, and how their datagrams travel over a connection of the agent link: each after its
// length (u16, little-endian). Used by core/session/datagrams.ts and agent/outgoing.ts. Facts: udp(7).
// Invariant: nothing waits for a slow reader. What does not fit is dropped and counted, as a network would.

import type { ByteChannel } from "../base/relay.ts";
import { encodeSockaddr, type Endpoint } from "./address.ts";
import { c, check, E, K, outcome, SystemError } from "./libc.ts";
import { takeTurn, Watch } from "./poll.ts";
import { nameOf, retry } from "./socket.ts";

/** Bytes of datagrams that may wait for a connection's credit. */
const queueBytes = 1 << 20;
const lengthBytes = 2;
/** The largest payload of IPv4 is 65507 bytes, of IPv6 65527. */
const scratch = new Uint8Array(65536);

/** A bound UDP socket. */
export class DatagramSocket {
  readonly #fd: number;
  readonly #watch: Watch;
  #closed = false;

  private constructor(fd: number) {
    this.#fd = fd;
    this.#watch = new Watch(fd);
  }

  /** At a free port of `host`. Throws SystemError where the family is missing. */
  static bind(host: string): DatagramSocket {
    return DatagramSocket.#open(host, (fd) => {
      const name = encodeSockaddr({ address: host, port: 0 });
      check("bind", c.bind(fd, name, name.length));
    });
  }

  /** Connected to `remote`. Throws SystemError: connect(2)'s. */
  static connect(remote: Endpoint): DatagramSocket {
    return DatagramSocket.#open(remote.address, (fd) => connect(fd, remote));
  }

  static #open(host: string, prepare: (fd: number) => void): DatagramSocket {
    const family = host.includes(":") ? K.AF_INET6 : K.AF_INET;
    const fd = check("socket", c.socket(family, K.SOCK_DGRAM | K.SOCK_NONBLOCK | K.SOCK_CLOEXEC, 0));
    try {
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

  /** Whom it is connected to. Throws SystemError when it is not. */
  get peerAddress(): Endpoint {
    return nameOf(c.getpeername, this.#fd);
  }

  /** From now on it takes datagrams of `remote` only, and sends there. */
  connect(remote: Endpoint): void {
    connect(this.#fd, remote);
  }

  /** The next datagram. Rejects with SystemError: ECONNREFUSED when an earlier one found nobody. */
  async receive(): Promise<Uint8Array<ArrayBuffer>> {
    for (;;) {
      if (this.#closed) throw new SystemError("recv", E.ECONNRESET);
      const count = retry(() => outcome.recv(this.#fd, scratch, K.MSG_DONTWAIT));
      if (count >= 0) {
        const bytes = scratch.slice(0, count);
        await takeTurn(count);
        return bytes;
      }
      if (count !== -E.EAGAIN) throw new SystemError("recv", -count);
      await this.#watch.readable();
    }
  }

  /** Sends now or never; false when the kernel had no room. Throws SystemError. */
  send(bytes: Uint8Array<ArrayBuffer>): boolean {
    if (this.#closed) return false;
    const how = K.MSG_DONTWAIT | K.MSG_NOSIGNAL;
    const count = retry(() => outcome.send(this.#fd, bytes, how));
    if (count >= 0) return true;
    if (count === -E.EAGAIN || count === -E.ENOBUFS) return false;
    throw new SystemError("send", -count);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#watch.close();
    c.close(this.#fd);
  }
}

/** How a relay of datagrams treats what its socket says. */
export interface DatagramRelayOptions {
  /** ECONNREFUSED ends it: the other end of the socket is a process that went. Otherwise it is passed over. */
  endsRefused: boolean;
  /** A datagram was dropped for want of room. */
  dropped?: () => void;
}

/** Carries datagrams both ways until the channel ends or the socket is closed; then both are. Never rejects. */
export async function relayDatagrams(
  channel: ByteChannel,
  socket: DatagramSocket,
  options: DatagramRelayOptions,
): Promise<void> {
  const ended = await Promise.race([
    outward(channel, socket, options),
    inward(channel, socket, options),
  ]).catch(() => "reset");
  socket.close();
  if (ended === "closed") await channel.closeWrite().catch(() => {});
  channel.reset();
}

/** Socket → channel. */
async function outward(
  channel: ByteChannel,
  socket: DatagramSocket,
  options: DatagramRelayOptions,
): Promise<string> {
  let waiting = 0;
  for (;;) {
    const bytes = await unlessRefused(() => socket.receive(), options);
    if (bytes === null) continue;
    if (waiting + bytes.length > queueBytes) {
      options.dropped?.();
      continue;
    }
    const framed = new Uint8Array(lengthBytes + bytes.length);
    framed[0] = bytes.length;
    framed[1] = bytes.length >> 8;
    framed.set(bytes, lengthBytes);
    waiting += framed.length;
    channel.write(framed).then(() => waiting -= framed.length, () => socket.close());
  }
}

/** Channel → socket. */
async function inward(
  channel: ByteChannel,
  socket: DatagramSocket,
  options: DatagramRelayOptions,
): Promise<string> {
  const parts = new DatagramParts();
  for (;;) {
    const bytes = await channel.read();
    if (bytes === null) return "closed";
    for (const datagram of parts.take(bytes)) {
      if (await unlessRefused(() => socket.send(datagram), options) === false) options.dropped?.();
    }
  }
}

/** What `call` gives, null after a refusal that is passed over: an ICMP answer to what was sent before (udp(7)). */
async function unlessRefused<T>(
  call: () => T | Promise<T>,
  { endsRefused }: DatagramRelayOptions,
): Promise<T | null> {
  try {
    return await call();
  } catch (error) {
    const passing = error instanceof SystemError && passed.has(error.errno);
    if (!passing || (endsRefused && error.errno === E.ECONNREFUSED)) throw error;
    return null;
  }
}

/** Cuts a stream into datagrams. */
export class DatagramParts {
  #rest = new Uint8Array(0);

  /** The datagrams that `bytes` completes. */
  take(bytes: Uint8Array): Uint8Array<ArrayBuffer>[] {
    const all = new Uint8Array(this.#rest.length + bytes.length);
    all.set(this.#rest);
    all.set(bytes, this.#rest.length);
    const whole: Uint8Array<ArrayBuffer>[] = [];
    let at = 0;
    while (all.length - at >= lengthBytes) {
      const end = at + lengthBytes + (all[at] ?? 0) + ((all[at + 1] ?? 0) << 8);
      if (end > all.length) break;
      whole.push(all.subarray(at + lengthBytes, end));
      at = end;
    }
    this.#rest = all.slice(at);
    return whole;
  }
}

/** What a UDP socket reports of one datagram, not of itself: ICMP's answers, and one too long for the way. */
const passed = new Set<number>([
  E.ECONNREFUSED,
  E.EHOSTUNREACH,
  E.ENETUNREACH,
  E.EMSGSIZE,
  E.EPERM,
]);

function connect(fd: number, remote: Endpoint): void {
  const name = encodeSockaddr(remote);
  check("connect", c.connect(fd, name, name.length));
}
