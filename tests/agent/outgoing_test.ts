// Outgoing connections of the agent against the real kernel: what a connect gives is what a program in the
// target's network gets, bytes and endings go both ways, and nothing is left. The other side is the test
// itself, on the namespace's host.

import assert from "node:assert/strict";
import { E } from "../../agent/sys/libc.ts";
import { DatagramParts } from "../../core/net/datagram_relay.ts";
import { listenTcp } from "../../core/net/linux/socket.ts";
import {
  type Address,
  agentMessages,
  type ByteChannel,
  decode,
  RemoteError,
} from "../../protocol-wasm/mod.ts";
import { until } from "../cluster/command.ts";
import { deadline } from "../support/deadline.ts";
import { FakeClient } from "../support/fake_client.ts";
import { command, Netns } from "../support/netns.ts";
import { Talk } from "./talk.ts";

interface Connected {
  channel: ByteChannel;
  local: Address;
  peer: Address;
}

async function open(client: FakeClient, kind: "connect" | "associate", remote: Address): Promise<Connected> {
  const id = client.link.nextId();
  const [frame] = await deadline(client.link.request(kind, { remote }, { id }), `${kind} is answered`);
  assert.ok(frame !== undefined);
  return { channel: client.link.openChannel(id), ...decode(agentMessages.connectReply, frame.body) };
}

/** Sockets of the namespace that are not listening, as ss prints them. */
async function sockets(netns: Netns, kind: "t" | "u"): Promise<string[]> {
  const lines = await netns.run(["ss", `-Hn${kind}`, "state", "all"]);
  return lines.split("\n").filter((line) => line !== "" && !/^(LISTEN|TIME-WAIT|UNCONN)/.test(line));
}

async function noSockets(netns: Netns, kind: "t" | "u"): Promise<void> {
  await until("the agent's sockets are gone", async () => {
    const left = await sockets(netns, kind);
    return left.length === 0 || left.join("\n");
  }, 20);
}

for (const family of ["ipv4", "ipv6"] as const) {
  const host = family === "ipv4" ? "hostIpv4" : "hostIpv6";

  Deno.test(`${family}: a connection comes from the target's address, with bytes and half-closes both ways`, async () => {
    await using netns = await Netns.create();
    await using client = await FakeClient.start(netns);
    using listener = Deno.listen({ hostname: netns[host], port: 0 });
    const remote = { address: netns[host], port: listener.addr.port };
    const { channel, local, peer } = await open(client, "connect", remote);
    const conn = await listener.accept();
    using server = new Talk(conn);
    const from = conn.remoteAddr as Deno.NetAddr;
    assert.deepEqual(local, { address: netns[family], port: from.port });
    assert.equal(from.hostname, netns[family]);
    assert.deepEqual(peer, remote);
    const app = new Talk(channel);
    await app.say("question");
    await app.closeWrite();
    assert.deepEqual(await server.rest(), { heard: "question", reset: false });
    await server.say("answer");
    await server.closeWrite();
    assert.deepEqual(await app.rest(), { heard: "answer", reset: false });
    await noSockets(netns, "t");
  });

  Deno.test(`${family}: resets go both ways`, async () => {
    await using netns = await Netns.create();
    await using client = await FakeClient.start(netns);
    const listener = listenTcp({ address: netns[host], port: 0 });
    try {
      const first = await open(client, "connect", listener.address);
      const [reset, resets] = [await listener.accept(), await open(client, "connect", listener.address)];
      assert.ok(reset !== null);
      first.channel.reset();
      assert.deepEqual(await new Talk(reset).rest(), { heard: "", reset: true });
      reset.close();
      (await listener.accept())?.reset();
      assert.deepEqual(await new Talk(resets.channel).rest(), { heard: "", reset: true });
    } finally {
      listener.close();
    }
    await noSockets(netns, "t");
  });
}

/** What a program in the namespace gets of a connect: the errno. */
async function errnoThere(netns: Netns, { address, port }: Address): Promise<number> {
  const family = address.includes(":") ? "AF_INET6" : "AF_INET";
  const program = `import socket; print(socket.socket(socket.${family}).connect_ex((${
    JSON.stringify(address)
  }, ${port})))`;
  return Number(await netns.run(["python3", "-c", program]));
}

