// An API server for tests of deploy/: real HTTP, real WebSocket port-forwards, one pod, and an agent end of
// the link that speaks real frames. The test says how the container fares by `container(state)`.

import { type DoorKeys, makeDoorKeys, proveClient } from "../../agent/door.ts";
import { loadSeal } from "../../core/net/seal.ts";
import { type agentMessages, announcementLine, type Link, type LinkStream } from "../../protocol-wasm/mod.ts";
import type { V1EphemeralContainer } from "../../core/kube/client.ts";
import { kubeClient, noSpdy } from "./kube_client.ts";
import type { PodTarget } from "../../core/target/target.ts";

// Loaded before any test begins: it stays loaded.
const seal = await loadSeal();

type AgentMessages = typeof agentMessages;

/** A container's state as the API gives it: {running: {}}, {waiting: {…}}, {terminated: {…}}. */
export type ContainerState = Record<string, Record<string, unknown>>;

/**
 * How the fake agent greets: welcome, refuse with an errno, not at all (nobody listens), as no agent would,
 * or as another agent.
 */
export type Greeting = { kind: "welcome" } | { kind: "refuse"; errno: number; text: string } | {
  kind: "refused-port" | "other-program" | "impostor";
};

export interface FakeCluster extends AsyncDisposable {
  target: PodTarget;
  /** Ephemeral containers that were added, in order. */
  added: V1EphemeralContainer[];
  /** Resolves when the next container is added. */
  nextAdded(): Promise<V1EphemeralContainer>;
  /** Sets the state of the newest container and tells the watchers. */
  container(state: ContainerState): void;
  /** So many containers of former sessions, all terminated. */
  endedBefore(count: number): void;
  deletePod(): void;
  /** Consulted for each port-forward; default: welcome. */
  greeting: () => Greeting;
  /** Answer to the PATCH; undefined: accepted. */
  refusal: Response | undefined;
  forwards: number;
  /** Consulted for each look at the container's output; undefined: it is given. */
  output: (way: "log" | "attach") => Response | undefined;
  /** Consulted for each attachment to a container's input; undefined: it is given. */
  input: () => Response | undefined;
  /** What went to containers' inputs, and how many of these were closed. */
  inputs: {
    bytes: Uint8Array[];
    closed: number;
    machine: string;
    onClose?: () => void;
    /** The agent that was sent prints its line there. */
    speaks?: boolean;
  };
  /** Frames the agent got after the welcome. */
  frames: string[];
}

