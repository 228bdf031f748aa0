// Forwards between real sockets and a fake agent that sends real frames: what it is asked, and what clients
// see.

import assert from "node:assert/strict";
import { deadline } from "../../../tests/support/deadline.ts";
import { type AgentPair, agentPair } from "../../../tests/support/fake_agent.ts";
import { agentMessages, decode, packAddresses, type Received } from "../../../protocol-wasm/mod.ts";
import { SessionError } from "../../base/errors.ts";
import type { SessionEvent } from "../events.ts";
import { type IncomingRules, noPorts } from "../incoming_rules.ts";
import { Forwarder } from "./forwarder.ts";
import type { Forwarding } from "./forwarding.ts";
import { readLocal, readRemote } from "./written.ts";

const stealing: IncomingRules = { ...noPorts, ports: null, heartbeatMs: 2000 };
const never = new AbortController().signal;
const text = (bytes: Uint8Array | null) => bytes === null ? null : new TextDecoder().decode(bytes);
const bytesOf = (written: string) => new TextEncoder().encode(written);

interface Stage extends AsyncDisposable {
  pair: AgentPair;
  forwarder: Forwarder;
  forwarding: Forwarding;
  events: SessionEvent[];
  /** Ports of this machine, in the order of `-L`. */
  ports: number[];
}

async function open(locals: string[]): Promise<Stage> {
  const events: SessionEvent[] = [];
  const pair = await agentPair();
  const forwards = { locals: locals.map(readLocal), remotes: [] };
  const forwarder = new Forwarder(forwards, { emit: (event) => events.push(event) });
  const forwarding = await forwarder.use(pair.client, null);
  forwarder.announce();
  const ports = events.flatMap((event) =>
    event.type === "forwarding" ? [Number(/\d+$/.exec(event.from)?.[0])] : []
  );
  return {
    pair,
    forwarder,
    forwarding,
    events,
    ports,
    async [Symbol.asyncDispose]() {
      await forwarding[Symbol.asyncDispose]();
      await pair[Symbol.asyncDispose]();
      await forwarder[Symbol.asyncDispose]();
    },
  };
}

/** The agent has delivered all that it got, whenever it is asked. */
async function answersUnsent(pair: AgentPair): Promise<void> {
  try {
    for (;;) {
      const { id, name } = await pair.expect("unsent");
      await pair.agent.reply({ id, name }, "unsentReply", { peer: { address: "", port: 0 }, bytes: 0n });
    }
  } catch {
    // The link has ended.
  }
}

/** The agent connects, as asked for `port` of 10.0.0.7. */
async function agrees({ pair }: { pair: AgentPair }): Promise<ReturnType<AgentPair["agent"]["openChannel"]>> {
  const frame = await pair.expect("connect");
  const { remote } = decode(agentMessages.connect, frame.body);
  const channel = pair.agent.openChannel(frame.id);
  await pair.agent.reply(frame, "connectReply", { local: { address: "10.0.0.1", port: 1 }, peer: remote });
  return channel;
}

/** Sends one datagram. */
async function sends(conn: Deno.DatagramConn, written: string, port: number): Promise<void> {
  await conn.send(bytesOf(written), { transport: "udp", hostname: "127.0.0.1", port });
}

async function dial(port: number): Promise<Deno.TcpConn> {
  return await Deno.connect({ hostname: "127.0.0.1", port });
}

/** All that comes until the end; throws when that is a reset. */
async function everything(conn: Deno.TcpConn): Promise<string> {
  return await deadline(new Response(conn.readable).text(), "the forward's end");
}

async function isReset(conn: Deno.TcpConn): Promise<void> {
  await assert.rejects(everything(conn), Deno.errors.ConnectionReset);
}

async function found(
  pair: AgentPair,
  addresses: string[],
  ending = 0,
): Promise<Received<typeof agentMessages>> {
  const frame = await pair.expect("lookup");
  const answer = { ending, name: "", aliases: "", addresses: packAddresses(addresses) };
  await pair.agent.reply(frame, "lookupReply", answer);
  return frame;
}