Deno.test("a connect that fails gives the errno that the target's programs get", async () => {
  await using netns = await Netns.create();
  await netns.run(["ip", "route", "add", "unreachable", "192.0.2.0/24"]);
  await netns.run(["ip", "route", "add", "prohibit", "198.51.100.0/24"]);
  await netns.run(["ip", "route", "add", "203.0.113.0/24", "via", netns.hostIpv4]);
  await netns.run(["sh", "-c", "echo 1 >/proc/sys/net/ipv4/tcp_syn_retries"]);
  await silence("add");
  try {
    await using client = await FakeClient.start(netns);
    const expected: [string, number, number][] = [
      [netns.hostIpv4, 1, E.ECONNREFUSED],
      [netns.hostIpv6, 1, E.ECONNREFUSED],
      ["192.0.2.1", 80, E.EHOSTUNREACH],
      ["198.51.100.1", 80, E.EACCES],
      ["8.8.8.8", 80, E.ENETUNREACH],
      ["2001:db8::1", 80, E.ENETUNREACH],
      ["203.0.113.1", 80, E.ETIMEDOUT],
    ];
    await Promise.all(expected.map(async ([address, port, errno]) => {
      const remote = { address, port };
      assert.equal(await errnoThere(netns, remote), errno, address);
      await assert.rejects(
        open(client, "connect", remote),
        (error: unknown) => error instanceof RemoteError && error.errno === errno,
        address,
      );
    }));
  } finally {
    await silence("del");
  }
});

/** This side throws away what is for 203.0.113.0/24: a connection there gets no answer. */
async function silence(verb: "add" | "del"): Promise<void> {
  await command(["ip", "route", verb, "blackhole", "203.0.113.0/24"]);
}

Deno.test("a target without IPv6 gives its own errno for IPv6", async () => {
  await using netns = await Netns.create({ ipv6: false });
  await using client = await FakeClient.start(netns);
  const remote = { address: "2001:db8::1", port: 80 };
  const errno = await errnoThere(netns, remote);
  assert.notEqual(errno, 0);
  await assert.rejects(
    open(client, "connect", remote),
    (error: unknown) => error instanceof RemoteError && error.errno === errno,
  );
});

Deno.test("a connect that the client gives up is given up in the target", async () => {
  await using netns = await Netns.create();
  await netns.run(["ip", "route", "add", "203.0.113.0/24", "via", netns.hostIpv4]);
  await silence("add");
  try {
    await using client = await FakeClient.start(netns);
    const giveUp = new AbortController();
    const remote = { address: "203.0.113.1", port: 80 };
    const pending = client.link.request("connect", { remote }, { signal: giveUp.signal });
    await until("the agent connects", async () => (await sockets(netns, "t")).length === 1 || "not yet", 20);
    giveUp.abort(new Error("no more"));
    await assert.rejects(pending, /no more/);
    await noSockets(netns, "t");
  } finally {
    await silence("del");
  }
});

Deno.test("a connection that nobody reads stops no other, and its sender waits", async () => {
  await using netns = await Netns.create();
  await using client = await FakeClient.start(netns);
  using listener = Deno.listen({ hostname: netns.hostIpv4, port: 0 });
  const remote = { address: netns.hostIpv4, port: listener.addr.port };
  const stalled = await open(client, "connect", remote);
  using deaf = await listener.accept();
  const flood = stalled.channel.write(new Uint8Array(64 << 20)).then(() => "taken", () => "dropped");
  const other = await open(client, "connect", remote);
  using server = new Talk(await listener.accept());
  const app = new Talk(other.channel);
  for (let turn = 0; turn < 50; turn++) {
    await app.say("question ");
    await server.until("question ");
    await server.say("answer ");
    await app.until("answer ");
  }
  assert.equal(await Promise.race([flood, Promise.resolve("waits")]), "waits");
  assert.ok(deaf.remoteAddr !== null);
});

/** What the agent says that peers have not got, by peer. */
async function unsent(client: FakeClient): Promise<Map<number, number>> {
  const frames = await client.link.request("unsent", {});
  const parts = frames.map(({ body }) => decode(agentMessages.unsentReply, body));
  return new Map(
    parts.filter(({ bytes }) => bytes > 0n).map(({ peer, bytes }) => [peer.port, Number(bytes)]),
  );
}

