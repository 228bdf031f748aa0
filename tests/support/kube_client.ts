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
