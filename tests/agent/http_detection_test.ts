// How long the first message of a filtered connection may leave open whether it is HTTP. The limit is short
// here, and what shows that it is over is another connection, never a clock.

import assert from "node:assert/strict";
import { FakeClient } from "../support/fake_client.ts";
import { Netns } from "../support/netns.ts";
import { mine, ok, Pod } from "./http_pod.ts";
import { get, startOriginal, Talk } from "./talk.ts";

const start = { options: { httpDetectionSeconds: 0.1 } };

/** Resolves when a connection that began after all others so far was given up. */
async function limitPasses(pod: Pod): Promise<void> {
  using peer = await pod.dial();
  await peer.say("stats");
  assert.equal(await peer.until("stats"), "stats");
}

for (
  const [first, ...more] of [["HELLO"], ["hel", "lo"], ["hello ther"], ["\r\n\r\nPING"], ["GET / HTTP/1.1"], [
    "Q",
  ]]
) {
  Deno.test(`${JSON.stringify([first, ...more])} without the end of a line is the original's, and said so`, async () => {
    await using pod = await Pod.create("echo", start);
    using peer = await pod.dial();
    for (const part of [first ?? "", ...more]) await peer.say(part);
    const all = [first, ...more].join("");
    assert.equal(await peer.until(all), all);
    await peer.say(" and more\r\n");
    await peer.until("and more\r\n");
    assert.match(
      await pod.client.noticed(/a whole line in time/),
      /^Cannot filter all of port 80: its peer did not send a whole line in time/,
    );
  });
}

Deno.test("a request line that is whole in time waits for its headers as long as it takes", async () => {
  await using pod = await Pod.create("echo", start);
  using peer = await pod.dial();
  await peer.say("\r\nGET /slow HTTP/1.1\r\nHo");
  await limitPasses(pod);
  await peer.say(`st: pod\r\n${mine}\r\n\r\n`);
  const app = await pod.app();
  await app.until("\r\n\r\n");
  await app.say(ok("app"));
  assert.equal((await peer.response()).body, "app");
});

Deno.test("a connection that is silent, or has spoken HTTP, is not timed", async () => {
  await using pod = await Pod.create("echo", start);
  using silent = await pod.dial();
  using idle = await pod.dial();
  for (const peer of [idle, silent]) {
    await limitPasses(pod);
    await peer.say(get("/first", mine));
    const app = await pod.app();
    await app.until("\r\n\r\n");
    await app.say(ok("first"));
    assert.equal((await peer.response()).body, "first");
    await peer.say("GE");
    await limitPasses(pod);
    await peer.say("T /second HTTP/1.1\r\nHost: pod\r\n" + mine + "\r\n\r\n");
    await app.until("/second");
    await app.until("\r\n\r\n");
    await app.say(ok("second"));
    assert.equal((await peer.response()).body, "second");
  }
});

Deno.test("on a probed port what is no whole line in time is the app's", async () => {
  await using netns = await Netns.create();
  await using _original = await startOriginal(netns, "http", 80);
  await using client = await FakeClient.start(netns, start);
  await client.subscribe(80, "", true);
  using peer = await Talk.dial(netns, 80);
  await peer.say("HELLO");
  const offered = await client.offered();
  await offered.take();
  await new Talk(offered.channel).until("HELLO");
});
