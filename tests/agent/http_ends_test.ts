// Filtered stealing where something ends or is not HTTP/1: an app or an original that refuses, dies, closes
// or speaks first, a port given back, a session that ends.

import assert from "node:assert/strict";
import { mine, ok, Pod, post, serveApp } from "./http_pod.ts";
import { get, startOriginal, Talk } from "./talk.ts";

Deno.test("a matching request that nobody takes is the original's", async () => {
  await using pod = await Pod.create();
  pod.client.handle((offered) => {
    offered.channel.reset();
    void offered.refuse();
  });
  using peer = await pod.dial();
  assert.match(await peer.ask(post("/mine", "body", mine)), /^original 1 POST \/mine 4 /);
  assert.match(await peer.ask(get("/mine", mine)), /^original 1 GET \/mine 0 /);
});

Deno.test("an app that ends in mid-answer ends as its kernel did, by a close or a reset", async () => {
  await using pod = await Pod.create();
  for (const end of ["closeWrite", "reset"] as const) {
    using peer = await pod.dial();
    await peer.say(get("/half", mine));
    const offered = await pod.client.offered();
    await offered.take();
    await new Talk(offered.channel).until("\r\n\r\n");
    await offered.channel.write(
      new TextEncoder().encode("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"),
    );
    await peer.until("half");
    await offered.channel[end]();
    assert.deepEqual(await peer.rest(), { heard: "", reset: end === "reset" });
  }
});

Deno.test("an app that closes without an answer shows as a close, as inside the target", async () => {
  await using pod = await Pod.create();
  for (const request of [get("/", mine), "\r\n" + get("/", mine), post("/", "body", mine)]) {
    using peer = await pod.dial();
    await peer.say(request);
    const app = await pod.app();
    assert.equal(await app.until(request.slice(-6)), request);
    await app.closeWrite();
    assert.deepEqual(await peer.rest(), { heard: "", reset: false });
  }
});

Deno.test("an app that closes an idle connection gets the next request on a new one", async () => {
  await using pod = await Pod.create();
  using peer = await pod.dial();
  for (const number of [1, 2, 3]) {
    await peer.say(get("/", mine));
    const app = await pod.app();
    await app.until("\r\n\r\n");
    await app.say(ok(`app ${number}`));
    assert.equal((await peer.response()).body, `app ${number}`);
    await app.closeWrite();
    assert.equal((await app.rest()).reset, false);
  }
  assert.match(await peer.ask(get("/")), /^original 1 /);
});

Deno.test("a peer that resets while it waits is seen by the app", async () => {
  await using pod = await Pod.create();
  const peer = await pod.dial();
  await peer.say(get("/slow", mine));
  const app = await pod.app();
  await app.until("\r\n\r\n");
  peer[Symbol.dispose]();
  assert.equal((await app.rest()).heard, "");
});

Deno.test("an original that closes after its answer closes the peer's connection", async () => {
  await using pod = await Pod.create();
  using peer = await pod.dial();
  assert.equal(await peer.ask(get("/bye")), "bye");
  assert.deepEqual(await peer.rest(), { heard: "", reset: false });
});

Deno.test("an original that closes while a stolen request is under way is dialled again", async () => {
  await using pod = await Pod.create();
  using peer = await pod.dial();
  assert.match(await peer.ask(get("/first")), /^original 1 /);
  await peer.say(get("/stolen", mine));
  const app = await pod.app();
  await app.until("\r\n\r\n");
  await pod.original?.end();
  await using _next = await startOriginal(pod.netns, "http", 80);
  await app.say(ok("app"));
  assert.equal((await peer.response()).body, "app");
  assert.match(await peer.ask(get("/second")), /^original 1 GET \/second /);
});

Deno.test("an original that does not listen leaves the matching requests to the app", async () => {
  await using pod = await Pod.create(null);
  serveApp(pod);
  using peer = await pod.dial();
  assert.equal(await peer.ask(get("/", mine)), "app 1 GET / 0");
  await peer.say(get("/"));
  assert.deepEqual(await peer.rest(), { heard: "", reset: true });
});

Deno.test("a protocol whose server speaks first is the original's, and said so", async () => {
  await using pod = await Pod.create("greet");
  for (let i = 0; i < 2; i++) {
    using peer = await pod.dial();
    await peer.until("220 the original\r\n");
    await peer.say(get("/", mine));
    assert.equal(await peer.until("\r\n\r\n"), get("/", mine));
  }
  assert.equal(pod.client.notices.length, 1);
  assert.match(pod.client.notices[0] ?? "", /^Cannot filter all of port 80: its server speaks first/);
});

const strange = [
  { name: "HTTP/2", bytes: "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", notice: /HTTP\/2/ },
  { name: "TLS", bytes: "\x16\x03\x01\x02\x00\x01", notice: /does not speak HTTP\/1/ },
  {
    name: "a head without end",
    bytes: `GET / HTTP/1.1\r\nX: ${"x".repeat(70_000)}`,
    notice: /head-too-large/,
  },
];
for (const { name, bytes, notice } of strange) {
  Deno.test(`${name} is the original's with every byte, and said so`, async () => {
    await using pod = await Pod.create("echo");
    using peer = await pod.dial();
    await peer.say(bytes);
    await peer.say("|the end|");
    assert.equal(await peer.until("|the end|"), bytes + "|the end|");
    assert.equal(pod.client.notices.length, 1);
    assert.match(pod.client.notices[0] ?? "", notice);
  });
}

Deno.test("a port given back routes nothing more, on connections that are open too", async () => {
  await using pod = await Pod.create();
  serveApp(pod);
  using peer = await pod.dial();
  assert.equal(await peer.ask(get("/", mine)), "app 1 GET / 0");
  await pod.client.unsubscribe(80);
  assert.match(await peer.ask(get("/", mine)), /^original 1 GET \/ 0 /);
  using fresh = await pod.dial();
  assert.match(await fresh.ask(get("/", mine)), /^original 2 GET \/ 0 /);
});

Deno.test("when the session ends the original's answers are finished, the app's are reset, idle peers are closed", async () => {
  await using pod = await Pod.create();
  using idle = await pod.dial();
  assert.match(await idle.ask(get("/idle")), /^original /);
  using theirs = await pod.dial();
  await theirs.say(post("/theirs", "0123456789").slice(0, -5));
  using mineToo = await pod.dial();
  await mineToo.say(get("/mine", mine));
  await (await pod.app()).until("\r\n\r\n");
  const done = pod.client.goodbye();
  assert.equal((await mineToo.rest()).reset, true);
  assert.deepEqual(await idle.rest(), { heard: "", reset: false });
  assert.match(await theirs.ask("56789"), /^original \d+ POST \/theirs 10 /);
  assert.equal(await done, 0);
  using fresh = await pod.dial();
  assert.match(await fresh.ask(get("/fresh", mine)), /^original /);
});
