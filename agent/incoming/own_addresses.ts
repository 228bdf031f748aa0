// Whose a copied packet is: its two ends, and whether the target's end is in this network or the packet only
// passes through it. Called by mirror.ts and packets.ts.

import type { Endpoint } from "../../core/net/address.ts";
import { isOwnAddress } from "../../core/net/linux/own_address.ts";
import { readAddresses, type Segment } from "../../core/net/segment.ts";
import type { Packet } from "../sys/packet_tap.ts";
import type { Ends } from "./taker.ts";

/** Addresses that are remembered; as many as connections are followed. */
const mostRemembered = 8192;

/** The ends of a packet that a client sent. */
export function endsOf(packet: Packet, segment: Segment): Ends {
  const { source, destination } = readAddresses(packet.bytes);
  return {
    peerAddress: { address: source, port: segment.sourcePort },
    localAddress: scoped(destination, segment.destinationPort, packet.device),
  };
}

/** The target's end of a packet, whichever way it went. */
export function targetEnd(packet: Packet, segment: Segment): Endpoint {
  const { source, destination } = readAddresses(packet.bytes);
  return packet.isSent
    ? scoped(source, segment.sourcePort, packet.device)
    : scoped(destination, segment.destinationPort, packet.device);
}

/** Whether addresses are this network's own; what is known is forgotten now and then. */
export class OwnAddresses {
  readonly #known = new Map<string, boolean>();

  /** A packet for another host that only passes through this network is not for an address of it. */
  has({ address, scope = 0 }: Endpoint): boolean {
    const key = `${address} ${scope}`;
    let own = this.#known.get(key);
    if (own === undefined) {
      if (this.#known.size >= mostRemembered) this.#known.clear();
      own = isOwnAddress({ address, port: 0, ...(scope === 0 ? {} : { scope }) });
      this.#known.set(key, own);
    }
    return own;
  }

  /** An address may come and go. */
  forget(): void {
    this.#known.clear();
  }
}

/** A link-local address means something on its device alone. */
function scoped(address: string, port: number, device: number): Endpoint {
  return { address, port, ...(/^fe[89ab]/.test(address) ? { scope: device } : {}) };
}