Deno.test("the target looks a name up for each connection, and its addresses are tried in turn", async () => {
  await using stage = await open(["0:db.shop:5432"]);
  const { pair, ports: [port = 0] } = stage;
  for (const refused of [1, 0]) {
    const conn = await dial(port);
    const asked = decode(
      agentMessages.lookup,
      (await found(pair, ["fd00::7", "10.0.0.7"].slice(1 - refused))).body,
    );
    assert.deepEqual([asked.name, asked.family], ["db.shop", 0]);
    if (refused === 1) {
      const first = await pair.expect("connect");
      assert.deepEqual(decode(agentMessages.connect, first.body).remote, { address: "fd00::7", port: 5432 });
      await pair.agent.fail(first, 101, "connect: ENETUNREACH");
    }
    const channel = await agrees(stage);
    await conn.write(bytesOf("ping"));
    assert.equal(text(await channel.read()), "ping");
    await conn.closeWrite();
    assert.equal(await channel.read(), null);
    await channel.write(bytesOf("pong"));
    await channel.closeWrite();
    assert.equal(await everything(conn), "pong");
  }
});

Deno.test("a connection that the target cannot make is reset, which is news once", async () => {
  await using stage = await open(["0:10.0.0.7:80", "0:nobody:80"]);
  const { pair, events, ports: [first = 0, second = 0] } = stage;
  for (let count = 0; count < 2; count++) {
    const conn = await dial(first);
    await pair.agent.fail(await pair.expect("connect"), 111, "connect: ECONNREFUSED");
    await isReset(conn);
  }
  const conn = await dial(second);
  await found(pair, [], 1);
  await isReset(conn);
  assert.deepEqual(
    events.flatMap((event) => event.type === "forwardFailed" ? [[event.to, event.reason, event.isNews]] : []),
    [
      ["10.0.0.7:80", "the connection is refused", true],
      ["10.0.0.7:80", "the connection is refused", false],
      ["nobody:80", "the target knows no such name (nobody)", true],
    ],
  );
});

Deno.test("when the agent is lost connections are reset, the port stays, and the next agent serves it", async () => {
  await using stage = await open(["0:10.0.0.7:80"]);
  const { ports: [port = 0], forwarding, forwarder, pair } = stage;
  const conn = await dial(port);
  const channel = await agrees(stage);
  await channel.write(bytesOf("half of an ans"));
  pair.agent.close();
  await isReset(conn);
  const loss = await forwarding.lost;
  assert.deepEqual([loss.connections, loss.isFinal], [1, false]);
  const early = await dial(port); // waits for the next agent
  await using next = await agentPair();
  await using again = await forwarder.use(next.client, null);
  const second = await agrees({ pair: next });
  await second.write(bytesOf("whole"));
  await second.closeWrite();
  assert.equal(await everything(early), "whole");
  assert.equal(again === forwarding, false);
});

Deno.test("the end delivers what ended connections sent, and resets the others", async () => {
  await using stage = await open(["0:10.0.0.7:80"]);
  const { ports: [port = 0], forwarding, forwarder, pair } = stage;
  const live = await dial(port);
  const liveChannel = await agrees(stage);
  await live.write(bytesOf("x"));
  assert.equal(text(await liveChannel.read()), "x");
  const sender = await dial(port);
  const frame = await pair.expect("connect"); // the agent has not connected yet
  // More than the forward's own socket holds, so that the end of stream waits in the kernel behind it.
  const sent = "last words ".repeat(50_000);
  for (let at = 0; at < sent.length;) at += await sender.write(bytesOf(sent.slice(at)));
  sender.close();
  const last = await dial(port); // it may wait in the listener's queue when that is closed
  await last.write(bytesOf("at last"));
  last.close();
  await forwarder.close();
  const behind = await agrees(stage);
  const delivered = forwarding.deliver({ limitMs: 60_000, giveUp: never, asked: () => false });
  await isReset(live);
  await assert.rejects(liveChannel.read());
  void answersUnsent(pair);
  const channel = pair.agent.openChannel(frame.id);
  await pair.agent.reply(frame, "connectReply", {
    local: { address: "10.0.0.1", port: 1 },
    peer: { address: "10.0.0.7", port: 80 },
  });
  let got = "";
  for (let bytes = await channel.read(); bytes !== null; bytes = await channel.read()) got += text(bytes);
  assert.equal(got.length, sent.length);
  assert.equal(text(await behind.read()), "at last");
  assert.equal(await behind.read(), null);
  for (const one of [channel, behind]) await one.closeWrite();
  await deadline(delivered, "all is delivered");
  await assert.rejects(dial(port), Deno.errors.ConnectionRefused);
});

