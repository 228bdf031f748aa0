// Connections of a link over real sockets: bytes both ways under credit, half-close, reset, and that one
// stalled connection does not block the others.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import type { ByteChannel } from "./channel.ts";
import { decode } from "../messages/codec.ts";
import { agentMessages } from "../messages/agent_messages.ts";
import { Link, LinkError, RemoteError } from "./link.ts";
import { links, sockets } from "../../tests/support/link_pair.ts";
import { connStream } from "./stream.ts";

const firstWindow = 1 << 18;
const incoming = {
  port: 80,
  peer: { address: "10.0.0.9", port: 1234 },
  local: { address: "10.0.0.1", port: 80 },
  http: false,
};

/**
 * Writes `total` bytes that differ with `seed`, in pieces of many lengths, and half-closes; answers their
 * hash.
 */
async function produce(channel: ByteChannel, total: number, seed: number): Promise<string> {
  const hash = createHash("sha256");
  const source = new Uint8Array(200_000).map((_, i) => (i * 7 + seed * 13) ^ (i >> 8));
  for (let sent = 0, turn = seed; sent < total; turn++) {
    const length = Math.min(total - sent, 1 + (turn * 7919) % 150_000);
    const piece = source.slice(turn % 1000, (turn % 1000) + length);
    hash.update(piece);
    await channel.write(piece);
    piece.fill(0); // it is the writer's again
    sent += length;
  }
  await channel.closeWrite();
  return hash.digest("hex");
}

async function consume(channel: ByteChannel): Promise<string> {
  const hash = createHash("sha256");
  for (let bytes = await channel.read(); bytes !== null; bytes = await channel.read()) hash.update(bytes);
  return hash.digest("hex");
}

Deno.test("100 connections carry their bytes both ways unchanged while one of them stalls", async () => {
  await using peers = await links({ transport: "tcp" });
  const ids = Array.from({ length: 100 }, () => peers.agent.nextId());
  const [stalledId] = ids.splice(50, 1);
  assert.ok(stalledId !== undefined);
  const ours = peers.agent.openChannel(stalledId);
  const theirs = peers.client.openChannel(stalledId);
  let takenUp = 0;
  const stalled = (async () => {
    for (let i = 0; i < 64; i++) {
      await ours.write(new Uint8Array(1 << 14).fill(i));
      takenUp += 1 << 14;
    }
    await ours.closeWrite();
  })();

  await Promise.all(ids.map(async (id, index) => {
    const [near, far] = [peers.agent.openChannel(id), peers.client.openChannel(id)];
    const [sentUp, sentDown, gotUp, gotDown] = await Promise.all([
      produce(near, 600_000, index),
      produce(far, 400_000, index + 1000),
      consume(far),
      consume(near),
    ]);
    assert.deepEqual([gotUp, gotDown], [sentUp, sentDown]);
  }));

  assert.equal(takenUp, firstWindow);
  let total = 0;
  for (let bytes = await theirs.read(); bytes !== null; bytes = await theirs.read()) total += bytes.length;
  await stalled;
  assert.equal(total, 64 << 14);
});

Deno.test("a message passes while a connection is being filled", async () => {
  await using peers = await links();
  const id = peers.agent.nextId();
  const writer = peers.agent.openChannel(id);
  const reader = peers.client.openChannel(id);
  let full = true;
  const pump = (async () => {
    while (full) await writer.write(new Uint8Array(1 << 20));
    await writer.closeWrite();
  })();
  const drained = (async () => {
    while (await reader.read() !== null);
  })();
  for (let i = 0; i < 20; i++) {
    const asked = peers.client.request("unsubscribe", { port: i });
    await peers.agent.reply(await peers.nextOf(peers.agent), "unsubscribe", { port: i });
    await asked;
  }
  full = false;
  await Promise.all([pump, drained]);
});

Deno.test("a half-close lets the other way go on", async () => {
  await using peers = await links();
  const id = peers.agent.nextId();
  const [near, far] = [peers.agent.openChannel(id), peers.client.openChannel(id)];
  await near.write(Uint8Array.of(1, 2, 3));
  await near.closeWrite();
  assert.deepEqual(await far.read(), Uint8Array.of(1, 2, 3));
  assert.equal(await far.read(), null);
  assert.equal(await far.read(), null);
  await assert.rejects(near.write(Uint8Array.of(9)), (error: RemoteError) => error.errno === 32);
  await far.write(Uint8Array.of(4));
  assert.deepEqual(await near.read(), Uint8Array.of(4));
  await far.closeWrite();
  assert.equal(await near.read(), null);
  near.reset();
  await far.closeWrite();
});

Deno.test("a reset rejects both sides' reads and writes, and frames still in flight are dropped", async () => {
  await using peers = await links();
  const id = peers.agent.nextId();
  const [near, far] = [peers.agent.openChannel(id), peers.client.openChannel(id)];
  const full = far.write(new Uint8Array(2 * firstWindow));
  const waiting = far.read();
  near.reset();
  near.reset();
  for (const one of [full, waiting, near.read(), near.write(Uint8Array.of(1)), near.closeWrite()]) {
    await assert.rejects(one, (error) => error instanceof RemoteError && error.errno === 104);
  }
  const asked = peers.client.request("unsubscribe", { port: 1 });
  await peers.agent.reply(await peers.nextOf(peers.agent), "unsubscribe", { port: 1 });
  await asked;
});

