// The kubelet's probes of every kind go on reaching the original while its port is stolen: whatever the
// developer's program does, the pod is not restarted for it. The test's own end of the namespace is the node,
// as a bridge is one on a cluster; a second network behind it has another pod, and packets with fewer hops
// left are those of clients whose address the node replaced.

import assert from "node:assert/strict";
import { FakeClient, type Offered } from "../support/fake_client.ts";
import { command, Netns } from "../support/netns.ts";
import { startOriginal, Talk } from "./talk.ts";

const script = new URL("./arrive.py", import.meta.url).pathname;
const whole = 64;
const passedOn = 63;
const declared = JSON.stringify({
  all_of: [{ method: "GET" }, { path: "^/healthz$" }, { header: "^user-agent: kube-probe/" }],
});
const probe = request("/healthz", "kube-probe/1.34");
const hello = "\\x16\\x03\\x01\\x00\\x05hello";
const preface = "PRI * HTTP/2.0\\r\\n\\r\\nSM\\r\\n\\r\\n";

/** As a Python literal's inside. */
function request(path: string, agent: string): string {
  return `GET ${path} HTTP/1.1\\r\\nHost: pod\\r\\nUser-Agent: ${agent}\\r\\nConnection: close\\r\\n\\r\\n`;
}

interface Stage extends AsyncDisposable {
  netns: Netns;
  client: FakeClient;
  /** The address of another pod. */
  pod: string;
}

