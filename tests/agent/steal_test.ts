// Unfiltered stealing against the real kernel: who answers, with which addresses, and how every ending is
// carried over. Each test has a namespace of its own; the peer is on its other host unless it must be inside.

import { createHash } from "node:crypto";
import assert from "node:assert/strict";
import { deadline } from "../support/deadline.ts";
import { FakeClient } from "../support/fake_client.ts";
import { Netns } from "../support/netns.ts";
import { bytes, python, startOriginal, Talk } from "./talk.ts";

const families = ["ipv4", "ipv6"] as const;

for (const family of families) {
  Deno.test(`${family}: a stolen connection reaches the client with its real addresses`, async () => {
    await using netns = await Netns.create();
    await using _original = await startOriginal(netns, "greet", 80);
    await using client = await FakeClient.start(netns);
    await client.subscribe(80);
    const conn = await Deno.connect({ hostname: netns[family], port: 80 });
    using peer = new Talk(conn);
    await peer.say("hello");
    const offered = await client.offered();
    await offered.take();
    const app = new Talk(offered.channel);
    await app.until("hello");
    await app.say("from the app");
    await peer.until("from the app");
    const local = conn.localAddr as Deno.NetAddr;
    assert.deepEqual(offered.peer, { address: local.hostname, port: local.port });
    assert.deepEqual(offered.local, { address: netns[family], port: 80 });
    assert.equal(offered.port, 80);
    assert.equal(offered.http, false);
  });

  Deno.test(`${family}: half-closes are carried over both ways`, async () => {
    await using netns = await Netns.create();
    await using client = await FakeClient.start(netns);
    await client.subscribe(80);
    using peer = await Talk.dial(netns, 80, family);
    await peer.say("question");
    await peer.closeWrite();
    const offered = await client.offered();
    await offered.take();
    const app = new Talk(offered.channel);
    assert.deepEqual(await app.rest(), { heard: "question", reset: false });
    await app.say("answer after the end of the question");
    await app.closeWrite();
    assert.deepEqual(await peer.rest(), { heard: "answer after the end of the question", reset: false });
  });

  Deno.test(`${family}: a reset by the app reaches the peer`, async () => {
    await using netns = await Netns.create();
    await using client = await FakeClient.start(netns);
    await client.subscribe(80);
    using peer = await Talk.dial(netns, 80, family);
    const offered = await client.offered();
    await offered.take();
    offered.channel.reset();
    assert.deepEqual(await peer.rest(), { heard: "", reset: true });
  });

  Deno.test(`${family}: a reset by the peer reaches the app`, async () => {
    await using netns = await Netns.create();
    await using client = await FakeClient.start(netns);
    await client.subscribe(80);
    const peer = python(
      netns,
      `import socket, struct
s = socket.create_connection(("${netns[family]}", 80)); s.recv(1)
s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)); s.close()`,
    );
    const offered = await client.offered();
    await offered.take();
    await offered.channel.write(bytes("!"));
    await peer;
    assert.equal((await new Talk(offered.channel).rest()).reset, true);
  });

  Deno.test(`${family}: a refused connection is the original's, with every byte and the half-close`, async () => {
    await using netns = await Netns.create();
    await using _original = await startOriginal(
      netns,
      "count",
      80,
      family === "ipv4" ? netns.ipv4 : netns.ipv6,
    );
    await using client = await FakeClient.start(netns);
    await client.subscribe(80);
    using peer = await Talk.dial(netns, 80, family);
    await peer.say(new Uint8Array(200_000));
    await peer.closeWrite();
    const offered = await client.offered();
    let seen = 0;
    while (seen < 200_000) seen += (await offered.channel.read())?.length ?? 0;
    await offered.refuse();
    assert.deepEqual(await peer.rest(), { heard: "200000 bytes", reset: false });
  });

  Deno.test(`${family}: an original on a loopback address only is still reached from inside`, async () => {
    await using netns = await Netns.create();
    const loopback = family === "ipv4" ? "127.0.0.1" : "::1";
    await using _original = await startOriginal(netns, "echo", 80, loopback);
    await using client = await FakeClient.start(netns);
    await client.subscribe(80);
    client.handle((offered) => {
      offered.channel.reset(); // as a session does when nobody listens
      void offered.refuse();
    });
    const heard = await python(
      netns,
      `import socket
s = socket.create_connection(("${loopback}", 80)); s.sendall(b"inside"); s.shutdown(1)
print(s.makefile().read(), end="")`,
    );
    assert.equal(heard, "inside");
  });

  Deno.test(`${family}: an original that does not listen there is not made reachable`, async () => {
    await using netns = await Netns.create();
    await using _original = await startOriginal(netns, "echo", 80, family === "ipv4" ? "127.0.0.1" : "::1");
    await using client = await FakeClient.start(netns);
    await client.subscribe(80);
    using peer = await Talk.dial(netns, 80, family);
    await (await client.offered()).refuse();
    assert.deepEqual(await peer.rest(), { heard: "", reset: true });
  });
}

