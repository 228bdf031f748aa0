// A client of an API server that a test itself plays, without a login.

import { KubeClient } from "../../core/kube/client.ts";

/** In the namespace "shop" of `server`, a URL; by `proxy` where one is given. Dispose it. */
export function kubeClient(server: string, proxy?: string): KubeClient {
  return new KubeClient({
    name: "test",
    server,
    namespace: "shop",
    authority: undefined,
    proxy,
    credentials: {
      get: () => Promise.resolve({ headers: {}, certificate: undefined }),
      refresh: () => false,
    },
  });
}

/** An upgrade to SPDY, which a server made of Deno.serve cannot take: a client goes on by a WebSocket. */
export function isNoWebSocket(request: Request): boolean {
  const upgrade = request.headers.get("upgrade");
  return upgrade !== null && upgrade.toLowerCase() !== "websocket";
}

/** The answer to it. */
export function notImplemented(): Response {
  return Response.json({ message: "no such upgrade" }, { status: 501 });
}