export function fakeCluster(): FakeCluster {
  const watchers = new Set<ReadableStreamDefaultController<Uint8Array>>();
  const links = new Set<Link<AgentMessages>>();
  const states = new Map<string, ContainerState>();
  const keys = new Map<string, Promise<DoorKeys>>();
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
  const isRunning = () =>
    states.get(cluster.added[cluster.added.length - 1]?.name ?? "")?.["running"] !== undefined;
  const tell = (type: string) => {
    version++;
    const line = new TextEncoder().encode(JSON.stringify({ type, object: pod() }) + "\n");
    for (const watcher of watchers) watcher.enqueue(line);
  };
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    const url = new URL(request.url);
    if (url.pathname.endsWith("/portforward")) return forward(request);
    if (url.pathname.endsWith("/log")) return await output(request, "log");
    if (url.pathname.endsWith("/attach") && url.searchParams.has("stdin")) return takeInput(request);
    if (url.pathname.endsWith("/attach")) return await output(request, "attach");
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
    const refused = noSpdy(request);
    if (refused !== undefined) return refused;
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
      void serve(socketStream(socket), greeting).catch(() => {});
    };
    return response;
  }

  /** What is sent is counted, once its beginning was answered. */
  function takeInput(request: Request): Response {
    const verdict = cluster.input();
    if (verdict !== undefined) return verdict;
    if (!request.headers.has("upgrade")) return Response.json({ message: "not an upgrade" }, { status: 400 });
    const { socket, response } = Deno.upgradeWebSocket(request, { protocol: "v4.channel.k8s.io" });
    socket.binaryType = "arraybuffer";
    const say = (bytes: Uint8Array) => socket.send(new Uint8Array([1, ...bytes]));
    socket.onmessage = ({ data }) => {
      cluster.inputs.bytes.push(new Uint8Array(data).subarray(1));
      if (cluster.inputs.bytes.length > 1) {
        if (cluster.inputs.speaks === true && isWhole(cluster)) void ownLine().then((line) => say(line));
        return;
      }
      // In two halves, as a stream may give it.
      for (const half of ["info: mirrord sends the ag", `ent for ${cluster.inputs.machine}\n`]) {
        say(new TextEncoder().encode(half));
      }
    };
    socket.onclose = () => {
      cluster.inputs.closed++;
      cluster.inputs.onClose?.();
    };
    return response;
  }

  /** The container's own output: the agent's line, unless the test says that this way is closed. */
  async function output(request: Request, way: "log" | "attach"): Promise<Response> {
    const verdict = cluster.output(way);
    if (verdict !== undefined) return verdict;
    const line = await ownLine();
    if (way === "log") {
      return new Response(new Uint8Array([...new TextEncoder().encode("info: ready\n"), ...line]));
    }
    if (!request.headers.has("upgrade")) return Response.json({ message: "not an upgrade" }, { status: 400 });
    const { socket, response } = Deno.upgradeWebSocket(request, { protocol: "v4.channel.k8s.io" });
    socket.onopen = () => socket.send(new Uint8Array([1, ...line]));
    return response;
  }

  async function ownLine(): Promise<Uint8Array> {
    const { identity } = await keysOf();
    return new TextEncoder().encode(announcementLine({ port: 41_234, key: identity.bytes }) + "\n");
  }

  /** The keys of the newest container's agent. */
  function keysOf(): Promise<DoorKeys> {
    const { name, args = [] } = cluster.added[cluster.added.length - 1] ?? { name: "" };
    const known = keys.get(name) ??
      makeDoorKeys(args[args.indexOf("--public-key") + 1] ?? "", seal);
    keys.set(name, known);
    return known;
  }

  async function serve(stream: LinkStream, greeting: Greeting): Promise<void> {
    if (greeting.kind === "other-program") {
      return await stream.write(new TextEncoder().encode("HTTP/1.0 400 Bad\r\n\r\n"));
    }
    const own = await keysOf();
    const posing = greeting.kind === "impostor"
      ? await makeDoorKeys(own.client.bytes.toBase64(), own.seal)
      : own;
    const proven = await proveClient(stream, posing, { intervalMs: 5000, limitMs: 15_000 });
    if (proven === null) return;
    const { link, join } = proven;
    links.add(link);
    if (greeting.kind === "refuse") {
      return await link.fail({ kind: "welcome", id: join.id }, greeting.errno, greeting.text);
    }
    await link.reply(join, "welcome", { version: link.version, kernel: "6.1.0" });
    for await (const frame of link.received()) {
      cluster.frames.push(frame.name);
      if (frame.name !== "goodbye") continue;
      await link.reply(frame, "goodbye", {});
      return link.close();
    }
  }

  const kube = kubeClient(`http://127.0.0.1:${server.addr.port}`);
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
      image: "shop/web:7",
      declaredPorts: [],
      hostNetwork: false,
      probes: [],
      nodeAddresses: [],
      mounts: [],
      memoryLimit: null,
      [Symbol.dispose]: () => kube[Symbol.dispose](),
    },
    added: [],
    nextAdded: () => new Promise((resolve) => waiting.push(resolve)),
    container(state) {
      states.set(cluster.added[cluster.added.length - 1]?.name ?? "", state);
      tell("MODIFIED");
    },
    endedBefore(count) {
      for (let index = 0; index < count; index++) states.set(`old-${index}`, { terminated: { exitCode: 0 } });
    },
    deletePod() {
      gone = true;
      tell("DELETED");
    },
    greeting: () => ({ kind: "welcome" }),
    refusal: undefined,
    forwards: 0,
    output: (way) =>
      way === "log" && !isRunning()
        ? Response.json({ message: "container is waiting to start" }, { status: 400 })
        : undefined,
    input: () => isRunning() ? undefined : Response.json({ message: "container not found" }, { status: 404 }),
    inputs: { bytes: [], closed: 0, machine: "x86_64" },
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

/** Did the container's input get as many bytes as it announced? */
export function isWhole({ inputs }: FakeCluster): boolean {
  const count = Number(new TextDecoder().decode(inputs.bytes[1] ?? new Uint8Array()));
  return count > 0 && inputs.bytes.slice(2).reduce((sum, { length }) => sum + length, 0) === count;
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
