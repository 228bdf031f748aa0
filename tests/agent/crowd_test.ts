// More connections than an agent can serve are left to the original by the kernel, which is reported and
// counted. The agents here may have few descriptors, and so few connections.

import assert from "node:assert/strict";
import { FakeClient, type Offered } from "../support/fake_client.ts";
import { Netns } from "../support/netns.ts";
import { get, startOriginal, Talk } from "./talk.ts";

/** 20 connections (agent/incoming/crowd.ts). */
const descriptors = 296;
const limit = 20;

interface Stage extends AsyncDisposable {
  netns: Netns;
  client: FakeClient;
}

async function stage(kind: string, filter = ""): Promise<Stage> {
  const stack = new AsyncDisposableStack();
  const netns = stack.use(await Netns.create());
  stack.use(await startOriginal(netns, kind, 80));
  const prefix = netns.inside(["prlimit", `--nofile=${descriptors}:${descriptors}`]);
  const client = stack.use(await FakeClient.start(netns, { prefix }));
  await client.subscribe(80, filter);
  return { netns, client, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

/** Connections that are open at both ends. */
class Crowd {
  readonly #peers: Talk[] = [];
  readonly #offers: Offered[] = [];

  async take({ client }: Stage, peer: Talk): Promise<void> {
    this.#peers.push(peer);
    const offered = await client.offered();
    this.#offers.push(offered);
    await offered.take();
  }

  /** By the app, before the peers close. */
  async end(): Promise<void> {
    for (const { channel } of this.#offers.splice(0)) channel.reset();
    for (using peer of this.#peers.splice(0)) await peer.rest();
  }
}

/** The original got at least one connection by now, and the kernel gives it all that come. */
async function untilOriginal(netns: Netns): Promise<number> {
  for (let count = 1;; count++) {
    using peer = await Talk.dial(netns, 80);
    if (await peer.until("220 the original\r\n").then(() => true, () => false)) return count;
  }
}

/** The notice counts `connections` of the original, each once; on a busy machine some late packets too. */
async function isCounted({ client }: Stage, connections: number): Promise<void> {
  const notice = await client.noticed(/the original got \d+ connections; new ones are stolen again/);
  const count = Number(/got (\d+)/.exec(notice)?.[1]);
  assert.ok(count >= connections && count < 2 * connections, notice);
}

Deno.test("beyond the limit the original has new connections, said once and counted; below it they are stolen again", async () => {
  await using pod = await stage("greet");
  const open = new Crowd();
  for (let i = 0; i < limit; i++) await open.take(pod, await Talk.dial(pod.netns, 80));
  let passed = 0;
  for (; passed < 30; passed++) await untilOriginal(pod.netns);
  await pod.client.noticed(
    /More connections than fit .*: 20 are served, the original gets new ones until there are fewer/,
  );
  await open.end();
  await isCounted(pod, 30);
  using next = await Talk.dial(pod.netns, 80);
  await next.say("stolen");
  const offered = await pod.client.offered();
  await new Talk(offered.channel).until("stolen");
  assert.equal(pod.client.notices.length, 2);
});

Deno.test("a filter's matching requests beyond the limit are the original's, and counted too", async () => {
  await using pod = await stage("http", '{"header": "^x-user: me$"}');
  const open = new Crowd();
  for (let i = 0; i < limit; i++) {
    const peer = await Talk.dial(pod.netns, 80);
    await peer.say(get("/", "X-User: me"));
    await open.take(pod, peer);
  }
  for (let i = 0; i < 5; i++) {
    using peer = await Talk.dial(pod.netns, 80);
    assert.match(await peer.ask(get("/", "X-User: me")), /^original/);
  }
  await open.end();
  await isCounted(pod, 5);
});
