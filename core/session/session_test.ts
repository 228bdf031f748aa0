// The session between a fake agent and a fake layer that both send real frames; the app's listener is a real
// socket.

import assert from "node:assert/strict";
import { deadline } from "../../tests/support/deadline.ts";
import { type AgentPair, agentPair } from "../../tests/support/fake_agent.ts";
import {
  type Address,
  agentMessages,
  connStream,
  decode,
  layerMessages,
  Link,
  probeKinds,
  RemoteError,
  tableHash,
} from "../../protocol-wasm/mod.ts";
import { unwatched } from "../net/linux/poll.ts";
import type { SessionEvent } from "./events.ts";
import { type IncomingRules, noPorts } from "./incoming_rules.ts";
import { Session } from "./session.ts";

const stealAll: IncomingRules = {
  ...noPorts,
  ports: null,
  ignorePorts: [9229],
  portMapping: new Map([[8080, 80]]),
  filter: '{"path":"^/x"}',
  filterPorts: [81],
  declaredPorts: [80],
  probes: [{ port: 80, how: "http", filter: '{"path":"^/healthz$"}' }],
  nodeAddresses: ["10.244.0.1"],
  heartbeatMs: 2000,
};
const realClient: Address = { address: "10.244.0.7", port: 40000 };
const podAddress: Address = { address: "10.244.0.9", port: 80 };

const hello = {
  tables: tableHash(layerMessages),
  process: 1n,
  pid: 1,
  parent: 0,
  executable: new Uint8Array(),
};

let nextProcess = 2n;

interface Stage extends AsyncDisposable {
  pair: AgentPair;
  session: Session;
  layer: Link<typeof layerMessages>;
  events: SessionEvent[];
}

async function openStage(incoming: IncomingRules | null = stealAll): Promise<Stage> {
  const folder = Deno.makeTempDirSync();
  const pair = await agentPair();
  const events: SessionEvent[] = [];
  let next = Promise.withResolvers<void>();
  const session = new Session({
    agent: pair.client,
    incoming,
    socketPath: `${folder}/layer.sock`,
    emit: (event) => {
      events.push(event);
      next.resolve();
      next = Promise.withResolvers();
    },
  });
  const layer = await openLayer(session);
  const count = (type: SessionEvent["type"]) => events.filter((event) => event.type === type).length;
  return {
    pair,
    session,
    layer,
    events,
    async [Symbol.asyncDispose]() {
      layer.close();
      await session[Symbol.asyncDispose]();
      await pair[Symbol.asyncDispose]();
      // With the agent's link the connections end, each in turns of its own.
      while (count("connectionClosed") < count("connectionOpened")) await next.promise;
      await unwatched();
      Deno.removeSync(folder, { recursive: true });
    },
  };
}

async function openLayer(session: Session): Promise<Link<typeof layerMessages>> {
  const conn = await Deno.connect({ transport: "unix", path: session.socketPath });
  const layer = new Link(connStream(conn), layerMessages, { side: "client" });
  await layer.request("hello", { ...hello, process: nextProcess++ });
  return layer;
}

/** The app listens on a real socket that stands for port 80; the agent agrees. */
async function listen(
  { pair, layer }: Stage,
  asked: Address,
): Promise<{ listener: Deno.TcpListener; actual: Address }> {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const actual = { address: "127.0.0.1", port: listener.addr.port };
  const answer = layer.request("listen", { asked, actual, only6: false, anyPort: false });
  const probe = await pair.expect("probe");
  assert.deepEqual(decode(agentMessages.probe, probe.body), {
    port: 80,
    how: probeKinds.http,
    nodes: "10.244.0.1",
    filter: '{"path":"^/healthz$"}',
  });
  const frame = await pair.expect("subscribe");
  assert.deepEqual(decode(agentMessages.subscribe, frame.body), {
    port: 80,
    mode: 1,
    filter: "",
    probes: true,
  });
  await pair.agent.reply(frame, "subscribe", { port: 80, mode: 1, filter: "", probes: true });
  await answer;
  return { listener, actual };
}

function steal({ pair }: Stage): { id: number; answer: Promise<unknown> } {
  const id = pair.agent.nextId();
  return {
    id,
    answer: pair.agent.request("incoming", { port: 80, peer: realClient, local: podAddress, http: false }, {
      id,
    }),
  };
}

Deno.test("hello tells whether incoming is on and refuses another release's tables", async () => {
  await using stage = await openStage(null);
  const [reply] = await stage.layer.request("hello", hello);
  assert.equal(decode(layerMessages.helloReply, reply?.body ?? new Uint8Array()).incoming, false);
  await assert.rejects(stage.layer.request("hello", { ...hello, tables: 1 }), RemoteError);
});

