// How the datagrams of a socket travel over a connection of the agent link: each after its length (u16,
// little-endian). Used by core/session/datagrams.ts, whatever the platform, and agent/outgoing.ts. Facts:
// udp(7). Invariant: nothing waits for a slow reader. What does not fit is dropped and counted, as a network
// would. What an app's socket sent before it was closed is still carried.

import type { ByteChannel } from "../../protocol-wasm/mod.ts";
import { E, SystemError } from "./system_error.ts";

/** Bytes of datagrams that may wait for a connection's credit; as many more wait in the kernel. */
const queueBytes = 1 << 20;
const lengthBytes = 2;
/**
 * How long a datagram may take from one socket of this machine to another: the kernel's own queues lie
 * between.
 */
export const lateMs = 50;
const refused = Symbol("refused");

/** How a relay of datagrams treats the errors of its socket. */
export interface DatagramRelayOptions {
  /**
   * ECONNREFUSED means that the other end of the socket was closed: what it sent before is still carried.
   * Otherwise it is ignored.
   */
  endsRefused: boolean;
  /** So many datagrams were dropped for want of room. */
  dropped?: (count: number) => void;
}

/** What a relay needs of a UDP socket. */
export interface RelayedSocket {
  /** Datagrams that there was no room for. */
  readonly dropped: number;
  /**
   * The next one; null once `finish` was called and nothing more came. Rejects with SystemError: ECONNREFUSED
   * when an earlier one found nobody.
   */
  next(): Promise<Uint8Array<ArrayBuffer> | null>;
  /** Sends, when there is room; false when it was dropped. Rejects with SystemError. */
  send(bytes: Uint8Array<ArrayBuffer>): Promise<boolean>;
  /** The other end is closed: what waits here, or comes within `lateMs`, is the last. */
  finish(lateMs: number): void;
  close(): void;
}

/**
 * Carries datagrams both ways until the channel ends, or `finish` of the socket was called and all is
 * carried; then both are closed. Never rejects.
 */
export async function relayDatagrams(
  channel: ByteChannel,
  socket: RelayedSocket,
  options: DatagramRelayOptions,
): Promise<void> {
  const ended = await Promise.race([
    outward(channel, socket, options),
    inward(channel, socket, options),
  ]).catch(() => "reset");
  options.dropped?.(socket.dropped);
  socket.close();
  if (ended === "closed") await channel.closeWrite().catch(() => {});
  channel.reset();
}

/** Socket → channel. */
async function outward(
  channel: ByteChannel,
  socket: RelayedSocket,
  options: DatagramRelayOptions,
): Promise<string> {
  let waiting = 0;
  let last: Promise<void> = Promise.resolve();
  for (;;) {
    const bytes = await unlessRefused(() => socket.next(), socket, options);
    if (bytes === null) break;
    if (bytes === refused) continue;
    if (waiting + bytes.length > queueBytes) await last; // what comes meanwhile fills the kernel's queue, and no more
    const framed = new Uint8Array(lengthBytes + bytes.length);
    framed[0] = bytes.length;
    framed[1] = bytes.length >> 8;
    framed.set(bytes, lengthBytes);
    waiting += framed.length;
    last = channel.write(framed).then(() => void (waiting -= framed.length));
    last.catch(() => socket.close());
  }
  await last;
  return "closed";
}

/** Channel → socket. */
async function inward(
  channel: ByteChannel,
  socket: RelayedSocket,
  options: DatagramRelayOptions,
): Promise<string> {
  const parts = new DatagramParts();
  for (;;) {
    const bytes = await channel.read();
    if (bytes === null) return "closed";
    for (const datagram of parts.take(bytes)) {
      if (await unlessRefused(() => socket.send(datagram), socket, options) === false) options.dropped?.(1);
    }
  }
}

/** What `call` gives, `refused` after an answer of ICMP's to what was sent before (udp(7)). */
async function unlessRefused<T>(
  call: () => Promise<T>,
  socket: RelayedSocket,
  { endsRefused }: DatagramRelayOptions,
): Promise<T | typeof refused> {
  try {
    return await call();
  } catch (error) {
    if (!(error instanceof SystemError && passed.has(error.errno))) throw error;
    if (endsRefused && error.errno === E.ECONNREFUSED) socket.finish(lateMs);
    return refused;
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
