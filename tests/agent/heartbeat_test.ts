// A hung or silent party costs the target nothing: when the agent stands still, or its client falls silent,
// the original gets new connections, and the agent gets them again when both are there. Each case with a
// heartbeat of its own.

import assert from "node:assert/strict";
import { deadline } from "../support/deadline.ts";
import { FakeClient, type Offered } from "../support/fake_client.ts";
import { HeldStream, longWay } from "../support/held_stream.ts";
import { Netns } from "../support/netns.ts";
import { get, startOriginal, Talk } from "./talk.ts";

const filter = '{"header": "^x-user: me$"}';
const mine = "X-User: me";
const attemptMs = 500;

interface Stage extends AsyncDisposable {
  netns: Netns;
  client: FakeClient;
  held: HeldStream;
}

/** A namespace whose original on port 80 is stolen; `heartbeatSeconds` 3600: as if there was no heartbeat. */
async function stage(
  { kind = "http", filter = "", heartbeatSeconds = 1 }: {
    kind?: string;
    filter?: string;
    heartbeatSeconds?: number;
  } = {},
): Promise<Stage> {
  const stack = new AsyncDisposableStack();
  const netns = stack.use(await Netns.create());
  stack.use(await startOriginal(netns, kind, 80));
  let held: HeldStream | undefined;
  const client = stack.use(
    await FakeClient.start(netns, {
      options: { heartbeatSeconds },
      wrap: (stream) => held = new HeldStream(stream),
    }),
  );
  await client.subscribe(80, filter);
  assert.ok(held !== undefined);
  return { netns, client, held, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

/** One request on a connection of its own: who answers within a moment, or nobody. */
async function ask(netns: Netns, header = ""): Promise<string> {
  using peer = await Talk.dial(netns, 80);
  let timer: number | undefined;
  const late = new Promise<string>((resolve) => timer = setTimeout(() => resolve("nobody"), attemptMs));
  const answer = peer.ask(get("/", header)).then((body) => body.split(" ")[0] ?? "", () => "reset");
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Asks until `who` answers; how often somebody else did. */
async function untilBy(netns: Netns, who: string, header = "", attempts = 60): Promise<number> {
  for (let failed = 0; failed < attempts; failed++) {
    if (await ask(netns, header) === who) return failed;
  }
  throw new Error(`no answer by ${who}`);
}

function serve(client: FakeClient): void {
  const answer = async ({ take, channel }: Offered) => {
    await take();
    const app = new Talk(channel);
    await app.until("\r\n\r\n");
    await app.say("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\napp");
    await app.rest();
  };
  client.handle((offered) => void answer(offered).catch(() => {})); // its peer went away
}

for (const [name, by] of [["an unfiltered", ""], ["a filtered", filter]] as const) {
  Deno.test(`${name} steal: the original answers while the agent is stopped, the app again afterwards`, async () => {
    await using pod = await stage({ filter: by });
    serve(pod.client);
    assert.equal(await ask(pod.netns, mine), "app");
    pod.client.agent.kill("SIGSTOP");
    await untilBy(pod.netns, "original", mine);
    for (let i = 0; i < 5; i++) assert.equal(await ask(pod.netns, mine), "original");
    pod.client.agent.kill("SIGCONT");
    const { milliseconds, connections } = await pod.client.heardAgain();
    assert.ok(milliseconds > 0 && connections >= 6, `${milliseconds} ms, ${connections}`);
    await untilBy(pod.netns, "app", mine);
  });

  Deno.test(`${name} steal: the original answers while the client is silent, the app again afterwards`, async () => {
    await using pod = await stage({ filter: by });
    serve(pod.client);
    assert.equal(await ask(pod.netns, mine), "app");
    pod.held.hold();
    await untilBy(pod.netns, "original", mine);
    for (let i = 0; i < 5; i++) assert.equal(await ask(pod.netns, mine), "original");
    pod.held.letGo();
    const { connections } = await pod.client.heardAgain();
    assert.ok(connections >= 5, `${connections}`);
    await untilBy(pod.netns, "app", mine);
  });
}

Deno.test("a client that says that it stands still gives the port back at once, and is waited for", async () => {
  await using pod = await stage({ heartbeatSeconds: 3600 });
  serve(pod.client);
  assert.equal(await ask(pod.netns), "app");
  await pod.client.link.request("standStill", { seconds: 600 });
  for (let i = 0; i < 3; i++) assert.equal(await ask(pod.netns), "original");
  await pod.client.link.request("standStill", { seconds: 0 });
  const { connections } = await pod.client.heardAgain();
  assert.equal(connections, 3);
  await untilBy(pod.netns, "app");
});

Deno.test("without a heartbeat a stopped agent and a silent client cost the target its port", async () => {
  await using pod = await stage({ heartbeatSeconds: 3600 });
  serve(pod.client);
  pod.client.agent.kill("SIGSTOP");
  await assert.rejects(untilBy(pod.netns, "original", "", 6));
  pod.client.agent.kill("SIGCONT");
  await untilBy(pod.netns, "app");
  pod.held.hold();
  await assert.rejects(untilBy(pod.netns, "original", "", 6));
  pod.held.letGo();
});

Deno.test("a connection that came while it was doubtful whether the client is there is the original's alone", async () => {
  await using pod = await stage({ kind: "echo", heartbeatSeconds: 1.5 });
  pod.held.hold();
  // One after the other until one is answered that came before the kernel left them to the original: it
  // waited in the agent.
  const peers: Talk[] = [];
  using _peers = { [Symbol.dispose]: () => peers.forEach((one) => one[Symbol.dispose]()) };
  const ends: Promise<string>[] = [];
  for (let index = 0; index < 30; index++) {
    const peer = await Talk.dial(pod.netns, 80);
    peers.push(peer);
    await peer.say(`number ${index}!`);
    const end = peer.until("!").catch(() => "reset");
    ends.push(end);
    await deadline(end, "an answer at once", 50).catch(() => {}); // as clients come, one after the other
  }
  const heard = await Promise.all(ends);
  assert.equal(heard.at(-1), "number 29!");
  pod.held.letGo();
  const { connections } = await pod.client.heardAgain();
  const offered = heard.filter((one) => one === "reset").length;
  assert.ok(heard.length - offered - connections > 0, `all waited for nobody: ${heard}, ${connections}`);
  for (let i = 0; i < offered; i++) {
    const { channel } = await pod.client.offered();
    await new Talk(channel).until("!");
  }
  using next = await Talk.dial(pod.netns, 80);
  await next.say("next!");
  assert.equal(await new Talk((await pod.client.offered()).channel).until("!"), "next!");
});

Deno.test("in a silence a peer that has just asked is reset, one that waits gets its answer when the client is back", async () => {
  await using pod = await stage({ kind: "echo" });
  using patient = await Talk.dial(pod.netns, 80);
  await patient.say("a question from long ago!");
  const first = await pod.client.offered();
  await first.take();
  const app = new Talk(first.channel);
  await app.until("!");
  using other = await Talk.dial(pod.netns, 80);
  const second = await pod.client.offered();
  await second.take();
  // Others ask meanwhile, until the first one's bytes are older than what the silence makes doubtful.
  const busy = new Talk(second.channel);
  for (const end = performance.now() + 1000; performance.now() < end;) {
    await other.say("a question just before!");
    await busy.until("!");
  }
  pod.held.hold();
  assert.equal((await other.rest()).reset, true);
  pod.held.letGo();
  await app.say("the answer!");
  assert.equal(await patient.until("!"), "the answer!");
});

Deno.test("in a silence a taken connection is reset when its peer asks", async () => {
  await using pod = await stage({ kind: "echo" });
  using peer = await Talk.dial(pod.netns, 80);
  const offered = await pod.client.offered();
  await offered.take();
  await new Talk(offered.channel).say("welcome!");
  await peer.until("!");
  pod.held.hold();
  await untilEcho(pod.netns);
  await peer.say("is somebody there?");
  assert.equal((await peer.rest()).reset, true);
  pod.held.letGo();
  await pod.client.heardAgain();
});

/** Until the original, which sends back what it gets, has new connections. */
async function untilEcho(netns: Netns): Promise<void> {
  for (;;) {
    using peer = await Talk.dial(netns, 80);
    await peer.say("?");
    if (await peer.until("?").catch(() => "reset") === "?") return;
  }
}

Deno.test("a long way is no silence", async () => {
  await using netns = await Netns.create();
  await using _original = await startOriginal(netns, "http", 80);
  await using client = await FakeClient.start(netns, {
    options: { heartbeatSeconds: 1 },
    wrap: (stream) => longWay(stream, 400),
  });
  await client.subscribe(80);
  serve(client);
  for (let i = 0; i < 3; i++) {
    using peer = await Talk.dial(netns, 80);
    assert.equal(await peer.ask(get("/")), "app");
  }
  assert.deepEqual(client.silences, []);
});

Deno.test("a port that is given back and stolen again has a heartbeat again", async () => {
  await using pod = await stage();
  serve(pod.client);
  await pod.client.unsubscribe(80);
  assert.equal(await ask(pod.netns), "original");
  await pod.client.subscribe(80);
  assert.equal(await ask(pod.netns), "app");
  pod.client.agent.kill("SIGSTOP");
  await untilBy(pod.netns, "original");
  pod.client.agent.kill("SIGCONT");
  await untilBy(pod.netns, "app");
});
