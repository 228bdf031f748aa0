// The client against a real HTTP server that answers as the API server does: paths, paging, watching,
// refusals.

import assert from "node:assert/strict";
import { KubeError } from "../base/errors.ts";
import { noSpdy } from "../../tests/support/kube_client.ts";
import { ApiError } from "./api_error.ts";
import { KubeClient } from "./client.ts";

type Handler = (request: Request, url: URL) => Response | Promise<Response>;

/** Runs `use` with a client of a server that answers by `handler`. */
async function withServer(handler: Handler, use: (kube: KubeClient) => Promise<void>): Promise<void> {
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    (request) => noSpdy(request) ?? handler(request, new URL(request.url)),
  );
  using kube = new KubeClient(contextOf(`http://127.0.0.1:${server.addr.port}`));
  try {
    await use(kube);
  } finally {
    await server.shutdown();
  }
}

function contextOf(server: string, renewable = false) {
  let token = 1;
  return {
    name: "test",
    server,
    namespace: "shop",
    authority: undefined,
    proxy: undefined,
    credentials: {
      get: () => Promise.resolve({ headers: { Authorization: `Bearer t${token}` }, certificate: undefined }),
      refresh: () => renewable && ++token > 0,
    },
  };
}

const status = (code: number, message: string, reason = "") =>
  Response.json({ kind: "Status", status: "Failure", message, reason, code }, { status: code });

Deno.test("a list is read page by page", async () => {
  await withServer((request, url) => {
    assert.equal(url.pathname, "/api/v1/namespaces/shop/pods");
    assert.equal(url.searchParams.get("labelSelector"), "app=x");
    assert.equal(request.headers.get("authorization"), "Bearer t1");
    const next = url.searchParams.get("continue");
    return Response.json(
      next === null
        ? { items: [{ metadata: { name: "a" } }], metadata: { continue: "2nd" } }
        : { items: [{ metadata: { name: `b-${next}` } }], metadata: {} },
    );
  }, async (kube) => {
    const names = (await kube.listPods("app=x")).map((pod) => pod.metadata?.name);
    assert.deepEqual(names, ["a", "b-2nd"]);
  });
});

Deno.test("an ephemeral container is added by a strategic merge", async () => {
  await withServer(async (request, url) => {
    assert.equal(request.method, "PATCH");
    assert.equal(url.pathname, "/api/v1/namespaces/shop/pods/p/ephemeralcontainers");
    assert.equal(request.headers.get("content-type"), "application/strategic-merge-patch+json");
    assert.deepEqual(await request.json(), { spec: { ephemeralContainers: [{ name: "a" }] } });
    return Response.json({ metadata: { name: "p" } });
  }, async (kube) => {
    assert.equal((await kube.addEphemeralContainer("p", { name: "a" })).metadata?.name, "p");
  });
});

Deno.test("a missing right is named with its verb and resource", async () => {
  const said =
    'pods "p" is forbidden: User "u" cannot patch resource "pods/ephemeralcontainers" in API group ""';
  await withServer(() => status(403, said, "Forbidden"), async (kube) => {
    await assert.rejects(kube.addEphemeralContainer("p", { name: "a" }), (error) => {
      assert.ok(error instanceof ApiError);
      assert.equal(error.exitCode, 77);
      assert.match(
        error.message,
        /may not "patch" the resource "pods\/ephemeralcontainers" in the namespace "shop"/,
      );
      assert.match(error.help ?? "", /resources: \["pods\/ephemeralcontainers"\], verbs: \["patch"\]/);
      return true;
    });
  });
});

Deno.test("an admission refusal keeps the cluster's own words", async () => {
  await withServer(() => status(403, 'admission webhook "x" denied the request: no'), async (kube) => {
    await assert.rejects(kube.getPod("p"), /the cluster refused it: admission webhook "x" denied/);
  });
});

