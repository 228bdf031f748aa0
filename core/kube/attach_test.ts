// The output of a container against a server of the test's own that goes on sending when nobody reads any
// more.

import assert from "node:assert/strict";
import { openAttach } from "./attach.ts";

Deno.test("output that comes after its reader has let go ends nothing", async () => {
  const ended = Promise.withResolvers<void>();
  await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => {
    const { socket, response } = Deno.upgradeWebSocket(request, { protocol: "v4.channel.k8s.io" });
    // All of it is on its way before the client can have read the first.
    socket.onopen = () => {
      for (let i = 0; i < 1000; i++) socket.send(Uint8Array.of(1, 104, 105));
    };
    socket.onclose = () => ended.resolve();
    return response;
  });
  using client = Deno.createHttpClient({});
  const output = await openAttach({
    url: `ws://127.0.0.1:${server.addr.port}`,
    headers: {},
    client,
    signal: new AbortController().signal,
    refused: (cause) => Promise.resolve(new Error(String(cause))),
  });
  const reader = output.getReader();
  const { value } = await reader.read();
  assert.deepEqual(value, Uint8Array.of(104, 105));
  await reader.cancel();
  await ended.promise;
});