Deno.test("bind is managed for ports of the pod only", async () => {
  await using stage = await openStage();
  const managed = async (port: number): Promise<boolean> => {
    const [reply] = await stage.layer.request("bind", {
      address: { address: "0.0.0.0", port },
      stream: true,
    });
    return decode(layerMessages.bindReply, reply?.body ?? new Uint8Array()).managed;
  };
  assert.deepEqual([await managed(80), await managed(8080), await managed(9229)], [true, true, false]);
});

Deno.test("a second process that asks for the same address is sent to the first one's port", async () => {
  await using stage = await openStage();
  const asked = { address: "0.0.0.0", port: 80 };
  const { listener, actual } = await listen(stage, asked);
  await using other = await openLayer(stage.session);
  const [reply] = await other.request("bind", { address: asked, stream: true });
  assert.equal(decode(layerMessages.bindReply, reply?.body ?? new Uint8Array()).suggested, actual.port);
  listener.close();
});

Deno.test("a stolen connection reaches the app with its real client and ends half by half", async () => {
  await using stage = await openStage();
  const { listener, actual } = await listen(stage, { address: "0.0.0.0", port: 8080 });
  const { id, answer } = steal(stage);
  const channel = stage.pair.agent.openChannel(id);
  await channel.write(new TextEncoder().encode("hello"));
  await channel.closeWrite();
  using conn = await listener.accept();
  const peer = { address: "127.0.0.1", port: conn.remoteAddr.port };
  const [reply] = await stage.layer.request("accepted", { listener: actual, peer });
  const who = decode(layerMessages.acceptedReply, reply?.body ?? new Uint8Array());
  assert.deepEqual(who, { known: true, peer: realClient, local: podAddress });
  assert.equal(await new Response(conn.readable).text(), "hello");
  await answer;
  listener.close();
});

Deno.test("the app's answer reaches the client after the client's half-close", async () => {
  await using stage = await openStage();
  const { listener } = await listen(stage, { address: "0.0.0.0", port: 80 });
  const { id } = steal(stage);
  const channel = stage.pair.agent.openChannel(id);
  await channel.closeWrite();
  const conn = await listener.accept();
  const buffer = new Uint8Array(16);
  assert.equal(await conn.read(buffer), null);
  assert.equal(await conn.write(new TextEncoder().encode("late answer")), 11);
  conn.close();
  let text = "";
  for (let bytes = await channel.read(); bytes !== null; bytes = await channel.read()) {
    text += new TextDecoder().decode(bytes);
  }
  assert.equal(text, "late answer");
  listener.close();
});

Deno.test("a connection nobody accepts any more is handed back and the port with it", async () => {
  await using stage = await openStage();
  const { listener } = await listen(stage, { address: "0.0.0.0", port: 80 });
  listener.close();
  const { answer } = steal(stage);
  await assert.rejects(answer, (error) => error instanceof RemoteError && error.errno === 111);
  const frame = await stage.pair.expect("unsubscribe");
  assert.equal(decode(agentMessages.unsubscribe, frame.body).port, 80);
  await stage.pair.agent.reply(frame, "unsubscribe", { port: 80 });
});

Deno.test("a connection that cannot be dialled for whatever reason is handed back", async () => {
  await using stage = await openStage();
  // Nothing can be dialled there: connect(2) fails with ENETUNREACH.
  const address = { address: "255.255.255.255", port: 80 };
  const answer = stage.layer.request("listen", {
    asked: address,
    actual: address,
    only6: false,
    anyPort: false,
  });
  await stage.pair.expect("probe");
  const frame = await stage.pair.expect("subscribe");
  await stage.pair.agent.reply(frame, "subscribe", { port: 80, mode: 1, filter: "", probes: true });
  await answer;
  const { answer: verdict } = steal(stage);
  await assert.rejects(verdict, (error) => error instanceof RemoteError && error.errno === 111);
});

Deno.test("a listener takes the place of one whose process ended unseen", async () => {
  await using stage = await openStage();
  const { listener, actual } = await listen(stage, { address: "0.0.0.0", port: 80 });
  using _listener = listener;
  // The socket lives on, as in a process that never opened a link.
  await stage.layer.send("closed", stage.layer.nextId(), { actual });
  await stage.layer.request("bind", { address: actual, stream: true });
  const answer = stage.layer.request("listen", {
    asked: { address: "0.0.0.0", port: 90 },
    actual,
    only6: false,
    anyPort: false,
  });
  const told: string[] = [];
  while (told.length < 2) {
    const frame = await stage.pair.agent.received()[Symbol.asyncIterator]().next();
    assert.ok(!frame.done);
    const { name, body } = frame.value;
    if (name === "reach") continue;
    assert.ok(name === "subscribe" || name === "unsubscribe");
    told.push(`${name} ${decode(agentMessages[name], body).port}`);
    await stage.pair.agent.reply(frame.value, name, body);
  }
  assert.deepEqual(told.sort(), ["subscribe 90", "unsubscribe 80"]);
  await answer;
});