Deno.test("what came before the peer's reset is still read, its half-close too", async () => {
  await using peers = await links();
  for (const halfClosed of [false, true]) {
    const id = peers.agent.nextId();
    const [near, far] = [peers.agent.openChannel(id), peers.client.openChannel(id)];
    await near.write(Uint8Array.of(1, 2));
    await near.write(Uint8Array.of(3));
    if (halfClosed) await near.closeWrite();
    near.reset();
    await peers.agent.request("ping", {}); // all of it has arrived
    assert.equal(far.unread, 3);
    assert.deepEqual(await far.read(), Uint8Array.of(1, 2));
    assert.deepEqual(await far.read(), Uint8Array.of(3));
    assert.equal(far.unread, 0);
    if (halfClosed) assert.equal(await far.read(), null);
    else await assert.rejects(far.read(), RemoteError);
    await assert.rejects(far.write(Uint8Array.of(4)), RemoteError);
  }
});

Deno.test("data right behind the frame that opens a connection is not lost", async () => {
  await using peers = await links();
  const id = peers.agent.nextId();
  const near = peers.agent.openChannel(id);
  const asked = peers.agent.request("incoming", incoming, { id });
  const sent = produce(near, 100_000, 1);
  const frame = await peers.nextOf(peers.client);
  assert.deepEqual(decode(agentMessages.incoming, frame.body), incoming);
  await sent; // all of it is in the client's window before anybody asks for the channel
  const far = peers.client.openChannel(frame.id);
  await peers.client.reply(frame, "incoming", incoming);
  assert.equal(await consume(far), await sent);
  assert.equal((await asked).length, 1);
});

Deno.test("a refused connection ends on both sides and its data is dropped", async () => {
  await using peers = await links();
  const id = peers.agent.nextId();
  const near = peers.agent.openChannel(id);
  const asked = peers.agent.request("incoming", incoming, { id });
  await near.write(new Uint8Array(1000));
  await peers.client.fail(await peers.nextOf(peers.client), 111, "nobody listens");
  await assert.rejects(asked, (error) => error instanceof RemoteError && error.errno === 111);
  await assert.rejects(near.read(), RemoteError);
});

Deno.test("a connection that was reset before anybody asked for it rejects", async () => {
  await using peers = await links();
  const id = peers.agent.nextId();
  const near = peers.agent.openChannel(id);
  void peers.agent.request("incoming", incoming, { id }); // the answer is the reset
  near.reset();
  await peers.agent.send("notice", 0, { level: 0, text: "behind the reset" });
  const frame = await peers.nextOf(peers.client);
  assert.equal((await peers.nextOf(peers.client)).name, "notice");
  await assert.rejects(peers.client.openChannel(frame.id).read(), RemoteError);
});

Deno.test("a peer that sends beyond its credit loses the link", async () => {
  const [a, b] = await sockets("tcp");
  const client = new Link(connStream(a), agentMessages, { side: "client" });
  const channel = client.openChannel(2);
  const frame = new Uint8Array(12 + 65536);
  frame.set(Uint8Array.fromHex("000001000800000002000000"));
  const peer = connStream(b);
  for (let i = 0; i < 5; i++) await peer.write(frame).catch(() => {});
  assert.match((await client.closed)?.message ?? "", /over the credit of its connection/);
  await assert.rejects(channel.read(), LinkError);
  b.close();
});

Deno.test("the window of a reader that keeps up grows, and a reader that stalls then still bounds the sender", async () => {
  await using peers = await links({ transport: "tcp" });
  const id = peers.agent.nextId();
  const [near, far] = [peers.agent.openChannel(id), peers.client.openChannel(id)];
  const piece = new Uint8Array(1 << 16);
  const total = 32 << 20;
  const reading = (async () => {
    for (let read = 0; read < total;) read += (await far.read())?.length ?? total;
  })();
  for (let sent = 0; sent < total; sent += piece.length) await near.write(piece);
  await reading;
  let taken = 0;
  const flood = (async () => {
    for (;;) {
      await near.write(piece);
      taken += piece.length;
    }
  })();
  flood.catch(() => {});
  // An exchange after the flood has come to a stop: what was sent before it has arrived.
  for (let before = -1; before !== taken;) {
    before = taken;
    for (let turn = 0; turn < 8; turn++) {
      const ping = peers.agent.request("ping", {});
      await ping;
    }
  }
  assert.ok(taken > firstWindow && taken <= 16 * firstWindow, `${taken} bytes`);
});

Deno.test("a window of single bytes that nobody reads is kept in a few blocks", async () => {
  const [a, b] = await sockets("unix");
  await using client = new Link(connStream(a), agentMessages, { side: "client" });
  const channel = client.openChannel(2);
  const frames = new Uint8Array(13 * firstWindow);
  const header = Uint8Array.fromHex("010000000800000002000000");
  for (let i = 0; i < firstWindow; i++) {
    frames.set(header, 13 * i);
    frames[13 * i + 12] = i;
  }
  const peer = connStream(b);
  await peer.write(frames);
  await peer.write(Uint8Array.fromHex("000000000800010002000000" + "000000000500000000000000"));
  for await (const frame of client.received()) {
    assert.equal(frame.name, "goodbye"); // so all of the data is here
    break;
  }
  let pieces = 0;
  let total = 0;
  for (let bytes = await channel.read(); bytes !== null; bytes = await channel.read(), pieces++) {
    assert.ok(bytes.every((byte, i) => byte === ((total + i) & 255)));
    total += bytes.length;
  }
  assert.equal(total, firstWindow);
  assert.ok(pieces < 50, `${pieces} pieces`);
  b.close();
});
