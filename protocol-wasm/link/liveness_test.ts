// Liveness on its own: what ends when it stops. link_test.ts tests it with a link.

import assert from "node:assert/strict";
import { sockets } from "../../tests/support/link_pair.ts";
import { Liveness } from "./liveness.ts";

Deno.test("a timer that was due when it was stopped starts nothing", async () => {
  const [near, far] = await sockets("unix");
  using _near = near;
  using _far = far;
  for (let round = 0; round < 20; round++) {
    let stopped = false;
    const late: string[] = [];
    const liveness = new Liveness({ intervalMs: 1, limitMs: 10_000 }, {
      ask: () => stopped && late.push("asked"),
      lost: ({ message }) => late.push(message),
    });
    const read = near.read(new Uint8Array(1));
    await far.write(Uint8Array.of(1));
    const due = performance.now() + 3;
    while (performance.now() < due);
    await read; // in the same turn of the event loop as the timer
    liveness.stop();
    stopped = true;
    const next = near.read(new Uint8Array(1));
    await far.write(Uint8Array.of(2));
    await next;
    assert.deepEqual(late, []);
  }
});

Deno.test("a peer that said that it stands still is not lost before its time is over", async () => {
  const lost = Promise.withResolvers<number>();
  const began = performance.now();
  const liveness = new Liveness({ intervalMs: 5, limitMs: 10 }, {
    ask() {},
    lost: () => lost.resolve(performance.now() - began),
  });
  liveness.excuse(300);
  const next = setTimeout(() => {}, 60_000); // the timers of a link keep no program alive
  assert.ok(await lost.promise >= 300);
  clearTimeout(next);
  liveness.stop();
});

Deno.test("a peer that is back is lost by its silence again", async () => {
  const lost = Promise.withResolvers<void>();
  const liveness = new Liveness({ intervalMs: 5, limitMs: 10 }, { ask() {}, lost: () => lost.resolve() });
  liveness.excuse(3_600_000);
  liveness.excuse(0);
  const next = setTimeout(() => {}, 60_000);
  await lost.promise;
  clearTimeout(next);
  liveness.stop();
});