Deno.test("at the end a client that waits for its answer is reset, and the target keeps what it got", async () => {
  await using stage = await open(["0:10.0.0.7:80"]);
  const { ports: [port = 0], forwarding, forwarder, pair } = stage;
  const client = await dial(port);
  const channel = await agrees(stage);
  await client.write(bytesOf("question"));
  await client.closeWrite();
  assert.equal(text(await channel.read()), "question");
  assert.equal(await channel.read(), null);
  await forwarder.close();
  void answersUnsent(pair);
  await forwarding.deliver({ limitMs: 60_000, giveUp: never, asked: () => false });
  await forwarding[Symbol.asyncDispose]();
  await isReset(client);
  await channel.write(bytesOf("answer")); // nobody has reset this side
});

Deno.test("a client that has just connected counts at the end", async () => {
  await using stage = await open(["0:10.0.0.7:80"]);
  const { ports: [port = 0], forwarding, forwarder, pair } = stage;
  const client = await dial(port);
  await client.write(bytesOf("x"));
  client.close();
  await forwarder.close();
  const delivered = forwarding.deliver({ limitMs: 60_000, giveUp: never, asked: () => false });
  let isOver = false;
  void delivered.then(() => isOver = true);
  const channel = await agrees(stage);
  assert.equal(text(await channel.read()), "x");
  assert.equal(isOver, false);
  void answersUnsent(pair);
  assert.equal(await channel.read(), null);
  await channel.closeWrite();
  await deadline(delivered, "all is delivered");
});

Deno.test("a client that goes on sending is reset after a time, and named", async () => {
  await using stage = await open(["0:10.0.0.7:80"]);
  const { ports: [port = 0], forwarding, forwarder, pair } = stage;
  const client = await dial(port);
  const sending = (async () => {
    for (;;) await client.write(new Uint8Array(65536));
  })();
  const failed = assert.rejects(sending);
  const channel = await agrees(stage);
  const reading = assert.rejects((async () => {
    for (;;) await channel.read();
  })());
  await forwarder.close();
  const delivered = forwarding.deliver({ limitMs: 300, giveUp: never, asked: () => false });
  void answersUnsent(pair);
  await assert.rejects(delivered, /some sent for longer than 0\.3 s, to 10\.0\.0\.7:80/);
  await deadline(Promise.all([failed, reading]), "both sides see the reset");
  client.close();
});

Deno.test("each client of a UDP port has a socket in the target, and gets its own answers", async () => {
  await using stage = await open(["0:dns:53/udp"]);
  const { pair, ports: [port = 0] } = stage;
  const clients = [1, 2].map(() => Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 }));
  const channels = [];
  for (const [index, client] of clients.entries()) {
    for (const number of [1, 2]) {
      await sends(client, `question ${index} ${number}`, port);
    }
    await found(pair, ["10.96.0.10"]);
    const frame = await pair.expect("associate");
    const { remote } = decode(agentMessages.associate, frame.body);
    assert.deepEqual(remote, { address: "10.96.0.10", port: 53 });
    channels.push(pair.agent.openChannel(frame.id));
    await pair.agent.reply(frame, "associateReply", { local: remote, peer: remote });
  }
  for (const [index, channel] of channels.entries()) {
    let framed = "";
    while (framed.length < 2 * 14) framed += text(await channel.read());
    assert.equal(framed, `\f\0question ${index} 1\f\0question ${index} 2`);
    await channel.write(Uint8Array.from([8, 0, ...bytesOf(`answer ${index}`)]));
  }
  for (const [index, client] of clients.entries()) {
    const [answer, from] = await client.receive();
    assert.equal(text(answer), `answer ${index}`);
    assert.equal((from as Deno.NetAddr).port, port);
    client.close();
  }
});

