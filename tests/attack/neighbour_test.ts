// A hostile neighbour: another container of the pod, uid 1000 without a capability, in the same network as
// target and agent. It takes the agent's port, stands between client and agent, poses as the agent, squats
// names of stolen ports, and burns the processor meanwhile (neighbour.py). The same in a real pod is
// neighbour_cluster_test.ts.

import assert from "node:assert/strict";
import { loadSeal } from "../../core/net/seal.ts";
import { type ConnectedAgent, proveLink } from "../../core/deploy/connect.ts";
import { type Announcement, type LinkStream, SigningKey } from "../../protocol-wasm/mod.ts";
import { deadline } from "../support/deadline.ts";
import { AgentProcess, FakeClient } from "../support/fake_client.ts";
import { Netns } from "../support/netns.ts";
import { startOriginal, Talk } from "../agent/talk.ts";
import { bridge, listenHere } from "../support/bridge.ts";
import { Neighbour } from "./neighbour.ts";
import { askUnprotected, serveUnprotected } from "./unprotected.ts";

const seal = await loadSeal();
const secret = "the-secret-of-the-target";
const sessions = 100;
const atATime = 4;

/** neighbour.py inside, as uid 1000 without capabilities; `privileged`: as root with all of them. */
function neighbourIn(netns: Netns, args: string[], { privileged = false } = {}): Neighbour {
  const drop =
    "setpriv --reuid 1000 --regid 1000 --clear-groups --no-new-privs --bounding-set -all --inh-caps -all";
  // Its own Python: a version manager's in root's home is not for uid 1000.
  return new Neighbour(netns.inside([...privileged ? [] : drop.split(" "), "/usr/bin/python3"]), args);
}

/** The target: a process inside whose variables hold the secret. */
function startTarget(netns: Netns): Deno.ChildProcess {
  const [program = "", ...args] = netns.inside(["sleep", "infinity"]);
  return new Deno.Command(program, { args, env: { SECRET: secret }, stdin: "null", stdout: "null" }).spawn();
}

async function startAgent(netns: Netns, key: SigningKey, targetPid: number) {
  const agent = new AgentProcess({
    publicKey: key.publicKey,
    link: { kind: "tcp", port: 0 },
    netns: netns.pid,
    targetPid,
  });
  return { agent, announced: await agent.announced() };
}

/** The session's own way to an agent: what core/deploy does behind a port-forward. */
async function connect(
  stream: LinkStream,
  key: SigningKey,
  announced: Announcement,
): Promise<ConnectedAgent> {
  const agent = { identity: announced.key, seal };
  return await deadline(
    proveLink(stream, { key, steal: false, agent, signal: new AbortController().signal }),
    "the handshake",
    60_000,
  );
}

async function variables({ link }: ConnectedAgent): Promise<string> {
  const frames = await deadline(link.request("env", { include: "", exclude: "" }), "the variables");
  return frames.map(({ body }) => new TextDecoder().decode(body)).join("");
}

// -- what the attacks succeed on --------------------------------------------------------------------------------

/** The client of a link that nothing protects dials `port` until somebody answers. */
async function askAtPort(netns: Netns, port: number, key: CryptoKey): Promise<string> {
  await using wire = bridge(netns, port);
  return await deadline(askUnprotected(wire.stream, key), "the unprotected session");
}

async function oldKeys(): Promise<CryptoKeyPair> {
  return await crypto.subtle.generateKey("Ed25519", false, ["sign", "verify"]) as CryptoKeyPair;
}

Deno.test("without the proofs: a neighbour that had the port first stands between and asks the agent itself", async () => {
  await using netns = await Netns.create();
  const port = 21_000;
  await using neighbour = neighbourIn(netns, ["relay", String(port)]);
  assert.equal((await neighbour.says()).state, "listens");
  const { privateKey, publicKey } = await oldKeys();
  const asking = askAtPort(netns, port, privateKey);
  assert.equal((await neighbour.says()).state, "has the client");
  await using agent = await listenHere(netns, port);
  const serving = agent.accept().then((stream) => serveUnprotected(stream, publicKey, `SECRET=${secret}\0`));
  const { answer } = await neighbour.says();
  assert.equal(answer, `SECRET=${secret}\0`);
  await neighbour[Symbol.asyncDispose]();
  await Promise.allSettled([asking, serving]);
});

Deno.test("without the proofs: a neighbour that has the port is taken for the agent", async () => {
  await using netns = await Netns.create();
  await using neighbour = neighbourIn(netns, ["pose", "21001"]);
  assert.equal((await neighbour.says()).state, "listens");
  const { privateKey } = await oldKeys();
  assert.equal(await askAtPort(netns, 21_001, privateKey), "PYTHONWARNINGS=invented\0");
  assert.equal((await neighbour.says()).state, "was believed");
});

// -- what they fail on --------------------------------------------------------------------------------------------