Deno.test("a login that is not accepted is refreshed once, then said", async () => {
  const seen: (string | null)[] = [];
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, (request) => {
    seen.push(request.headers.get("authorization"));
    return status(401, "Unauthorized");
  });
  using kube = new KubeClient(contextOf(`http://127.0.0.1:${server.addr.port}`, true));
  await assert.rejects(kube.getPod("p"), (error) => {
    assert.ok(error instanceof ApiError);
    assert.equal(error.exitCode, 77);
    assert.match(error.message, /does not accept the login of the context "test"/);
    return true;
  });
  assert.deepEqual(seen, ["Bearer t1", "Bearer t2"]);
  await server.shutdown();
});

Deno.test("a server that is busy is asked again", async () => {
  let calls = 0;
  await withServer(() => {
    if (++calls === 1) return new Response("busy", { status: 429, headers: { "retry-after": "0" } });
    return Response.json({ metadata: { name: "p" } });
  }, async (kube) => {
    assert.equal((await kube.getPod("p")).metadata?.name, "p");
    assert.equal(calls, 2);
  });
});

Deno.test("a server without a listener is unreachable, with its address", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  using kube = new KubeClient(contextOf(`http://127.0.0.1:${port}`));
  await assert.rejects(kube.getPod("p"), (error) => {
    assert.ok(error instanceof KubeError);
    assert.equal(error.exitCode, 69);
    assert.match(
      error.message,
      new RegExp(`the cluster at "http://127.0.0.1:${port}" .* refuses the connection`),
    );
    return true;
  });
});

Deno.test("a certificate or proxy that is none is the kubeconfig's fault, no bug", async () => {
  const context = contextOf("https://127.0.0.1:1");
  const certificate = { cert: "no certificate", key: "no key" };
  const get = () => Promise.resolve({ headers: {}, certificate });
  for (
    const unusable of [
      { ...context, proxy: "no address" },
      { ...context, credentials: { get, refresh: () => false } },
    ]
  ) {
    using kube = new KubeClient(unusable);
    await assert.rejects(kube.getPod("p"), (error) => {
      assert.ok(error instanceof KubeError, String(error));
      assert.equal(error.exitCode, 78);
      return true;
    });
  }
});

Deno.test("a watch goes on when the server ends it, and ends with the pod", async () => {
  const line = (type: string, version: string) =>
    JSON.stringify({ type, object: { metadata: { name: "p", resourceVersion: version } } }) + "\n";
  const watches: (string | null)[] = [];
  await withServer((_request, url) => {
    if (url.pathname.endsWith("/p")) {
      return Response.json({ metadata: { name: "p", resourceVersion: `get${watches.length}` } });
    }
    watches.push(url.searchParams.get("resourceVersion"));
    const text = watches.length === 1 ? line("MODIFIED", "2") + line("BOOKMARK", "3") : line("DELETED", "4");
    return new Response(text);
  }, async (kube) => {
    const seen: (string | undefined)[] = [];
    for await (const pod of kube.watchPod("p", AbortSignal.timeout(10_000))) {
      seen.push(pod.metadata?.resourceVersion);
    }
    assert.deepEqual(seen, ["get0", "2", "get1"]);
    assert.deepEqual(watches, ["get0", "get1"]);
  });
});

Deno.test("an aborted call rejects with the reason", async () => {
  const { promise: held, resolve: release } = Promise.withResolvers<Response>();
  const controller = new AbortController();
  await withServer(() => {
    controller.abort(new Error("enough"));
    return held;
  }, async (kube) => {
    await assert.rejects(kube.getPod("p", controller.signal), /enough/);
    release(new Response());
  });
});