Deno.test("the port goes back when the last process that held the listener is gone", async () => {
  await using stage = await openStage();
  const { listener, actual } = await listen(stage, { address: "0.0.0.0", port: 80 });
  const child = await openLayer(stage.session);
  await child.request("listener", { actual, stream: true });
  stage.layer.close();
  await stage.layer.closed;
  const { id } = steal(stage);
  stage.pair.agent.openChannel(id);
  using conn = await listener.accept();
  assert.ok(conn.remoteAddr.port > 0);
  listener.close();
  child.close();
  await stage.pair.expect("unsubscribe");
});

Deno.test("a refusal of the agent becomes the app's errno", async () => {
  await using stage = await openStage();
  const actual = { address: "127.0.0.1", port: 1 };
  const answer = stage.layer.request("listen", {
    asked: { address: "0.0.0.0", port: 80 },
    actual,
    only6: false,
    anyPort: false,
  });
  await stage.pair.expect("probe");
  const frame = await stage.pair.expect("subscribe");
  const reason = "Cannot steal port 80: ana has it since 10:00";
  await stage.pair.agent.fail(frame, 98, reason);
  await assert.rejects(answer, (error) => error instanceof RemoteError && error.errno === 98);
  assert.deepEqual(stage.events, [{ type: "subscriptionFailed", port: 80, mode: "steal", reason }]);
});

Deno.test("two listeners of one port are one subscription", async () => {
  await using stage = await openStage();
  const { listener } = await listen(stage, { address: "0.0.0.0", port: 80 });
  using second = Deno.listen({ hostname: "::1", port: 0 });
  await stage.layer.request("listen", {
    asked: { address: "::", port: 80 },
    actual: { address: "::1", port: second.addr.port },
    only6: false,
    anyPort: false,
  });
  listener.close();
});

Deno.test("the end of the agent's link is reported once, as an error with the exit code 74", async () => {
  await using stage = await openStage();
  stage.pair.agent.close();
  const error = await stage.session.lost;
  assert.equal(error.exitCode, 74);
  assert.match(error.message, /agent is gone/);
});

Deno.test("a process outlives the app while its link is open, whatever is still being answered", async () => {
  await using stage = await openStage();
  const { listener, actual } = await listen(stage, { address: "0.0.0.0", port: 80 });
  assert.equal(await stage.session.outliving(), 1);
  listener.close();
  await stage.layer.send("closed", stage.layer.nextId(), { actual });
  const leaving = await stage.pair.expect("unsubscribe");
  stage.layer.close();
  assert.equal(await stage.session.outliving(), 0);
  await stage.pair.agent.reply(leaving, "unsubscribe", { port: 80 });
});

Deno.test("a process that sends nonsense is let go, the others are served on", async () => {
  await using stage = await openStage();
  const other = await openLayer(stage.session);
  await stage.layer.send("bind", stage.layer.nextId(), new Uint8Array(3));
  await stage.layer.closed;
  const [reply] = await other.request("bind", { address: { address: "0.0.0.0", port: 80 }, stream: true });
  assert.ok(reply !== undefined);
  other.close();
});

Deno.test("an agent that sends nonsense is lost, not ignored", async () => {
  for (const name of ["incoming", "notice"] as const) {
    await using stage = await openStage();
    await stage.pair.agent.send(name, 2, new Uint8Array(1));
    const error = await deadline(stage.session.lost, "the session's loss");
    assert.equal(error.exitCode, 74);
  }
});

Deno.test("the layers' links end with the session", async () => {
  const stage = await openStage();
  await stage.session[Symbol.asyncDispose]();
  await stage.layer.closed;
  await stage[Symbol.asyncDispose]();
});

Deno.test("a port that the pod does not declare is stolen and questioned", async () => {
  await using stage = await openStage();
  const asked = { address: "0.0.0.0", port: 8000 };
  const answer = stage.layer.request("listen", {
    asked,
    actual: { address: "127.0.0.1", port: 1 },
    only6: false,
    anyPort: false,
  });
  const frame = await stage.pair.expect("subscribe");
  await stage.pair.agent.reply(frame, "subscribe", { port: 8000, mode: 1, filter: "", probes: false });
  await answer;
  const told = { filtered: false, sparedProbes: [], declaredPorts: [80], isNews: true };
  const moved = { type: "moved", asked: 8000, actual: 1, port: 8000 };
  const subscribed = { type: "subscribed", port: 8000, mode: "steal", opened: "bound", ...told };
  assert.deepEqual(new Set(stage.events), new Set([moved, subscribed]));
});
