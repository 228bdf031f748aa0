// A port-forward against a real WebSocket server: how its bytes are sent, and what holds for the socket below
// it.

import assert from "node:assert/strict";
import { decodeSockaddr, sockaddrSize } from "../net/linux/sockaddr.ts";
import { c, K } from "../net/linux/libc.ts";
import { kubeClient, noSpdy } from "../../tests/support/kube_client.ts";

/** fcntl(2): sets the flags of a descriptor. */
const F_SETFD = 2;

/** An API server that forwards to nobody: `next` is the next message that came on the port's channel. */
class Server implements AsyncDisposable {
  readonly #messages: Uint8Array[] = [];
  #wake = Promise.withResolvers<void>();
  readonly #server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, (request) => {
    if (!request.headers.has("upgrade")) return Response.json({ metadata: { name: "p" } });
    const refused = noSpdy(request);
    if (refused !== undefined) return refused;
    const { socket, response } = Deno.upgradeWebSocket(request, { protocol: "v4.channel.k8s.io" });
    socket.binaryType = "arraybuffer";
    socket.onopen = () => [0, 1].forEach((channel) => socket.send(new Uint8Array([channel, 0, 80])));
    socket.onmessage = ({ data }) => {
      if (data.byteLength === 0) return; // as the kubelet's side does (last_bytes.ts)
      this.#messages.push(new Uint8Array(data));
      this.#wake.resolve();
    };
    return response;
  });

  get port(): number {
    return this.#server.addr.port;
  }

  async next(): Promise<Uint8Array> {
    for (;;) {
      const message = this.#messages.shift();
      if (message !== undefined) return message;
      this.#wake = Promise.withResolvers();
      await this.#wake.promise;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }
}

/** A proxy that connects to wherever it is asked (CONNECT, RFC 9110, 9.3.6). */
function connectProxy(): { port: number; close(): Promise<void> } {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const serve = async (near: Deno.TcpConn) => {
    const buffer = new Uint8Array(4096);
    const head = new TextDecoder().decode(buffer.subarray(0, await near.read(buffer) ?? 0));
    const [, hostname = "", port = ""] = /^(?:CONNECT |\S+ http:\/\/)([^:]+):(\d+)/.exec(head) ?? [];
    const far = await Deno.connect({ hostname, port: Number(port) });
    if (head.startsWith("CONNECT")) await near.write(new TextEncoder().encode("HTTP/1.1 200 OK\r\n\r\n"));
    else await far.write(new TextEncoder().encode(head));
    await Promise.all([near.readable.pipeTo(far.writable), far.readable.pipeTo(near.writable)]).catch(
      () => {},
    );
  };
  const serving = (async () => {
    const open: Promise<void>[] = [];
    for await (const conn of listener) open.push(serve(conn));
    await Promise.all(open);
  })();
  return {
    port: listener.addr.port,
    close: () => (listener.close(), serving),
  };
}

/** TCP_NODELAY of this process' sockets whose peer is at `port`, by descriptor. */
function noDelays(port: number): Map<number, number> {
  const found = new Map<number, number>();
  for (const { name } of Deno.readDirSync("/proc/self/fd")) {
    const fd = Number(name);
    const address = new Uint8Array(sockaddrSize);
    if (c.getpeername(fd, address, words(sockaddrSize)) !== 0) continue;
    if (address[0] !== K.AF_INET || decodeSockaddr(address).port !== port) continue;
    const value = words(0);
    c.getsockopt(fd, K.IPPROTO_TCP, K.TCP_NODELAY, value, words(4));
    found.set(fd, new Uint32Array(value.buffer)[0] ?? 0);
  }
  return found;
}

function words(...values: number[]): Uint8Array<ArrayBuffer> {
  return new Uint8Array(new Uint32Array(values).buffer);
}

for (const way of ["directly", "through a proxy"]) {
  Deno.test(`small messages to the API server go out at once, ${way}`, async () => {
    await using server = new Server();
    const proxy = way === "directly" ? undefined : connectProxy();
    using kube = kubeClient(`http://127.0.0.1:${server.port}`, proxy && `http://127.0.0.1:${proxy.port}`);
    await kube.getPod("p");
    const stream = await kube.portForward("p", 80);
    const options = [...noDelays(proxy?.port ?? server.port).values()];
    assert.ok(options.length >= 2, "the request's connection and the port-forward's");
    assert.ok(options.every((option) => option !== 0), `TCP_NODELAY is ${options}`);
    stream.close();
    kube[Symbol.dispose]();
    await proxy?.close();
  });
}

Deno.test("a socket that came with the process keeps its own setting", async () => {
  await using server = new Server();
  using kube = kubeClient(`http://127.0.0.1:${server.port}`);
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  using conn = await Deno.connect({ hostname: "127.0.0.1", port: listener.addr.port });
  using far = await listener.accept();
  const [inherited = -1] = noDelays(far.localAddr.port).keys();
  c.fcntl(inherited, F_SETFD, 0);
  const stream = await kube.portForward("p", 80);
  assert.deepEqual([...noDelays(far.localAddr.port)], [[inherited, 0]]);
  assert.notEqual(conn.localAddr.port, server.port);
  stream.close();
});

Deno.test("what is written in one turn is one message, in order", async () => {
  await using server = new Server();
  using kube = kubeClient(`http://127.0.0.1:${server.port}`);
  const stream = await kube.portForward("p", 80);
  for (const byte of [1, 2, 3]) await stream.write(new Uint8Array([byte, byte]));
  assert.deepEqual(await server.next(), new Uint8Array([0, 1, 1, 2, 2, 3, 3]));
  const large = new Uint8Array(300_000).fill(5);
  await Promise.all([
    stream.write(new Uint8Array([4])),
    stream.write(large),
    stream.write(new Uint8Array([6])),
  ]);
  stream.close(); // what was written is still sent
  const expected = new Uint8Array([4, ...large, 6]);
  const rest = new Uint8Array(expected.length);
  for (let at = 0; at < rest.length;) {
    const message = await server.next();
    rest.set(message.subarray(1), at);
    at += message.length - 1;
  }
  assert.deepEqual(rest, expected);
});
