// The kubelet's HTTP probes go on reaching the original while its port is stolen: whatever the developer's program does, the
// pod is not restarted for it.

import assert from "node:assert/strict";
import { FakeClient } from "../support/fake_client.ts";
import { Netns } from "../support/netns.ts";
import { startOriginal, Talk } from "./talk.ts";

const probe =
  "GET /healthz HTTP/1.1\r\nHost: pod\r\nUser-Agent: kube-probe/1.34\r\nConnection: close\r\n\r\n";
const request = "GET / HTTP/1.1\r\nHost: pod\r\nUser-Agent: curl/8\r\nConnection: close\r\n\r\n";

/** A namespace whose HTTP original on port 80 is stolen, its probes spared. */
async function stage(filter: string): Promise<{ netns: Netns; client: FakeClient } & AsyncDisposable> {
  const stack = new AsyncDisposableStack();
  const netns = stack.use(await Netns.create());
  stack.use(await startOriginal(netns, "http", 80));
  const client = stack.use(await FakeClient.start(netns));
  await client.subscribe(80, filter, true);
  return { netns, client, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

for (const filter of ["", '{"path": "^/"}']) {
  const kind = filter === "" ? "an unfiltered" : "a filtered";

  Deno.test(`${kind} steal leaves the kubelet's probes to the original`, async () => {
    await using pod = await stage(filter);
    using kubelet = await Talk.dial(pod.netns, 80);
    // In two pieces: who asks is known only with the second.
    await kubelet.say(probe.slice(0, 30));
    await kubelet.say(probe.slice(30));
    const { heard } = await kubelet.rest();
    assert.match(heard, /^HTTP\/1\.[01] 200 /);
  });

  Deno.test(`${kind} steal that spares probes takes every other request with all its bytes`, async () => {
    await using pod = await stage(filter);
    using peer = await Talk.dial(pod.netns, 80);
    await peer.say(request);
    const offered = await pod.client.offered();
    await offered.take();
    const app = new Talk(offered.channel);
    await app.until(request);
    await app.say("HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n");
    await app.closeWrite();
    assert.match((await peer.rest()).heard, /^HTTP\/1\.1 204 /);
  });
}

Deno.test("what is no HTTP on a probed port is stolen as it comes", async () => {
  await using pod = await stage("");
  using peer = await Talk.dial(pod.netns, 80);
  await peer.say("\0\x01 not HTTP at all");
  const offered = await pod.client.offered();
  await offered.take();
  await new Talk(offered.channel).until("\0\x01 not HTTP at all");
});