/** A namespace whose original on port 80 is about to be stolen. */
async function stage(kind: string): Promise<Stage> {
  const stack = new AsyncDisposableStack();
  const netns = stack.use(await Netns.create());
  const net = `${netns.hostIpv4.replace(/^198\.\d+\.(\d+)\.(\d+)$/, "198.51.$1.$2")}`.split(".");
  const base = Number(net[3]) & 0xf8;
  const address = (last: number) => [...net.slice(0, 3), base + last].join(".");
  await command(["ip", "addr", "add", `${address(3)}/32`, "dev", netns.name]);
  await command(["ip", "-n", netns.name, "route", "add", `${address(0)}/29`, "dev", "eth0"]);
  stack.use(await startOriginal(netns, kind, 80));
  const client = stack.use(await FakeClient.start(netns));
  return { netns, client, pod: address(3), [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

/** The app answers whatever it is asked with "app", and closes. */
function serve(client: FakeClient): { offers: number } {
  const seen = { offers: 0 };
  const answer = async ({ take, channel }: Offered) => {
    seen.offers++;
    await take();
    const app = new Talk(channel);
    await app.say("app");
    await app.closeWrite();
    await app.rest();
  };
  client.handle((offered) => void answer(offered).catch(() => {}));
  return seen;
}

/** What a client gets that comes so. */
function arrive(
  { netns, pod }: Stage,
  { hops = whole, from = "node", text }: { hops?: number; from?: "node" | "pod"; text?: string },
): Promise<string> {
  const source = from === "pod" ? pod : netns.hostIpv4;
  const rest = text === undefined ? [] : [text];
  return command(["python3", script, netns.ipv4, "80", String(hops), source, ...rest]);
}

for (const filter of ["", '{"path": "^/"}']) {
  const kind = filter === "" ? "an unfiltered" : "a filtered";

  Deno.test(`${kind} steal leaves the kubelet's HTTP probes to the original`, async () => {
    await using there = await stage("http");
    await there.client.probe(80, "http", declared);
    await there.client.subscribe(80, filter, true);
    const seen = serve(there.client);
    assert.match(await arrive(there, { text: probe }), /original \d+ GET \/healthz/);
    assert.equal(await arrive(there, { text: request("/", "kube-probe/1.34") }), "app");
    assert.equal(await arrive(there, { text: request("/healthz", "curl/8") }), "app");
    assert.equal(seen.offers, 2);
  });

  Deno.test(`${kind} steal takes what pretends to be the kubelet, once that is known`, async () => {
    await using there = await stage("http");
    await there.client.probe(80, "http", declared);
    await there.client.subscribe(80, filter, true);
    serve(there.client);
    // Where the kubelet is might not be known: what says that it is a probe is one.
    assert.match(await arrive(there, { from: "pod", text: probe }), /original/);
    assert.match(await arrive(there, { text: probe }), /original/);
    assert.equal(await arrive(there, { from: "pod", text: probe }), "app");
    assert.equal(await arrive(there, { hops: passedOn, text: probe }), "app");
    assert.match(await arrive(there, { text: probe }), /original/);
  });

  Deno.test(`${kind} steal leaves probes to the original for a client that only says there are some`, async () => {
    await using there = await stage("http");
    await there.client.subscribe(80, filter, true);
    serve(there.client);
    assert.match(await arrive(there, { from: "pod", text: request("/y", "kube-probe/1.34") }), /original/);
    assert.match(await arrive(there, { text: request("/x", "kube-probe/1.34") }), /original/);
    assert.equal(await arrive(there, { text: request("/x", "curl/8") }), "app");
  });
}

Deno.test("a probe that comes in pieces is known, and every other request arrives with all its bytes", async () => {
  await using there = await stage("http");
  await there.client.probe(80, "http", declared);
  await there.client.subscribe(80);
  const text = probe.replaceAll("\\r\\n", "\r\n");
  using kubelet = await Talk.dial(there.netns, 80);
  await kubelet.say(text.slice(0, 30));
  await kubelet.say(text.slice(30));
  assert.match((await kubelet.rest()).heard, /original/);
  using peer = await Talk.dial(there.netns, 80);
  await peer.say("\0\x01 not HTTP at all");
  const offered = await there.client.offered();
  await offered.take();
  await new Talk(offered.channel).until("\0\x01 not HTTP at all");
});

for (const [how, text, other] of [["https", hello, preface], ["grpc", preface, hello]] as const) {
  Deno.test(`what comes from the node by the protocol of a probe by ${how} is the original's`, async () => {
    await using there = await stage("echo");
    await there.client.probe(80, how);
    await there.client.subscribe(80);
    const seen = serve(there.client);
    // As long as it is not known that the node's own packets keep their hops, those of its address are its
    // own.
    assert.notEqual(await arrive(there, { hops: passedOn, text }), "app");
    assert.notEqual(await arrive(there, { text }), "app");
    assert.equal(seen.offers, 0);
    assert.equal(await arrive(there, { hops: passedOn, text }), "app");
    assert.equal(await arrive(there, { from: "pod", text }), "app");
    assert.equal(await arrive(there, { text: other }), "app");
    assert.notEqual(await arrive(there, { text }), "app");
  });
}

Deno.test("a TCP probe reaches the original, and the app nothing of it", async () => {
  await using there = await stage("count");
  await there.client.probe(80, "tcp");
  await there.client.subscribe(80);
  const seen = serve(there.client);
  for (let i = 0; i < 5; i++) await arrive(there, {});
  assert.equal(await arrive(there, { text: "a word" }), "app");
  assert.equal(seen.offers, 1);
});

Deno.test("on a port that is probed by TCP a client that waits for the first word gets the app's", async () => {
  await using there = await stage("echo");
  await there.client.probe(80, "tcp");
  await there.client.subscribe(80);
  using peer = await Talk.dial(there.netns, 80);
  const offered = await there.client.offered();
  await offered.take();
  await new Talk(offered.channel).say("welcome!");
  await peer.until("welcome!");
});

Deno.test("by IPv6 the kubelet's probes are known too", async () => {
  await using there = await stage("http");
  await there.client.probe(80, "http", declared, [there.netns.hostIpv6]);
  await there.client.probe(80, "https");
  await there.client.subscribe(80);
  serve(there.client);
  const from = (hops: number, text: string) =>
    command(["python3", script, there.netns.ipv6, "80", String(hops), there.netns.hostIpv6, text]);
  assert.match(await from(whole, probe), /original/);
  assert.equal(await from(passedOn, probe), "app");
  assert.notEqual(await from(whole, hello), "app");
  assert.equal(await from(passedOn, hello), "app");
});

Deno.test("a probe that cannot be used is refused, and costs the session nothing", async () => {
  await using there = await stage("http");
  await there.client.probe(80, "http", "{");
  await there.client.subscribe(80);
  serve(there.client);
  assert.equal(await arrive(there, { text: request("/", "curl/8") }), "app");
});
