// Which clients an agent accepts, and how an agent ends: wrong keys, second clients, limits, lost links,
// signals.

import assert from "node:assert/strict";
import {
  agentMessages,
  agentProtocolVersion,
  decode,
  encode,
  errorFlag,
  Greeting,
  type LinkStream,
  SigningKey,
} from "../../protocol-wasm/mod.ts";
import { bridge } from "../support/bridge.ts";
import { deadline } from "../support/deadline.ts";
import { AgentProcess, FakeClient, prove } from "../support/fake_client.ts";
import { Netns } from "../support/netns.ts";
import { python, startOriginal, Talk } from "./talk.ts";

async function listeningAgent(netns: Netns, options: Record<string, unknown> = {}) {
  const key = await SigningKey.generate();
  const agent = new AgentProcess({
    publicKey: key.publicKey,
    link: { kind: "tcp", port: 0 },
    netns: netns.pid,
    ...options,
  });
  return { key, agent, announced: await agent.announced() };
}

Deno.test("a client with another key gets nothing but the challenge", async () => {
  await using netns = await Netns.create();
  const { agent, announced } = await listeningAgent(netns);
  await using _agent = agent;
  await using wire = bridge(netns, announced.port);
  assert.equal(await prove(wire.stream, await SigningKey.generate(), { announced }), null);
  await agent.until(/without the session's key/);
});

Deno.test("the right client is served after a wrong one", async () => {
  await using netns = await Netns.create();
  const { agent, key, announced } = await listeningAgent(netns);
  await using _agent = agent;
  await using wrong = bridge(netns, announced.port);
  assert.equal(await prove(wrong.stream, await SigningKey.generate(), { announced }), null);
  await using wire = bridge(netns, announced.port);
  const proved = await prove(wire.stream, key, { announced });
  assert.ok(proved !== null && (proved.welcome.flags & errorFlag) === 0);
  await using _link = proved.link;
  assert.equal(decode(agentMessages.welcome, proved.welcome.body).kernel, Deno.osRelease());
});

Deno.test("connections without a proof do not keep the right client out", async () => {
  await using netns = await Netns.create();
  const { agent, key, announced } = await listeningAgent(netns);
  await using _agent = agent;
  const hold = `import socket, sys
held = [socket.create_connection(("127.0.0.1", ${announced.port})) for _ in range(40)]
print("held", flush=True)
sys.stdin.read()`;
  const [program = "", ...args] = netns.inside(["python3", "-c", hold]);
  await using holder = new Deno.Command(program, { args, stdin: "piped", stdout: "piped" }).spawn();
  const said = holder.stdout.getReader();
  assert.match(new TextDecoder().decode((await said.read()).value), /^held/);
  await using wire = bridge(netns, announced.port);
  const proved = await prove(wire.stream, key, { announced });
  assert.ok(proved !== null);
  await using _link = proved.link;
  await said.cancel();
  await holder.stdin.close();
});

Deno.test("a second client with the key is refused, as the agent has one", async () => {
  await using netns = await Netns.create();
  const { agent, key, announced } = await listeningAgent(netns);
  await using _agent = agent;
  await using wire = bridge(netns, announced.port);
  const first = await prove(wire.stream, key, { announced });
  assert.ok(first !== null);
  await using link = first.link;
  await using secondWire = bridge(netns, announced.port);
  const second = await prove(secondWire.stream, key, { announced });
  assert.ok(second !== null && (second.welcome.flags & errorFlag) !== 0);
  await using _second = second.link;
  assert.deepEqual(decode(agentMessages.failure, second.welcome.body), {
    errno: 16,
    text: "Cannot serve a second client: this agent has one",
  });
  await link.request("subscribe", { port: 80, mode: 1, filter: "", probes: false });
});

Deno.test("a connection that sends kilobytes instead of a proof is closed", async () => {
  await using netns = await Netns.create();
  const { agent, announced } = await listeningAgent(netns);
  await using _agent = agent;
  const heard = await python(
    netns,
    `import socket
s = socket.create_connection(("127.0.0.1", ${announced.port}))
try:
  s.sendall(bytes([0, 0, 8, 0, 2, 0, 0, 0, 1, 0, 0, 0]) + bytes(500000))
  while s.recv(65536): pass
except OSError: pass
print("closed")`,
  );
  assert.equal(heard, "closed\n");
  await agent.until(/without the session's key/);
});

Deno.test("a session of protocol 3 reads that the agent needs a newer one", async () => {
  await using netns = await Netns.create();
  const { agent, announced } = await listeningAgent(netns);
  await using _agent = agent;
  await using wire = bridge(netns, announced.port);
  const greeting = new Greeting(wire.stream);
  const first = await greeting.next();
  const { version, nonce } = decode(agentMessages.challenge, first?.body ?? new Uint8Array());
  assert.deepEqual([version, nonce.length], [agentProtocolVersion, 32]);
  const body = encode(agentMessages.prove, {
    version: 3,
    signature: new Uint8Array(64),
    release: "0.1.0",
    steal: true,
    mirror: false,
  });
  await greeting.send({ kind: agentMessages.prove.kind, id: 1, flags: 0, body });
  const answer = await greeting.next();
  assert.deepEqual([answer?.kind, answer?.id, answer?.flags], [agentMessages.welcome.kind, 1, errorFlag]);
  const failure = decode(agentMessages.failure, answer?.body ?? new Uint8Array());
  assert.match(failure.text, /speaks version \d+ of the protocol, this mirrord an older one/);
  assert.equal(await greeting.next(), null);
});

Deno.test("the agent's port is not reachable from another host", async () => {
  await using netns = await Netns.create();
  const { agent, announced: { port } } = await listeningAgent(netns);
  await using _agent = agent;
  await assert.rejects(Deno.connect({ hostname: netns.ipv4, port }), Deno.errors.ConnectionRefused);
  await assert.rejects(Deno.connect({ hostname: netns.ipv6, port }), Deno.errors.ConnectionRefused);
});

Deno.test("an agent on standard input ends when its client has another key", async () => {
  await using netns = await Netns.create();
  const key = await SigningKey.generate();
  await using agent = new AgentProcess({
    publicKey: key.publicKey,
    link: { kind: "stdio" },
    netns: netns.pid,
  });
  assert.equal(await prove(agent.stream(), await SigningKey.generate()), null);
  assert.equal((await agent.finished()).code, 77);
});

Deno.test("an agent that no client comes to leaves", async () => {
  await using netns = await Netns.create();
  const { agent } = await listeningAgent(netns, { firstClientLimitSeconds: 0.2 });
  await using _agent = agent;
  const { code, output } = await agent.finished();
  assert.equal(code, 69);
  assert.match(output, /no client with the session's key came/);
});

Deno.test("a public key that is none is refused", async () => {
  await using netns = await Netns.create();
  await using agent = new AgentProcess({
    publicKey: "bm90IGEga2V5",
    link: { kind: "stdio" },
    netns: netns.pid,
  });
  const { code, output } = await agent.finished();
  assert.equal(code, 78);
  assert.match(output, /Cannot use the public key/);
});

/** A namespace whose port 80 is stolen, with one stolen connection under way. */
async function stolen(netns: Netns, client: FakeClient): Promise<Talk> {
  await client.subscribe(80);
  const peer = await Talk.dial(netns, 80);
  await peer.say("hello");
  const offered = await client.offered();
  await offered.take();
  await new Talk(offered.channel).until("hello");
  return peer;
}

/** Nothing of a session is left: no BPF link, no listener but the original's, which answers. */
async function assertGivenBack(netns: Netns): Promise<void> {
  for (const family of ["ipv4", "ipv6"] as const) {
    using peer = await Talk.dial(netns, 80, family);
    await peer.until("220 the original\r\n");
  }
  const inode = (await Deno.stat(`/proc/${netns.pid}/ns/net`)).ino;
  const tool = await new Deno.Command("bpftool", { args: ["-j", "link"] }).output();
  assert.ok(tool.success, new TextDecoder().decode(tool.stderr));
  const links: { netns_ino?: number }[] = JSON.parse(new TextDecoder().decode(tool.stdout) || "[]");
  assert.deepEqual(links.filter((link) => link.netns_ino === inode), []);
  const listening = await python(
    netns,
    `for name in "tcp", "tcp6":
  print(sorted(line.split()[1].split(":")[1] for line in open("/proc/self/net/" + name) if line.split()[3] == "0A"))
print([line for line in open("/proc/self/net/unix") if "mirrord" in line])`,
  );
  assert.equal(listening, "[]\n['0050']\n[]\n");
}

const endings = [
  { name: "goodbye", code: 0, end: (client: FakeClient) => client.goodbye() },
  { name: "the end of the link", code: 74, end: (client: FakeClient) => client.link.close() },
  { name: "SIGTERM", code: 143, end: (client: FakeClient) => client.agent.kill("SIGTERM") },
  { name: "SIGKILL", code: 137, end: (client: FakeClient) => client.agent.kill("SIGKILL") },
];
for (const { name, code, end } of endings) {
  Deno.test(`after ${name} the original answers and nothing is left`, async () => {
    await using netns = await Netns.create();
    await using _original = await startOriginal(netns, "greet", 80);
    await using client = await FakeClient.start(netns);
    using peer = await stolen(netns, client);
    await end(client);
    assert.equal((await client.agent.finished()).code, code);
    await assertGivenBack(netns);
    // A killed process cannot choose between FIN and RST; the others reset what was in flight.
    assert.equal((await peer.rest()).reset, name !== "SIGKILL");
  });
}

Deno.test("a client that falls silent is lost after the limit", async () => {
  await using netns = await Netns.create();
  await using _original = await startOriginal(netns, "greet", 80);
  const key = await SigningKey.generate();
  await using agent = new AgentProcess({
    publicKey: key.publicKey,
    link: { kind: "stdio" },
    netns: netns.pid,
    lostLimitSeconds: 2, // on a busy machine the client is silent for longer than it wants
  });
  const real = agent.stream();
  let silent = false;
  const stream: LinkStream = {
    read: (into) => real.read(into),
    write: (part) => silent ? Promise.resolve() : real.write(part),
    close: () => real.close(),
  };
  const proved = await prove(stream, key);
  assert.ok(proved !== null);
  await using link = proved.link;
  await link.request("subscribe", { port: 80, mode: 1, filter: "", probes: false });
  silent = true;
  assert.equal((await agent.finished()).code, 74);
  await assertGivenBack(netns);
});

Deno.test("an idle client that answers pings is not lost", async () => {
  await using netns = await Netns.create();
  const key = await SigningKey.generate();
  const limit = { lostLimitSeconds: 1 };
  await using agent = new AgentProcess({
    publicKey: key.publicKey,
    link: { kind: "stdio" },
    netns: netns.pid,
    ...limit,
  });
  const real = agent.stream();
  let awaited = 2 + 9; // what is asked and its proof, then nine answers to pings: three of the agent's limits
  const answered = Promise.withResolvers<void>();
  const stream: LinkStream = {
    read: (into) => real.read(into),
    async write(part) {
      await real.write(part);
      if (--awaited === 0) answered.resolve();
    },
    close: () => real.close(),
  };
  const proved = await prove(stream, key);
  assert.ok(proved !== null);
  await using link = proved.link;
  await deadline(answered.promise, "nine pings");
  await link.request("goodbye", {});
  assert.equal((await agent.finished()).code, 0);
});
