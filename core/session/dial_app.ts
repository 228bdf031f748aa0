// Dials a listener of the app for a client of the pod. Called by incoming.ts. The app may have accepted the
// connection, and ask whose it is, before this process knows that there is one: so the dial's own address is
// noted when it begins.

import type { Address } from "../../protocol-wasm/mod.ts";
import { within } from "../base/pause.ts";
import type { Socket } from "../net/platform.ts";
import { platform } from "../net/this_platform.ts";
import type { Listener } from "./listeners.ts";
import type { Client, OwnDial } from "./peers.ts";

const { dialTcp } = await platform.network();

/** How long a question may wait for the address of a dial. */
const unknownMs = 1000;

/** Connects to `listener`; the app is told of `client` as its peer. Rejects as dialTcp does. */
export async function dialApp(listener: Listener, client: Client): Promise<Socket> {
  const { address, port } = listener.actual;
  const known = Promise.withResolvers<void>();
  const isKnown = () => {
    listener.dialing.delete(known.promise);
    known.resolve();
  };
  let own: OwnDial | undefined;
  const began = (local: Address) => {
    own = listener.peers.add(local, client);
    isKnown();
  };
  listener.dialing.add(known.promise);
  try {
    const socket = await dialTcp({
      destination: { address: dialAddress(address), port },
      acknowledges: true,
      began,
    });
    own?.connected(socket);
    return socket;
  } catch (error) {
    own?.failed();
    throw error;
  } finally {
    isKnown();
  }
}

/**
 * Resolves when the dials to `listeners` that are under way have an address. Not later than after a while:
 * where a backlog is full, a dial gets no further before the app has accepted, which asks this first.
 */
export async function dialsKnown(listeners: readonly Listener[]): Promise<void> {
  const dials = listeners.flatMap(({ dialing }) => [...dialing]);
  await within<unknown>(Promise.allSettled(dials), unknownMs, undefined);
}

/** Where to dial a listener bound to `address`: the loopback of its family for one bound to all. */
function dialAddress(address: string): string {
  if (address === "0.0.0.0") return "127.0.0.1";
  return address === "::" ? "::1" : address;
}
