// Outgoing connections where the kernel holds no connect: the real session with Darwin's sockets, a layer and
// an agent of the test's own that speak real frames. Run by tests/layer/darwin_session_test.ts, which puts
// darwin_platform.ts in place; by itself it would meet Linux's gates.

import assert from "node:assert/strict";
import {
  type Address,
  connStream,
  decode,
  E,
  layerMessages,
  Link,
  tableHash,
} from "../../protocol-wasm/mod.ts";
import { dialTcp, type Socket } from "../../core/net/linux/socket.ts";
import { unwatched } from "../../core/net/linux/poll.ts";
import { deadline } from "./deadline.ts";
import { OutgoingStage } from "./outgoing_stage.ts";

const remote: Address = { address: "10.1.2.99", port: 5432 };
const noSource: Address = { address: "", port: 0 };
const nothing = new Uint8Array();
const text = (bytes: Uint8Array | null): string => new TextDecoder().decode(bytes ?? nothing);
const bytes = (words: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(words);

let lastProcess = 0n;

async function openLayer(stage: OutgoingStage): Promise<Link<typeof layerMessages>> {
  const conn = await Deno.connect({ transport: "unix", path: stage.session.socketPath });
  const layer = new Link(connStream(conn), layerMessages, { side: "client" });
  const process = ++lastProcess;
  await layer.request("hello", {
    tables: tableHash(layerMessages),
    process,
    pid: Deno.pid,
    parent: 0,
    executable: bytes("/bin/app"),
  });
  return layer;
}

type Layer = Awaited<ReturnType<typeof openLayer>>;

async function connect(layer: Layer, to = remote): Promise<{ connection: number; endpoint: Address }> {
  const [reply] = await layer.request("connect", { address: to, source: noSource });
  const answer = decode(layerMessages.connectReply, reply?.body ?? nothing);
  assert.equal(answer.remote, true);
  return answer;
}

async function outcome(layer: Layer, connection: number): Promise<{ errno: number; peer: Address }> {
  const [reply] = await layer.request("outcome", { connection });
  return decode(layerMessages.outcomeReply, reply?.body ?? nothing);
}

async function dial({ address: hostname, port }: Address): Promise<{ conn: Deno.TcpConn; local: Address }> {
  const conn = await Deno.connect({ hostname, port });
  return { conn, local: { address: conn.localAddr.hostname, port: conn.localAddr.port } };
}

Deno.test("the outcome is answered when the target's connect has ended, and what is dialled then is carried", async () => {
  const going = Promise.withResolvers<number>();
  await using stage = await OutgoingStage.create({ decide: () => going.promise });
  await using layer = await openLayer(stage);
  const { connection, endpoint } = await connect(layer);
  let isAnswered = false;
  const asked = outcome(layer, connection).finally(() => isAnswered = true);
  await stage.heard();
  // Another process's question is answered meanwhile: the first one is not, however long that takes.
  await using other = await openLayer(stage);
  assert.equal((await outcome(other, 4711)).errno, E.EIO);
  assert.equal(isAnswered, false);
  going.resolve(0);
  assert.deepEqual(await asked, { errno: 0, local: { address: "10.1.2.3", port: 40000 }, peer: remote });
  const { conn, local } = await dial(endpoint);
  await layer.send("dialled", layer.nextId(), { connection, local });
  const { channel } = await stage.made();
  await conn.write(bytes("to the target"));
  await conn.closeWrite();
  assert.equal(text(await channel.read()), "to the target");
  assert.equal(await channel.read(), null);
  await channel.write(bytes("from there"));
  await channel.closeWrite();
  assert.equal(await new Response(conn.readable).text(), "from there");
});

Deno.test("a socket that is named before it comes is carried as well, and one that nobody names is not", async () => {
  await using stage = await OutgoingStage.create();
  await using layer = await openLayer(stage);
  const { connection, endpoint } = await connect(layer);
  assert.equal((await outcome(layer, connection)).errno, 0);
  const { channel } = await stage.made();
  const stranger = await dial(endpoint);
  await stranger.conn.write(bytes("let me in"));
  // A free port that the app's socket is bound to before it connects.
  const conn = await namedDial(endpoint, async (local) => {
    await layer.send("dialled", layer.nextId(), { connection, local });
    await outcome(layer, connection); // it has been heard
  });
  await conn.write(bytes("mine"));
  assert.equal(text(await channel.read()), "mine");
  conn.close();
  assert.equal(await channel.read(), null);
  stranger.conn.close();
  await unwatched();
});

/** Connects from a port that is told before. */
async function namedDial(destination: Address, tell: (local: Address) => Promise<void>): Promise<Socket> {
  const listener = Deno.listen({ hostname: destination.address, port: 0 });
  const source = { address: destination.address, port: listener.addr.port };
  listener.close();
  await tell(source);
  return await dialTcp({ destination, source });
}

Deno.test("a connect that fails has the target's errno, and nothing is dialled", async () => {
  await using stage = await OutgoingStage.create({ decide: () => E.EHOSTUNREACH });
  await using layer = await openLayer(stage);
  const { connection } = await connect(layer);
  assert.equal((await outcome(layer, connection)).errno, E.EHOSTUNREACH);
  assert.equal((await outcome(layer, connection)).errno, E.EHOSTUNREACH);
});

Deno.test("a connect that the app gives up is given up in the target", async () => {
  const going = Promise.withResolvers<number>();
  await using stage = await OutgoingStage.create({ decide: () => going.promise });
  await using layer = await openLayer(stage);
  await using other = await openLayer(stage);
  const { connection } = await connect(layer);
  const asked = outcome(other, connection);
  await stage.heard();
  await layer.send("abandoned", layer.nextId(), { connection });
  await stage.givenUp();
  assert.equal((await asked).errno, E.EIO);
  going.resolve(0);
});

Deno.test("bytes that the app sent before it ended arrive, then its end", async () => {
  await using stage = await OutgoingStage.create();
  await using layer = await openLayer(stage);
  const { connection, endpoint } = await connect(layer);
  await outcome(layer, connection);
  const { channel } = await stage.made();
  const { conn, local } = await dial(endpoint);
  const sent = new Uint8Array(1 << 20).map((_, at) => at * 31);
  const writing = (async () => {
    for (let at = 0; at < sent.length;) at += await conn.write(sent.subarray(at));
    conn.close();
  })();
  await layer.send("dialled", layer.nextId(), { connection, local });
  const got: Uint8Array[] = [];
  for (let piece = await channel.read(); piece !== null; piece = await channel.read()) {
    got.push(piece.slice());
  }
  await writing;
  assert.deepEqual(new Uint8Array(await new Blob(got as BlobPart[]).arrayBuffer()), sent);
});

Deno.test("datagrams go to the target and back, those of strangers do not", async () => {
  await using stage = await OutgoingStage.create();
  await using layer = await openLayer(stage);
  const app = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
  const stranger = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
  const { port } = app.addr as Deno.NetAddr;
  const [reply] = await layer.request("associate", {
    address: { address: "10.1.2.53", port: 53 },
    local: { address: "0.0.0.0", port },
  });
  const { remote: isRemote, connection, endpoint } = decode(
    layerMessages.associateReply,
    reply?.body ?? nothing,
  );
  assert.equal(isRemote, true);
  const to = { transport: "udp", hostname: endpoint.address, port: endpoint.port } as const;
  await stranger.send(bytes("mine"), to);
  for (const word of ["one", "two"]) {
    await app.send(bytes(word), to);
    const [answer, from] = await deadline(app.receive(), "a datagram comes back");
    assert.equal(text(answer), word);
    assert.equal((from as Deno.NetAddr).port, endpoint.port);
  }
  app.close();
  stranger.close();
  await layer.send("abandoned", layer.nextId(), { connection });
  await stage.associationsEnd();
});