Deno.test("64 MiB arrive as they were sent, both ways at once", async () => {
  await using netns = await Netns.create();
  await using client = await FakeClient.start(netns);
  await client.subscribe(80);
  const conn = await Deno.connect({ hostname: netns.ipv4, port: 80 });
  const offered = await client.offered();
  await offered.take();
  const [toApp, toPeer] = await Promise.all([
    hashOf(async () => await offered.channel.read()),
    hashOf(async () => {
      const buffer = new Uint8Array(65536);
      const count = await conn.read(buffer);
      return count === null ? null : buffer.subarray(0, count);
    }),
    sendPattern(async (part) => {
      for (let at = 0; at < part.length;) at += await conn.write(part.subarray(at));
    }, 1).then(() => conn.closeWrite()),
    sendPattern((part) => offered.channel.write(part), 2).then(() => offered.channel.closeWrite()),
  ]);
  conn.close();
  assert.deepEqual(toApp, await hashOf(patternReader(1)));
  assert.deepEqual(toPeer, await hashOf(patternReader(2)));
});

Deno.test("a stalled connection does not hold up another", async () => {
  await using netns = await Netns.create();
  await using client = await FakeClient.start(netns);
  await client.subscribe(80);
  using stalled = await Talk.dial(netns, 80);
  const first = await client.offered();
  await first.take();
  // Far more than the link's window and the kernel's buffers; nobody reads it.
  const stuck = stalled.say(new Uint8Array(32 << 20)).then(() => "sent", () => "failed");
  using peer = await Talk.dial(netns, 80);
  const second = await client.offered();
  await second.take();
  const app = new Talk(second.channel);
  for (let i = 0; i < 100; i++) {
    await peer.say(`ping ${i};`);
    await app.until(`ping ${i};`);
    await app.say(`pong ${i};`);
    await peer.until(`pong ${i};`);
  }
  first.channel.reset();
  assert.equal(await stuck, "failed");
});

Deno.test("a flood to and from the original does not hold up another connection", async () => {
  await using netns = await Netns.create();
  await using _original = await startOriginal(netns, "echo", 80);
  await using client = await FakeClient.start(netns);
  await client.subscribe(80);
  using flood = await Talk.dial(netns, 80);
  await (await client.offered()).refuse();
  let flooding = true;
  const sending = (async () => {
    const block = new Uint8Array(1 << 20);
    while (flooding) await flood.say(block);
    await flood.closeWrite();
  })();
  const draining = flood.drain();
  using peer = await Talk.dial(netns, 80);
  const offered = await client.offered();
  await offered.take();
  const app = new Talk(offered.channel);
  for (let i = 0; i < 100; i++) {
    await peer.say(`ping ${i};`);
    await app.until(`ping ${i};`);
    await app.say(`pong ${i};`);
    await peer.until(`pong ${i};`);
  }
  flooding = false;
  await sending;
  assert.ok(await draining > 0);
});

Deno.test("a port given back is the original's, and what was stolen goes on", async () => {
  await using netns = await Netns.create();
  await using _original = await startOriginal(netns, "greet", 80);
  await using client = await FakeClient.start(netns);
  await client.subscribe(80);
  using old = await Talk.dial(netns, 80);
  const offered = await client.offered();
  await offered.take();
  await client.unsubscribe(80);
  using fresh = await Talk.dial(netns, 80);
  await fresh.until("220 the original\r\n");
  await old.say("still stolen");
  const app = new Talk(offered.channel);
  await app.until("still stolen");
  await app.say("and answered");
  await old.until("and answered");
  await client.subscribe(80);
  using again = await Talk.dial(netns, 80);
  await again.say("stolen again");
  const next = await client.offered();
  await next.take();
  await new Talk(next.channel).until("stolen again");
});

