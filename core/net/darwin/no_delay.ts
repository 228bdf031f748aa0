// TCP_NODELAY on the sockets that the runtime makes for mirrord: on Darwin they stay as they are, for a
// descriptor cannot be had from the runtime. Called by core/kube after each answer of the API server.

/** Nothing to be done. */
export function sendSmallAtOnce(): void {}
