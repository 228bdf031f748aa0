// A listener of the session's own by the runtime's calls alone, so that it is tested on Linux.

import assert from "node:assert/strict";
import { E, SystemError } from "../system_error.ts";
import { dialTcp } from "./socket.ts";
import { listenTcp } from "./tcp_listener.ts";

Deno.test("a listener hands out its clients, and none once it is closed", async () => {
  const listener = listenTcp({ address: "127.0.0.1", port: 0 });
  const [client, server] = await Promise.all([
    dialTcp({ destination: listener.address }),
    listener.accept(),
  ]);
  assert.deepEqual(server?.peerAddress, client.localAddress);
  const accepting = listener.accept();
  listener.close();
  assert.equal(await accepting, null);
  assert.equal(await listener.accept(), null);
  client.close();
  server?.close();
});

Deno.test("a port that is taken is EADDRINUSE", () => {
  const listener = listenTcp({ address: "127.0.0.1", port: 0 });
  assert.throws(
    () => listenTcp(listener.address),
    (error) => error instanceof SystemError && error.errno === E.EADDRINUSE,
  );
  listener.close();
});
