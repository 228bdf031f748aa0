// Linux for a session's connections: TCP and UDP sockets, gates, and the kernel's lists of sockets.

export { bindDatagrams, lateMs, relayDatagrams } from "./datagram.ts";
export { openGate } from "./gate.ts";
export { boundUdpPorts, holds, isKernelsPort, listenerAt, sockets, waitingPorts } from "./listening.ts";
export { unwatched } from "./poll.ts";
export { dialTcp } from "./socket.ts";
