// Dials to the original never have more bypasses at a time than there is room for, and all are made in the
// end.

import assert from "node:assert/strict";
import { SystemError } from "../../core/net/system_error.ts";
import { WayToOriginal } from "./original.ts";

/** A way with room for two, which counts. */
function narrowWay() {
  const count = { now: 0, most: 0, all: 0 };
  const way = new WayToOriginal({
    room: () => 2,
    addBypass: () => {
      count.all++;
      count.most = Math.max(count.most, ++count.now);
    },
    removeBypass: () => void count.now--,
  });
  return { count, way };
}

Deno.test("more dials than there is room for wait for each other", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const destination = { address: "127.0.0.1", port: (listener.addr as Deno.NetAddr).port };
  const { count, way } = narrowWay();
  const sockets = await Promise.all(Array.from({ length: 20 }, () => way.dial(destination)));
  for (const socket of sockets) socket.close();
  assert.deepEqual(count, { now: 0, most: 2, all: 20 });
});

Deno.test("a dial that waits ends when the way is closed", async () => {
  // Nobody listens there: two are refused, the others wait.
  const { way } = narrowWay();
  const dials = Array.from({ length: 5 }, () => way.dial({ address: "127.0.0.1", port: 1 }));
  way.close();
  for (const ended of await Promise.allSettled(dials)) {
    assert.equal(ended.status, "rejected");
    assert.ok(ended.reason instanceof SystemError);
  }
});
