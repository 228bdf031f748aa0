// An API server for tests of deploy/: real HTTP, real WebSocket port-forwards, one pod, and an agent end of the link
// that speaks real frames. The test says how the container fares by `container(state)`.

import { agentMessages, decode, Link, type LinkStream, type Received } from "../../protocol-wasm/mod.ts";
import { KubeClient, type V1EphemeralContainer } from "../../core/kube/client.ts";
import type { PodTarget } from "../../core/target/target.ts";

type AgentMessages = typeof agentMessages;

/** A container's state as the API gives it: {running: {}}, {waiting: {…}}, {terminated: {…}}. */
export type ContainerState = Record<string, Record<string, unknown>>;

/** How the fake agent greets: welcome, refuse with an errno, not at all (nobody listens), or as no agent would. */
export type Greeting = { kind: "welcome" } | { kind: "refuse"; errno: number; text: string } | {
  kind: "refused-port" | "other-program";
};

export interface FakeCluster extends AsyncDisposable {
  target: PodTarget;
  /** Ephemeral containers that were added, in order. */
  added: V1EphemeralContainer[];
  /** Resolves when the next container is added. */
  nextAdded(): Promise<V1EphemeralContainer>;
  /** Sets the state of the newest container and tells the watchers. */
  container(state: ContainerState): void;
  deletePod(): void;
  /** Consulted for each port-forward; default: welcome. */
  greeting: () => Greeting;
  /** Answer to the PATCH; undefined: accepted. */
  refusal: Response | undefined;
  forwards: number;
  /** Frames the agent got after the welcome. */
  frames: string[];
}