Deno.test("the end delivers datagrams that had come", async () => {
  await using stage = await open(["0:10.0.0.7:514/udp"]);
  const { pair, forwarder, forwarding, ports: [port = 0] } = stage;
  const client = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
  for (const number of [1, 2, 3]) await sends(client, `log line ${number}`, port);
  client.close();
  await forwarder.close();
  const delivered = forwarding.deliver({ limitMs: 60_000, giveUp: never, asked: () => false });
  const frame = await pair.expect("associate");
  const { remote } = decode(agentMessages.associate, frame.body);
  const channel = pair.agent.openChannel(frame.id);
  await pair.agent.reply(frame, "associateReply", { local: remote, peer: remote });
  void answersUnsent(pair);
  let framed = "";
  for (let bytes = await channel.read(); bytes !== null; bytes = await channel.read()) framed += text(bytes);
  assert.equal(framed, [1, 2, 3].map((number) => `\n\0log line ${number}`).join(""));
  await deadline(delivered, "all is delivered");
});

Deno.test("a port that is taken is one error, and the others are not open either", () => {
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const free = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = free.addr;
  free.close();
  for (const suffix of ["", "/udp"]) {
    const udp = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: taken.addr.port });
    const locals = [`${port}:db:1${suffix}`, `${taken.addr.port}:db:1${suffix}`].map(readLocal);
    assert.throws(
      () => new Forwarder({ locals, remotes: [] }, { emit: () => {} }),
      /Cannot listen on "127.0.0.1:\d+": another program listens there/,
    );
    udp.close();
    Deno.listen({ hostname: "127.0.0.1", port }).close();
  }
});

Deno.test("a port of the target is stolen whole; what nobody here takes goes back to the original", async () => {
  const events: SessionEvent[] = [];
  await using pair = await agentPair();
  const local = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const forwards = { locals: [], remotes: [readRemote(`80:${local.addr.port}`)] };
  await using forwarder = new Forwarder(forwards, { emit: (event) => events.push(event) });
  const using = forwarder.use(pair.client, stealing);
  const reach = await pair.expect("reach");
  assert.deepEqual(decode(agentMessages.reach, reach.body), { port: 80, covered: 15, standIn: 0 });
  const subscribe = await pair.expect("subscribe");
  const body = { port: 80, mode: 1, filter: "", probes: false };
  assert.deepEqual(decode(agentMessages.subscribe, subscribe.body), body);
  await pair.agent.reply(subscribe, "subscribe", body);
  await using _forwarding = await using;
  const offer = () => {
    const id = pair.agent.nextId();
    const peer = { address: "10.0.0.7", port: 40000 };
    const facts = { port: 80, peer, local: { address: "10.0.0.9", port: 80 }, http: false };
    return { answer: pair.agent.request("incoming", facts, { id }), channel: pair.agent.openChannel(id) };
  };
  const taken = offer();
  const conn = await local.accept();
  await taken.answer;
  await taken.channel.write(bytesOf("GET"));
  const piece = new Uint8Array(3);
  assert.equal(await conn.read(piece), 3);
  await conn.write(bytesOf("200"));
  conn.close();
  assert.equal(text(await taken.channel.read()), "200");
  assert.equal(await taken.channel.read(), null);
  local.close();
  await assert.rejects(offer().answer, /nothing listens at 127.0.0.1:\d+/);
  assert.ok(events.some((event) => event.type === "forwardFailed" && event.direction === "incoming"));
});

Deno.test("a port of the target that another session has is one error", async () => {
  await using pair = await agentPair();
  const forwards = { locals: [], remotes: [readRemote("80:1")] };
  await using forwarder = new Forwarder(forwards, { emit: () => {} });
  const using = forwarder.use(pair.client, stealing);
  await pair.agent.fail(await pair.expect("subscribe"), 98, "Cannot steal port 80: ana has it");
  await assert.rejects(using, (error) => {
    assert.ok(error instanceof SessionError);
    assert.deepEqual([error.message, error.exitCode], ["Cannot steal port 80: ana has it", 75]);
    return true;
  });
});