Deno.test("a port-forward carries bytes both ways and reports the end", async () => {
  await withServer((request, url) => {
    assert.equal(url.pathname, "/api/v1/namespaces/shop/pods/p/portforward");
    assert.equal(url.searchParams.get("ports"), "81");
    const { socket, response } = Deno.upgradeWebSocket(request, { protocol: "v4.channel.k8s.io" });
    const port = [81, 0];
    socket.binaryType = "arraybuffer";
    socket.onopen = () => {
      socket.send(new Uint8Array([0, ...port]));
      socket.send(new Uint8Array([1, ...port]));
    };
    socket.onmessage = ({ data }) => {
      socket.send(data);
      socket.close();
    };
    return response;
  }, async (kube) => {
    const stream = await kube.portForward("p", 81);
    const bytes = new Uint8Array([7, 8, 9]);
    const written = stream.write(bytes);
    bytes.fill(0); // a link's memory changes as soon as write returned
    await written;
    const into = new Uint8Array(2);
    assert.equal(await stream.read(into), 2);
    assert.deepEqual([...into], [7, 8]);
    assert.equal(await stream.read(into), 1);
    assert.equal(await stream.read(into), null);
    await assert.rejects(stream.write(new Uint8Array(1)), /closed/);
    stream.close();
  });
});

Deno.test("the pod's refusal of a port is the stream's rejection", async () => {
  await withServer((request) => {
    const { socket, response } = Deno.upgradeWebSocket(request, { protocol: "v4.channel.k8s.io" });
    socket.onopen = () => {
      socket.send(new Uint8Array([0, 81, 0]));
      socket.send(new Uint8Array([1, 81, 0]));
      socket.send(new Uint8Array([1, ...new TextEncoder().encode("connection refused")]));
      socket.close();
    };
    return response;
  }, async (kube) => {
    const stream = await kube.portForward("p", 81);
    await assert.rejects(stream.read(new Uint8Array(8)), /connection refused/);
    stream.close();
  });
});

Deno.test("a refused port-forward says why", async () => {
  await withServer(() => status(404, 'pods "p" not found'), async (kube) => {
    await assert.rejects(
      kube.portForward("p", 81),
      /Cannot forward a port of the pod "p": pods "p" not found/,
    );
  });
});

/** A signal, and how many listen to it. */
function countedSignal(): { signal: AbortSignal; abort: () => void; listeners: () => number } {
  const controller = new AbortController();
  const { signal } = controller;
  const listeners = new Set<unknown>();
  const [add, remove] = [signal.addEventListener.bind(signal), signal.removeEventListener.bind(signal)];
  signal.addEventListener = (type: string, listener: EventListenerOrEventListenerObject) => {
    listeners.add(listener);
    add(type, listener);
  };
  signal.removeEventListener = (type: string, listener: EventListenerOrEventListenerObject) => {
    listeners.delete(listener);
    remove(type, listener);
  };
  return { signal, abort: () => controller.abort(), listeners: () => listeners.size };
}

Deno.test("without the right to watch the pod is read as seldom as is asked, and no listener is left", async () => {
  let looks = 0;
  const handler: Handler = (_request, url) => {
    if (url.searchParams.has("watch")) return status(403, "no", "Forbidden");
    looks++;
    return Response.json({ metadata: { name: "p", resourceVersion: String(looks) } });
  };
  await withServer(handler, async (kube) => {
    const { signal, abort, listeners } = countedSignal();
    const paces: number[] = [];
    const every = () => {
      paces.push(looks);
      if (looks >= 20) abort();
      return looks < 20 ? 1 : 60_000;
    };
    await assert.rejects(async () => {
      for await (const _pod of kube.watchPod("p", signal, every)) {
        assert.ok(listeners() <= 1, `${listeners()}`);
      }
    });
    assert.equal(looks, 20);
    assert.equal(paces.length, 19, "each look waits, the first two are for the watch that is refused");
    assert.equal(listeners(), 0);
  });
});

Deno.test("a watch that ends lets its signal go", async () => {
  let watches = 0;
  const handler: Handler = (_request, url) => {
    if (!url.searchParams.has("watch")) {
      return Response.json({ metadata: { name: "p", resourceVersion: "1" } });
    }
    const type = ++watches < 10 ? "BOOKMARK" : "DELETED";
    return new Response(JSON.stringify({ type, object: { metadata: { name: "p" } } }) + "\n");
  };
  await withServer(handler, async (kube) => {
    const { signal, listeners } = countedSignal();
    for await (const _pod of kube.watchPod("p", signal)) assert.ok(listeners() <= 1, `${listeners()}`);
    assert.equal(watches, 10);
    assert.equal(listeners(), 0);
  });
});