Deno.test("what peers have not got is reported, and what they have is theirs after the goodbye", async () => {
  await using netns = await Netns.create();
  const client = await FakeClient.start(netns);
  await using _agent = client;
  using listener = Deno.listen({ hostname: netns.hostIpv4, port: 0 });
  const { port } = listener.addr;
  const { channel } = await open(client, "connect", { address: netns.hostIpv4, port });
  using server = new Talk(await listener.accept());
  assert.deepEqual([...await unsent(client)], []);
  const total = 20_000_000;
  const sent = channel.write(new Uint8Array(total)).then(() => channel.closeWrite());
  await until("something waits for the peer", async () => (await unsent(client)).has(port) || "nothing", 20);
  const drained = server.drain();
  await sent;
  await until("nothing waits for the peer", async () => {
    const left = await unsent(client);
    return left.size === 0 || JSON.stringify([...left]);
  }, 20);
  assert.equal(await client.goodbye(), 0);
  assert.equal(await drained, total);
});

Deno.test("1,000 connections at once, and none is left", async () => {
  await using netns = await Netns.create();
  await using client = await FakeClient.start(netns);
  using listener = Deno.listen({ hostname: netns.hostIpv4, port: 0 });
  const remote = { address: netns.hostIpv4, port: listener.addr.port };
  const servers: Deno.Conn[] = [];
  const accepting = (async () => {
    while (servers.length < 1000) servers.push(await listener.accept());
  })();
  const before = descriptors(client.agent.pid);
  const all = await Promise.all(Array.from({ length: 1000 }, () => open(client, "connect", remote)));
  await deadline(accepting, "all are accepted");
  assert.ok(descriptors(client.agent.pid) >= before + 1000);
  for (const [index, { channel }] of all.entries()) await channel.write(Uint8Array.of(index & 255));
  for (const server of servers) assert.equal(await server.read(new Uint8Array(9)), 1);
  for (const { channel } of all) await channel.closeWrite();
  for (const server of servers) server.close();
  await until("the agent's descriptors are back", () => {
    const now = descriptors(client.agent.pid);
    return Promise.resolve(now <= before + 2 || `${now}, ${before} before`); // epoll and its wake-up
  }, 20);
});

function descriptors(pid: number): number {
  return [...Deno.readDirSync(`/proc/${pid}/fd`)].length;
}

Deno.test("datagrams keep size and boundaries, and nobody there is no end", async () => {
  await using netns = await Netns.create();
  await using client = await FakeClient.start(netns);
  const echo = new Deno.Command("python3", { args: ["-c", udpEcho, netns.hostIpv4], stdout: "piped" })
    .spawn();
  const reader = echo.stdout.getReader();
  try {
    const { value } = await deadline(reader.read(), "the echo is bound");
    const port = Number(new TextDecoder().decode(value));
    const { channel, local } = await open(client, "associate", { address: netns.hostIpv4, port });
    assert.equal(local.address, netns.ipv4);
    const sizes = [1, 1400, 65507, 0, 9000];
    const parts = new DatagramParts();
    for (const size of sizes) {
      await channel.write(new Uint8Array([size, size >> 8, ...new Uint8Array(size)]));
      const back: number[] = [];
      while (back.length === 0) {
        const more = await deadline(channel.read(), `the echo of ${size} bytes`);
        assert.ok(more !== null);
        back.push(...parts.take(more).map((datagram) => datagram.length));
      }
      assert.deepEqual(back, [size]);
    }
    const lost = await open(client, "associate", { address: netns.hostIpv4, port: 1 });
    for (let count = 0; count < 3; count++) await lost.channel.write(Uint8Array.of(1, 0, 7));
    lost.channel.reset();
    channel.reset();
    await noSockets(netns, "u");
  } finally {
    await reader.cancel();
    echo.kill("SIGKILL");
    await echo.status;
  }
});

const udpEcho = `
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind((sys.argv[1], 0))
print(s.getsockname()[1], flush=True)
while True:
    datagram, sender = s.recvfrom(70000)
    s.sendto(datagram, sender)
`;

Deno.test("the end of the client ends its connections, under way and open", async () => {
  await using netns = await Netns.create();
  const client = await FakeClient.start(netns);
  await using _agent = client;
  using listener = Deno.listen({ hostname: netns.hostIpv4, port: 0 });
  const remote = { address: netns.hostIpv4, port: listener.addr.port };
  await open(client, "connect", remote);
  using server = new Talk(await listener.accept());
  await open(client, "associate", { address: netns.hostIpv4, port: 9 });
  assert.equal(await client.goodbye(), 0);
  assert.deepEqual(await server.rest(), { heard: "", reset: true });
  await noSockets(netns, "t");
});
