// Darwin for a session's connections: the runtime's own TCP and UDP sockets, gates, and lsof's list of
// sockets.

export { bindDatagrams } from "./datagram.ts";
export { openGate } from "./gate.ts";
export { boundUdpPorts, holds, isKernelsPort, listenerAt, sockets, waitingPorts } from "./listening.ts";
export { listenTcp } from "./tcp_listener.ts";
export { localPeers } from "./local_peers.ts";
export { dialTcp } from "./socket.ts";

/** Its loopback device has 127.0.0.1 alone of 127.0.0.0/8. */
export const loopbacks = "one";

/** The runtime's own sockets use no thread that mirrord started. */
export function unwatched(): Promise<void> {
  return Promise.resolve();
}