export function fakeCluster(): FakeCluster {
  const watchers = new Set<ReadableStreamDefaultController<Uint8Array>>();
  const links = new Set<Link<AgentMessages>>();
  const states = new Map<string, ContainerState>();
  const waiting: ((container: V1EphemeralContainer) => void)[] = [];
  let version = 1;
  let gone = false;
  const pod = () => ({
    metadata: { name: "p", uid: "uid-1", resourceVersion: String(version) },
    spec: { nodeName: "node1", containers: [{ name: "web" }] },
    status: {
      phase: "Running",
      ephemeralContainerStatuses: [...states].map(([name, state]) => ({ name, state })),
    },
  });
  const tell = (type: string) => {
    version++;
    const line = new TextEncoder().encode(JSON.stringify({ type, object: pod() }) + "\n");
    for (const watcher of watchers) watcher.enqueue(line);
  };
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    const url = new URL(request.url);
    if (url.pathname.endsWith("/portforward")) return forward(request);
    if (url.pathname.endsWith("/ephemeralcontainers")) {
      if (cluster.refusal !== undefined) return cluster.refusal;
      const { spec } = await request.json();
      const container: V1EphemeralContainer = spec.ephemeralContainers[0];
      cluster.added.push(container);
      states.set(container.name, { waiting: { reason: "ContainerCreating" } });
      tell("MODIFIED");
      waiting.shift()?.(container);
      return Response.json(pod());
    }
    if (!url.searchParams.has("watch")) {
      return gone ? Response.json({ message: 'pods "p" not found' }, { status: 404 }) : Response.json(pod());
    }
    let own: ReadableStreamDefaultController<Uint8Array>;
    return new Response(
      new ReadableStream({
        start(controller) {
          own = controller;
          watchers.add(controller);
          // What happened between the read and the watch is replayed, as the API server does.
          controller.enqueue(
            new TextEncoder().encode(JSON.stringify({ type: "MODIFIED", object: pod() }) + "\n"),
          );
        },
        cancel() {
          watchers.delete(own);
        },
      }),
    );
  });

  function forward(request: Request): Response {
    cluster.forwards++;
    const greeting = cluster.greeting();
    const { socket, response } = Deno.upgradeWebSocket(request, { protocol: "v4.channel.k8s.io" });
    socket.binaryType = "arraybuffer";
    socket.onopen = () => {
      socket.send(new Uint8Array([0, 0, 80]));
      socket.send(new Uint8Array([1, 0, 80]));
      if (greeting.kind === "refused-port") {
        socket.send(new Uint8Array([1, ...new TextEncoder().encode("connect: connection refused")]));
        socket.close();
        return;
      }
      const link = new Link(socketStream(socket), agentMessages, { side: "agent" });
      links.add(link);
      serve(link, greeting).catch(() => {});
    };
    return response;
  }

  async function serve(link: Link<AgentMessages>, greeting: Greeting): Promise<void> {
    if (greeting.kind === "other-program") return await link.send("goodbye", 0, {});
    await link.send("challenge", 0, { version: 1, nonce: new Uint8Array(32), release: "0.1.0" });
    for await (const frame of link.received()) {
      if (frame.name === "prove") await greet(link, frame, greeting);
      else cluster.frames.push(frame.name);
      if (frame.name !== "goodbye") continue;
      await link.reply(frame, "goodbye", {});
      return link.close();
    }
  }

  async function greet(
    link: Link<AgentMessages>,
    frame: Received<AgentMessages>,
    greeting: Greeting,
  ): Promise<void> {
    const { signature } = decode(agentMessages.prove, frame.body);
    if (signature.length !== 64) throw new Error("this is no Ed25519 signature");
    if (greeting.kind === "refuse") {
      await link.fail({ kind: "welcome", id: frame.id }, greeting.errno, greeting.text);
    } else await link.send("welcome", frame.id, { version: 1, kernel: "6.1.0" });
  }

  const kube = new KubeClient({
    name: "test",
    server: `http://127.0.0.1:${server.addr.port}`,
    namespace: "shop",
    authority: undefined,
    proxy: undefined,
    credentials: {
      get: () => Promise.resolve({ headers: {}, certificate: undefined }),
      refresh: () => false,
    },
  });
  const cluster: FakeCluster = {
    target: {
      kind: "pod",
      path: "pod/p",
      label: "pod/p",
      kube,
      namespace: "shop",
      pod: "p",
      uid: "uid-1",
      node: "node1",
      container: "web",
      containerId: "abc",
      declaredPorts: [],
      probePorts: [],
      [Symbol.dispose]: () => kube[Symbol.dispose](),
    },
    added: [],
    nextAdded: () => new Promise((resolve) => waiting.push(resolve)),
    container(state) {
      states.set(cluster.added[cluster.added.length - 1]?.name ?? "", state);
      tell("MODIFIED");
    },
    deletePod() {
      gone = true;
      tell("DELETED");
    },
    greeting: () => ({ kind: "welcome" }),
    refusal: undefined,
    forwards: 0,
    frames: [],
    async [Symbol.asyncDispose]() {
      for (const link of links) link.close();
      for (const watcher of watchers) watcher.close();
      kube[Symbol.dispose]();
      await server.shutdown();
    },
  };
  return cluster;
}

/** The agent's end of a port-forward. */
function socketStream(socket: WebSocket): LinkStream {
  const queue: Uint8Array[] = [];
  let wake: (() => void) | undefined;
  let ended = false;
  const end = () => {
    ended = true;
    wake?.();
  };
  socket.onmessage = ({ data }) => {
    queue.push(new Uint8Array(data).subarray(1));
    wake?.();
  };
  socket.onclose = end;
  socket.onerror = end;
  return {
    async read(into) {
      while (queue[0] === undefined && !ended) await new Promise<void>((resolve) => wake = resolve);
      const head = queue[0];
      if (head === undefined) return null;
      const count = Math.min(head.length, into.length);
      into.set(head.subarray(0, count));
      if (count === head.length) queue.shift();
      else queue[0] = head.subarray(count);
      return count;
    },
    write(bytes) {
      if (socket.readyState === WebSocket.OPEN) socket.send(new Uint8Array([0, ...bytes]));
      return Promise.resolve();
    },
    close() {
      end();
      socket.close();
    },
  };
}
