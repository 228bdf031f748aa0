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

/**
 * The answer to an upgrade to SPDY, which a server made of Deno.serve cannot take: a client goes on by a
 * WebSocket. Undefined for other requests.
 */
export function noSpdy(request: Request): Response | undefined {
  if ((request.headers.get("upgrade") ?? "websocket").toLowerCase() === "websocket") return undefined;
  return Response.json({ message: "no such upgrade" }, { status: 501 });
}
