// Linux for a session's connections: TCP and UDP sockets, gates, and the kernel's lists of sockets.

export { bindDatagrams } from "./datagram.ts";
export { openGate } from "./gate.ts";
export { boundUdpPorts, holds, isKernelsPort, listenerAt, sockets, waitingPorts } from "./listening.ts";
export { localPeers } from "./local_peers.ts";
export { unwatched } from "./poll.ts";
export { dialTcp, listenTcp } from "./socket.ts";

/** Each of 127.0.0.0/8 can be bound. */
export const loopbacks = "all";
