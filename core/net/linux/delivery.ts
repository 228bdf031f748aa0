// How much of what was written to a TCP socket the kernel has delivered, what it holds from the peer, and how
// many hops the peer's first packet had left. Called by socket.ts. A closed socket no longer belongs to this
// process, but the kernel goes on delivering; only a reset stops it. Facts: tcp(7).

import { c, K } from "./libc.ts";

/** How often it is asked whether the peer's kernel took all, at first and later. */
const firstLookMs = 1;
const lastLookMs = 50;
/** A peer that takes nothing for this long is given up, as a kernel gives up an orphan. */
const stallMs = 60_000;

/** Bytes that the peer's kernel has not acknowledged; a half-close counts as one. */
export function unacknowledged(fd: number): number {
  return stateOf(fd) === K.TCP_CLOSE ? 0 : countOf(fd, K.SIOCOUTQ);
}

/** Did the peer half-close, close or reset it, whether that was read already or not? */
export function peerIsOver(fd: number): boolean {
  return ![K.TCP_ESTABLISHED, K.TCP_FIN_WAIT1, K.TCP_FIN_WAIT2].includes(stateOf(fd));
}

/** The number that ioctl(2) gives for `what`: FIONREAD or SIOCOUTQ. */
export function countOf(fd: number, what: bigint): number {
  const count = new Int32Array(1);
  c.ioctl(fd, what, new Uint8Array(count.buffer));
  return count[0] ?? 0;
}

/** Resolves when `unsent` is 0, or does not fall for too long. */
export async function delivered(unsent: () => number): Promise<void> {
  let left = unsent();
  let since = performance.now();
  for (let lookMs = firstLookMs; left > 0; lookMs = Math.min(lookMs * 2, lastLookMs)) {
    await new Promise((resolve) => setTimeout(resolve, lookMs));
    const now = unsent();
    if (now < left) since = performance.now();
    else if (performance.now() - since > stallMs) return;
    left = now;
  }
}

/**
 * The longest headers of a packet that opens a connection (RFC 791, RFC 8200, RFC 9293), and where they hold
 * the hops left.
 */
const openingBytes = 512;
const hopsOffset = { ipv4: 8, ipv6: 7 };

/** The connections of this listener know how they arrived (TCP_SAVE_SYN). */
export function keepOpenings(fd: number): void {
  c.setsockopt(fd, K.IPPROTO_TCP, K.TCP_SAVE_SYN, new Uint8Array(new Uint32Array([1]).buffer), 4);
}

/**
 * The hops that were left to the packet that opened the connection; null when the kernel keeps none
 * (TCP_SAVED_SYN).
 */
export function openingHops(fd: number): number | null {
  const packet = new Uint8Array(openingBytes);
  const size = new Uint8Array(new Uint32Array([packet.length]).buffer);
  if (c.getsockopt(fd, K.IPPROTO_TCP, K.TCP_SAVED_SYN, packet, size) !== 0) return null;
  if (new DataView(size.buffer).getUint32(0, true) <= hopsOffset.ipv4) return null;
  return packet[(packet[0] ?? 0) >> 4 === 4 ? hopsOffset.ipv4 : hopsOffset.ipv6] ?? null;
}

/** tcpi_state, the first byte of struct tcp_info. */
function stateOf(fd: number): number {
  const state = new Uint8Array(4);
  c.getsockopt(fd, K.IPPROTO_TCP, K.TCP_INFO, state, new Uint8Array(new Uint32Array([1]).buffer));
  return state[0] ?? 0;
}
