// The end of the parent is noticed, once, and not when another question comes.

import assert from "node:assert/strict";
import { watchParent } from "./parent.ts";

Deno.test("the watch is quiet while the parent lives, and aborts when another adopts the process", async () => {
  let parent = 4711;
  let asked = 0;
  const twice = Promise.withResolvers<void>();
  const reason = new Error("the parent has ended");
  using watch = watchParent(reason, () => {
    if (++asked === 3) twice.resolve();
    return parent;
  });
  await twice.promise;
  assert.equal(watch.signal.aborted, false);
  const aborted = new Promise((resolve) => watch.signal.addEventListener("abort", resolve));
  parent = 1;
  await aborted;
  assert.equal(watch.signal.reason, reason);
});