Deno.test(`${sessions} of ${sessions} sessions are the session's own beside a neighbour that burns the processor`, async () => {
  await using netns = await Netns.create();
  const target = startTarget(netns);
  await using neighbour = neighbourIn(netns, ["watch", "2"]);
  assert.equal((await neighbour.says()).state, "watches");
  let own = 0;
  const ports = new Set<number>();
  const one = async () => {
    const key = await SigningKey.generate();
    const { agent, announced } = await startAgent(netns, key, target.pid);
    await using _agent = agent;
    ports.add(announced.port);
    await using wire = bridge(netns, announced.port);
    const link = await connect(wire.stream, key, announced);
    assert.ok((await variables(link)).includes(`SECRET=${secret}\0`));
    own++;
    await link[Symbol.asyncDispose]();
    assert.equal((await agent.finished()).code, 0);
  };
  const worker = async (count: number) => {
    for (; count > 0; count--) await one();
  };
  await Promise.all(Array.from({ length: atATime }, () => worker(sessions / atATime)));
  await neighbour.finish();
  const { agents, bound, got } = await neighbour.says();
  assert.equal(own, sessions);
  assert.ok(Number(agents) >= sessions / 2, `it met ${agents} agents`);
  // A port that it got on IPv6 before the agent, and keeps, is one that the agent let go.
  const beside = (bound as [port: number][]).filter(([port]) => ports.has(port));
  assert.deepEqual(beside, [], "it bound a port beside an agent");
  assert.ok(!String(got).includes(secret) && !String(got).includes("SECRET"), "an agent answered it");
  target.kill("SIGKILL");
  await target.status;
});

/** What a session makes of a neighbour between it and its agent. */
const ways: Record<string, RegExp | null> = {
  listen: null,
  agent_key: /another program|closed the link/,
  agent_identity: /another program of the pod answers in its place/,
  client_key: /closed the link during the handshake/,
  unsealed: /closed the link during the handshake/,
  asks_steal: /closed the link during the handshake/,
  client_proof: /closed the link during the handshake/,
  agent_proof: /another program of the pod answers in its place/,
  reflect: /another program of the pod answers in its place/,
  inject: /the other side closed it|Cannot (read|write)/,
  inject_record: /the other side closed it|Cannot (read|write)/,
  inject_client: /a record is not what the other side wrote|a record cannot have/,
  change: /the other side closed it|Cannot (read|write)/,
  drop: /the other side closed it|Cannot (read|write)/,
  repeat: /the other side closed it|Cannot (read|write)/,
  turn_back: /a record is not what the other side wrote/,
};

for (const [how, ends] of Object.entries(ways)) {
  Deno.test(`a neighbour that is let between reads and changes nothing: ${how}`, async () => {
    await using netns = await Netns.create();
    const target = startTarget(netns);
    const key = await SigningKey.generate();
    const { agent, announced } = await startAgent(netns, key, target.pid);
    await using _agent = agent;
    await using neighbour = neighbourIn(netns, ["between", String(announced.port), how]);
    const { port } = await neighbour.says();
    await using wire = bridge(netns, Number(port));
    const session = async () => {
      const link = await connect(wire.stream, key, announced);
      const got = await variables(link);
      // A question that is repeated or injected ends the link at the latest with the next one.
      await link.link.request("env", { include: "", exclude: "" });
      link.link.close();
      return got;
    };
    if (ends === null) assert.ok((await session()).includes(`SECRET=${secret}\0`));
    else {await assert.rejects(session(), (error: Error) => {
        assert.match(`${error.message} ${error.cause ?? ""}`, ends);
        return true;
      });}
    wire.stream.close();
    const { seen } = await neighbour.says();
    assert.ok(!String(seen).includes("SECRET"), "it read the target's variables");
    target.kill("SIGKILL");
    await target.status;
  });
}

Deno.test("where IPv6 is full of another program's ports an agent holds IPv4 alone, and is reached", async () => {
  await using netns = await Netns.create();
  const range = "/proc/sys/net/ipv4/ip_local_port_range";
  await netns.run(["sh", "-c", `echo '40000 40063' >${range}`]);
  await using neighbour = neighbourIn(netns, ["holdv6", "40000", "40063"]);
  assert.equal((await neighbour.says()).state, "holds");
  const target = startTarget(netns);
  const key = await SigningKey.generate();
  const { agent, announced } = await startAgent(netns, key, target.pid);
  await using _agent = agent;
  await agent.until(/ready on port \d+, IPv4 alone/);
  await netns.run(["sh", "-c", `echo '32768 60999' >${range}`]);
  await using wire = bridge(netns, announced.port);
  const link = await connect(wire.stream, key, announced);
  assert.ok((await variables(link)).includes(`SECRET=${secret}\0`));
  await link[Symbol.asyncDispose]();
  target.kill("SIGKILL");
  await target.status;
});

for (const privileged of [true, false]) {
  const outcome = privileged
    ? "with NET_ADMIN is a session to others"
    : "is distinguished from a session, and passed over";
  Deno.test(`a neighbour that squats the names of a stolen port ${outcome}`, async () => {
    await using netns = await Netns.create();
    await using _original = await startOriginal(netns, "greet", 80);
    await using neighbour = neighbourIn(netns, ["squat", "80"], { privileged });
    assert.equal((await neighbour.says()).state, "holds");
    await using client = await FakeClient.start(netns);
    if (privileged) {
      await assert.rejects(client.subscribe(80), /another session \(bob@laptop, since ever\) has it/);
      return;
    }
    await client.subscribe(80);
    await client.noticed(/Another program of the pod poses as a session that has port 80/);
    using peer = await Talk.dial(netns, 80);
    await peer.say("hello");
    assert.equal((await client.offered()).port, 80);
  });
}