Deno.test("another port stays the original's", async () => {
  await using netns = await Netns.create();
  await using _original = await startOriginal(netns, "greet", 81);
  await using client = await FakeClient.start(netns);
  await client.subscribe(80);
  using peer = await Talk.dial(netns, 81);
  await peer.until("220 the original\r\n");
});

Deno.test("a connection to the agent's own listener is reset", async () => {
  await using netns = await Netns.create();
  await using client = await FakeClient.start(netns);
  await client.subscribe(80);
  const heard = await python(
    netns,
    `import socket
ports = [int(line.split()[1].split(":")[1], 16) for line in open("/proc/self/net/tcp") if line.split()[3] == "0A"]
for port in ports:
  s = socket.create_connection(("127.0.0.1", port))
  try: print(s.recv(1))
  except ConnectionResetError: print("reset")`,
  );
  assert.equal(heard, "reset\n");
});

Deno.test("a namespace without IPv6 is stolen from by IPv4 alone", async () => {
  await using netns = await Netns.create({ ipv6: false });
  await using client = await FakeClient.start(netns);
  await client.subscribe(80);
  using peer = await Talk.dial(netns, 80);
  await peer.say("hello");
  const offered = await client.offered();
  await offered.take();
  await new Talk(offered.channel).until("hello");
});

Deno.test("the original is reached more often in a minute than there are ports", async () => {
  await using netns = await Netns.create();
  await netns.run(["sh", "-c", "echo 40000 40099 >/proc/sys/net/ipv4/ip_local_port_range"]);
  await using _original = await startOriginal(netns, "greet", 80);
  await using client = await FakeClient.start(netns);
  await client.subscribe(80);
  client.handle((offered) => void offered.refuse());
  // A hundred ports; each of these connections leaves its own in TIME_WAIT for a minute.
  for (let i = 0; i < 300; i++) {
    using peer = await Talk.dial(netns, 80);
    await peer.until("220 the original\r\n");
  }
});

Deno.test("200 connections in a burst are all answered, none by the wrong side", async () => {
  await using netns = await Netns.create();
  await using _original = await startOriginal(netns, "greet", 80);
  await using client = await FakeClient.start(netns);
  await client.subscribe(80);
  const all = Promise.withResolvers<void>();
  let closed = 0;
  client.handle(async (offered) => {
    await offered.take();
    await offered.channel.write(bytes(`app for ${offered.peer.port}`));
    await offered.channel.closeWrite(); // the client may have it before the agent reports it
    if (++closed === 200) all.resolve();
  });
  const answers = await Promise.all(Array.from({ length: 200 }, async () => {
    const conn = await Deno.connect({ hostname: netns.ipv4, port: 80 });
    using peer = new Talk(conn);
    return (await peer.rest()).heard === `app for ${(conn.localAddr as Deno.NetAddr).port}`;
  }));
  assert.deepEqual(answers.filter(Boolean).length, 200);
  await deadline(all.promise, "every connection is closed");
});

const mebibytes = 64;

/** Mebibyte `index` of a pattern; `seed` tells two patterns apart. */
function pattern(index: number, seed: number): Uint8Array<ArrayBuffer> {
  const words = new Uint32Array(1 << 18);
  let state = index * 2654435761 + seed >>> 0;
  for (let i = 0; i < words.length; i++) words[i] = state = Math.imul(state, 1664525) + 1013904223 >>> 0;
  return new Uint8Array(words.buffer);
}

async function sendPattern(send: (part: Uint8Array) => Promise<void>, seed: number): Promise<void> {
  for (let index = 0; index < mebibytes; index++) await send(pattern(index, seed));
}

function patternReader(seed: number): () => Promise<Uint8Array | null> {
  let index = 0;
  return () => Promise.resolve(index < mebibytes ? pattern(index++, seed) : null);
}

/** Length and a running hash of all that `read` answers. */
async function hashOf(read: () => Promise<Uint8Array | null>): Promise<{ length: number; sha256: string }> {
  const hash = createHash("sha256");
  let length = 0;
  for (let part = await read(); part !== null; part = await read()) {
    hash.update(part);
    length += part.length;
  }
  return { length, sha256: hash.digest("hex") };
}
