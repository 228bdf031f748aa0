// Links over real sockets: requests and their failures, ids, versions, the end of a link and what then
// rejects. Connections of a link are in channel_test.ts.

import assert from "node:assert/strict";
import { agentMessages } from "../messages/agent_messages.ts";
import { decode } from "../messages/codec.ts";
import { layerMessages } from "../messages/layer_messages.ts";
import { endFlag, Link, LinkError, RemoteError } from "./link.ts";
import { connStream } from "./stream.ts";
import { links, type Peers, sockets } from "../../tests/support/link_pair.ts";

/** Runs `test` over a fresh pair of agent links, then closes them. */
async function withLinks(test: (peers: Peers) => Promise<void>): Promise<void> {
  await using peers = await links();
  await test(peers);
}

const nothing = { port: 0, mode: 0, filter: "", probes: false };

Deno.test("a request gets its reply, over TCP and over a Unix socket", async () => {
  for (const transport of ["tcp", "unix"] as const) {
    await using peers = await links({ transport });
    const asked = peers.client.request("subscribe", { port: 80, mode: 1, filter: "{}", probes: false });
    const frame = await peers.nextOf(peers.agent);
    assert.deepEqual(decode(agentMessages.subscribe, frame.body), {
      port: 80,
      mode: 1,
      filter: "{}",
      probes: false,
    });
    await peers.agent.reply(frame, "subscribe", { port: 80, mode: 1, filter: "done", probes: false });
    const [reply] = await asked;
    assert.ok(reply !== undefined);
    assert.equal(decode(agentMessages.subscribe, reply.body).filter, "done");
  }
});

Deno.test("a reply of several frames comes whole and in order", () =>
  withLinks(async ({ client, agent, nextOf }) => {
    const asked = client.request("env", { include: "", exclude: "" });
    const { id } = await nextOf(agent);
    await agent.send("env", id, Uint8Array.of(1));
    await agent.send("env", id, new Uint8Array(1 << 20).fill(2));
    await agent.send("env", id, Uint8Array.of(3), endFlag);
    const frames = await asked;
    assert.deepEqual(frames.map(({ body }) => [body[0], body.length]), [[1, 1], [2, 1 << 20], [3, 1]]);
  }));

Deno.test("a failed request rejects with the peer's errno and sentence, and the link goes on", () =>
  withLinks(async ({ client, agent, nextOf }) => {
    const asked = client.request("subscribe", nothing);
    await agent.fail(await nextOf(agent), 13, "the port is not yours");
    await assert.rejects(asked, (error) => {
      assert.ok(error instanceof RemoteError);
      assert.deepEqual([error.errno, error.message], [13, "the port is not yours"]);
      return true;
    });
    const again = client.request("unsubscribe", { port: 1 });
    await agent.reply(await nextOf(agent), "unsubscribe", { port: 1 });
    assert.equal((await again).length, 1);
  }));

Deno.test("an aborted request rejects at once and its late reply is dropped", () =>
  withLinks(async ({ client, agent, nextOf }) => {
    const abort = new AbortController();
    const asked = client.request("subscribe", nothing, { signal: abort.signal });
    const first = await nextOf(agent);
    abort.abort(new Error("no longer wanted"));
    await assert.rejects(asked, /no longer wanted/);
    await agent.send("subscribe", first.id, nothing);
    await agent.reply(first, "subscribe", nothing);
    await agent.send("notice", 0, { level: 0, text: "after it" });
    assert.equal((await nextOf(client)).name, "notice");
    await assert.rejects(client.request("subscribe", nothing, { signal: abort.signal }), /no longer wanted/);
  }));

Deno.test("both sides ask at the same time without their ids meeting", () =>
  withLinks(async ({ client, agent, nextOf }) => {
    const asked = [
      client.request("unsubscribe", { port: 1 }),
      agent.request("unsubscribe", { port: 2 }),
    ] as const;
    const [byClient, byAgent] = [await nextOf(agent), await nextOf(client)];
    assert.deepEqual([byClient.id % 2, byAgent.id % 2], [1, 0]);
    await client.reply(byAgent, "unsubscribe", { port: 20 });
    await agent.reply(byClient, "unsubscribe", { port: 10 });
    const [[one], [two]] = await Promise.all(asked);
    assert.ok(one !== undefined && two !== undefined);
    assert.equal(decode(agentMessages.unsubscribe, one.body).port, 10);
    assert.equal(decode(agentMessages.unsubscribe, two.body).port, 20);
  }));

Deno.test("a reply on the layer link is read as the entry that shares its kind's number", async () => {
  const [a, b] = await sockets("unix");
  await using layer = new Link(connStream(a), layerMessages, { side: "client" });
  await using session = new Link(connStream(b), layerMessages, { side: "agent" });
  const asked = layer.request("bind", { address: { address: "0.0.0.0", port: 80 }, stream: true });
  for await (const frame of session.received()) {
    assert.equal(frame.name, "bind");
    await session.reply(frame, "bindReply", {
      managed: true,
      suggested: 8080,
      fixed: false,
      place: { address: "", port: 0 },
    });
    break;
  }
  const [reply] = await asked;
  assert.ok(reply !== undefined);
  assert.deepEqual(decode(layerMessages.bindReply, reply.body), {
    managed: true,
    suggested: 8080,
    fixed: false,
    place: { address: "", port: 0 },
  });
});

