// Mirroring against the real kernel: what clients send is seen by every session, the target answers as if
// nobody looked. Each test has a namespace of its own; the peer is on its other host unless it must be
// inside.

import { createHash } from "node:crypto";
import assert from "node:assert/strict";
import { deadline } from "../support/deadline.ts";
import { FakeClient } from "../support/fake_client.ts";
import { Netns } from "../support/netns.ts";
import { get, python, startOriginal, Talk } from "./talk.ts";

const families = ["ipv4", "ipv6"] as const;

/** An agent that mirrors `port`. */
async function mirroring(netns: Netns, port = 80, filter = ""): Promise<FakeClient> {
  const client = await FakeClient.start(netns, { mode: "mirror" });
  await client.mirror(port, filter);
  return client;
}

for (const family of families) {
  Deno.test(`${family}: a mirrored connection reaches the client with its real addresses, the original answers`, async () => {
    await using netns = await Netns.create();
    await using _original = await startOriginal(netns, "echo", 80);
    await using client = await mirroring(netns);
    const conn = await Deno.connect({ hostname: netns[family], port: 80 });
    using peer = new Talk(conn);
    const offered = await client.offered();
    await offered.take();
    const app = new Talk(offered.channel);
    await peer.say("question");
    await peer.until("question");
    await app.until("question");
    await app.say("this is dropped");
    await peer.closeWrite();
    assert.deepEqual(await peer.rest(), { heard: "", reset: false });
    assert.deepEqual(await app.rest(), { heard: "", reset: false });
    const local = conn.localAddr as Deno.NetAddr;
    assert.deepEqual(offered.peer, { address: local.hostname, port: local.port });
    assert.deepEqual(offered.local, { address: netns[family], port: 80 });
    assert.equal(offered.port, 80);
  });

  Deno.test(`${family}: connections inside the namespace are seen once`, async () => {
    await using netns = await Netns.create();
    const loopback = family === "ipv4" ? "127.0.0.1" : "::1";
    await using _original = await startOriginal(netns, "echo", 80, loopback);
    await using client = await mirroring(netns);
    const heard = await python(
      netns,
      `import socket
s = socket.create_connection(("${loopback}", 80)); s.sendall(b"inside"); s.shutdown(1)
print(s.makefile().read(), end="")`,
    );
    assert.equal(heard, "inside");
    const offered = await client.offered();
    assert.equal(offered.local.address, loopback);
    assert.deepEqual(await new Talk(offered.channel).rest(), { heard: "inside", reset: false });
  });
}

Deno.test("64 MiB are mirrored as they were sent, as fast as the session takes them", async () => {
  await using netns = await Netns.create();
  await using _original = await startOriginal(netns, "count", 80);
  await using client = await mirroring(netns);
  using peer = await Talk.dial(netns, 80);
  const { channel, take } = await client.offered();
  await take();
  const [sent, seen] = [createHash("sha256"), createHash("sha256")];
  const size = 64 << 20;
  const block = new Uint8Array(1 << 18);
  let length = 0;
  for (let at = 0; at < size; at += block.length) {
    for (let i = 0; i < block.length; i += 4096) new DataView(block.buffer).setUint32(i, at + i);
    sent.update(block);
    await peer.say(block);
    while (length < at) {
      const bytes = await channel.read();
      assert.ok(bytes !== null, `ended after ${length} bytes`);
      seen.update(bytes);
      length += bytes.length;
    }
  }
  await peer.closeWrite();
  for (let bytes = await channel.read(); bytes !== null; bytes = await channel.read()) {
    seen.update(bytes);
    length += bytes.length;
  }
  assert.equal((await peer.rest()).heard, `${size} bytes`);
  assert.equal(length, size);
  assert.equal(seen.digest("hex"), sent.digest("hex"));
});

Deno.test("two sessions mirror, a third steals: all see every byte", async () => {
  await using netns = await Netns.create();
  await using one = await mirroring(netns);
  await using two = await mirroring(netns);
  await using thief = await FakeClient.start(netns);
  await thief.subscribe(80);
  using peer = await Talk.dial(netns, 80);
  await peer.say("hello");
  const stolen = await thief.offered();
  await stolen.take();
  await stolen.channel.write(new TextEncoder().encode("from the app"));
  await peer.until("from the app");
  for (const client of [one, two]) {
    await new Talk((await client.offered()).channel).until("hello");
  }
});

Deno.test("a connection met in the middle is mirrored from its next request", async () => {
  await using netns = await Netns.create();
  await using _original = await startOriginal(netns, "http", 80);
  using peer = await Talk.dial(netns, 80);
  assert.match(await peer.ask(get("/before")), /\/before/);
  await using client = await mirroring(netns);
  assert.match(await peer.ask(get("/after")), /\/after/);
  const app = new Talk((await client.offered()).channel);
  assert.match(await app.until("\r\n\r\n"), /^GET \/after /);
  assert.match(await peer.ask(get("/again")), /\/again/);
  assert.match(await app.until("\r\n\r\n"), /^GET \/again /);
});

Deno.test("a namespace without IPv6 is mirrored by IPv4 alone", async () => {
  await using netns = await Netns.create({ ipv6: false });
  await using _original = await startOriginal(netns, "echo", 80, "0.0.0.0");
  await using client = await mirroring(netns);
  using peer = await Talk.dial(netns, 80);
  await peer.say("hello");
  await peer.until("hello");
  await new Talk((await client.offered()).channel).until("hello");
});

Deno.test("200 connections in a burst are all mirrored, each once", async () => {
  await using netns = await Netns.create();
  await using _original = await startOriginal(netns, "echo", 80);
  await using client = await mirroring(netns);
  const heard: string[] = [];
  const all = Promise.withResolvers<void>();
  client.handle(async ({ take, channel }) => {
    await take();
    const { heard: text } = await new Talk(channel).rest();
    await channel.closeWrite();
    heard.push(text); // not before: the test ends with the last one
    if (heard.length === 200) all.resolve();
  });
  await Promise.all(Array.from({ length: 200 }, async (_, index) => {
    using peer = await Talk.dial(netns, 80);
    await peer.say(`connection ${index}`);
    await peer.closeWrite();
    assert.equal((await peer.rest()).heard, `connection ${index}`);
  }));
  await deadline(all.promise, "200 connections are mirrored");
  assert.deepEqual(heard.sort(), Array.from({ length: 200 }, (_, index) => `connection ${index}`).sort());
});

Deno.test("what a filtered steal gives to the original is not mirrored a second time", async () => {
  for (const family of families) {
    await using netns = await Netns.create();
    await using _original = await startOriginal(netns, "http", 80);
    await using client = await mirroring(netns);
    await using thief = await FakeClient.start(netns);
    await thief.subscribe(80, '{"path": "^/mine"}');
    for (const path of ["/one", "/two"]) {
      using peer = await Talk.dial(netns, 80, family);
      assert.match(await peer.ask(get(path)), new RegExp(` ${path} `));
      const offered = await client.offered();
      assert.equal(offered.peer.address, family === "ipv4" ? netns.hostIpv4 : netns.hostIpv6);
      assert.match(await new Talk(offered.channel).until("\r\n\r\n"), new RegExp(`^GET ${path} `));
    }
  }
});
