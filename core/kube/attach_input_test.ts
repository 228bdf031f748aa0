// The input of a container against a server of the test's own.

import assert from "node:assert/strict";
import { setImmediate } from "node:timers";
import { openAttachInput } from "./attach_input.ts";
import type { AttachOptions } from "./attach_socket.ts";

function options(port: number, client: Deno.HttpClient): AttachOptions {
  return {
    url: `ws://127.0.0.1:${port}`,
    headers: {},
    client,
    signal: new AbortController().signal,
    refused: (cause) => Promise.resolve(new Error(`refused: ${cause}`)),
  };
}

Deno.test("what is written arrives on the input's channel, and closing is seen", async () => {
  const received: number[] = [];
  const ended = Promise.withResolvers<void>();
  await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => {
    const { socket, response } = Deno.upgradeWebSocket(request, { protocol: "v4.channel.k8s.io" });
    socket.binaryType = "arraybuffer";
    socket.onmessage = ({ data }) => received.push(...new Uint8Array(data));
    socket.onclose = () => ended.resolve();
    return response;
  });
  using client = Deno.createHttpClient({});
  {
    using input = await openAttachInput(options(server.addr.port, client));
    await input.write(Uint8Array.of(7, 8));
    await input.write(Uint8Array.of(9));
    await input.flush();
  }
  await ended.promise;
  assert.deepEqual(received, [0, 7, 8, 0, 9]);
});

Deno.test("writing to an input whose container ended rejects with the node's words", async () => {
  await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => {
    const { socket, response } = Deno.upgradeWebSocket(request, { protocol: "v4.channel.k8s.io" });
    socket.onopen = () => {
      socket.send(Uint8Array.of(3, ...new TextEncoder().encode("container not found")));
      socket.close();
    };
    return response;
  });
  using client = Deno.createHttpClient({});
  using input = await openAttachInput(options(server.addr.port, client));
  const writeUntilItFails = async () => {
    for (;;) {
      await input.write(new Uint8Array(10));
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  await assert.rejects(writeUntilItFails(), /container not found/);
});

Deno.test("the output is heard, in whatever pieces it comes, until the container ends", async () => {
  const sockets: WebSocket[] = [];
  await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => {
    const { socket, response } = Deno.upgradeWebSocket(request, { protocol: "v4.channel.k8s.io" });
    socket.onopen = () => {
      sockets.push(socket);
      for (const piece of ["first\nnumber 4", "2\n"]) {
        socket.send(Uint8Array.of(1, ...new TextEncoder().encode(piece)));
      }
    };
    return response;
  });
  using client = Deno.createHttpClient({});
  using input = await openAttachInput(options(server.addr.port, client));
  assert.equal(await input.hear((line) => /^number (\d+)$/.exec(line)?.[1] ?? null), "42");
  const never = input.hear((line) => line === "never" ? line : null);
  sockets[0]?.close();
  await assert.rejects(never, /the container's input was closed/);
});

Deno.test("a refused upgrade is explained by the caller", async () => {
  await using server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    () => new Response("no", { status: 403 }),
  );
  using client = Deno.createHttpClient({});
  await assert.rejects(openAttachInput(options(server.addr.port, client)), /refused: /);
});