Deno.test("a message newer than the negotiated version is refused before it is sent", () =>
  withLinks(({ client }) => {
    client.version = 0;
    assert.throws(() => client.send("goodbye", 0, {}), /other side speaks version 0/);
    return Promise.resolve();
  }));

Deno.test("many small messages of one turn share a write", async () => {
  const [a, b] = await sockets("unix");
  const inner = connStream(a);
  const writes: number[] = [];
  const counting = {
    ...inner,
    write: (bytes: Uint8Array) => (writes.push(bytes.length), inner.write(bytes)),
  };
  await using client = new Link(counting, agentMessages, { side: "client" });
  await using _agent = new Link(connStream(b), agentMessages, { side: "agent" });
  await Promise.all(Array.from({ length: 100 }, () => client.send("goodbye", 0, {})));
  assert.deepEqual(writes, [1200]);
});

Deno.test("frames nobody takes stop the reading, and all come once they are taken", () =>
  withLinks(async ({ client, agent }) => {
    const count = 20_000;
    const sent = Promise.all(
      Array.from({ length: count }, (_, i) => agent.send("notice", i, { level: 0, text: "x".repeat(1000) })),
    );
    let next = 0;
    for await (const frame of client.received()) {
      assert.equal(frame.id, next++);
      if (next === count) break;
    }
    await sent;
  }));

Deno.test("close is clean on this side, and the other side learns that the peer closed", async () => {
  const { client, agent } = await links();
  client.close();
  assert.equal(await client.closed, null);
  assert.match((await agent.closed)?.message ?? "", /the other side closed it/);
  for await (const _ of agent.received()) assert.fail("no frame came");
});

Deno.test("when the link ends everything that waits rejects, and whatever comes later too", async () => {
  const { client, agent } = await links();
  const channel = client.openChannel(client.nextId());
  const waiting = [
    client.request("subscribe", nothing),
    channel.read(),
    channel.write(new Uint8Array(1 << 20)),
    channel.closeWrite(),
  ];
  agent.close(new LinkError("this session is over"));
  assert.equal((await agent.closed)?.message, "this session is over");
  for (const one of waiting) await assert.rejects(one, LinkError);
  await assert.rejects(client.send("goodbye", 0, {}), LinkError);
  await assert.rejects(client.request("subscribe", nothing), LinkError);
  await assert.rejects(client.openChannel(99).read(), LinkError);
});

const malformed: Record<string, [string, RegExp]> = {
  "a message over the limit": ["010010002000000001000000", /1048577 bytes are over the limit/],
  "a kind nobody knows": ["00000000ff00000001000000", /kind 255/],
  "an unknown flag": ["000000002000100001000000", /unknown flags 16/],
  "a stream cut inside a frame": ["05000000200000000100000061", /13 bytes into a frame/],
};
for (const [what, [hex, expected]] of Object.entries(malformed)) {
  Deno.test(`${what} ends the link with a sentence`, async () => {
    const [a, b] = await sockets("tcp");
    await using agent = new Link(connStream(a), agentMessages, { side: "agent" });
    await connStream(b).write(Uint8Array.fromHex(hex));
    if (what.includes("cut")) b.close();
    assert.match((await agent.closed)?.message ?? "", expected);
    if (!what.includes("cut")) b.close();
  });
}

Deno.test("a malformed failure ends the link, not the program", async () => {
  const [a, b] = await sockets("tcp");
  const client = new Link(connStream(a), agentMessages, { side: "client" });
  const asked = client.request("subscribe", nothing);
  await connStream(b).write(Uint8Array.fromHex("010000002000020001000000ff"));
  await assert.rejects(asked, LinkError);
  assert.match((await client.closed)?.message ?? "", /kind 7: field "errno" needs 4 bytes/);
  b.close();
});

Deno.test("a peer that takes no bytes and sends none is lost after the limit", async () => {
  const [a, blackHole] = await sockets("tcp");
  const client = new Link(connStream(a), agentMessages, {
    side: "client",
    heartbeat: { intervalMs: 20, limitMs: 200 },
  });
  const stuck = client.send("env", 1, new Uint8Array(1 << 20));
  assert.match((await client.closed)?.message ?? "", /silent for 200 ms/);
  await stuck.catch(() => {}); // the kernel's buffers may have taken it
  blackHole.close();
});

Deno.test("an idle peer that answers pings is not lost", async () => {
  const [a, b] = await sockets("unix");
  const inner = connStream(a);
  const limitMs = 300;
  const started = performance.now();
  const longAfter = Promise.withResolvers<"alive">();
  const watched = {
    ...inner,
    read: (into: Uint8Array) => {
      if (performance.now() - started > 2 * limitMs) longAfter.resolve("alive");
      return inner.read(into);
    },
  };
  await using client = new Link(watched, agentMessages, {
    side: "client",
    heartbeat: { intervalMs: 20, limitMs },
  });
  await using _agent = new Link(connStream(b), agentMessages, { side: "agent" });
  assert.equal(await Promise.race([client.closed, longAfter.promise]), "alive");
});
