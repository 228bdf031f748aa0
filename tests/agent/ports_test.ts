// One session at a time steals a port, and what is missing is named: two agents in one namespace, agents with
// less than the capabilities they need.

import assert from "node:assert/strict";
import { RemoteError } from "../../protocol-wasm/mod.ts";
import { FakeClient } from "../support/fake_client.ts";
import { Netns } from "../support/netns.ts";
import { startOriginal, Talk } from "./talk.ts";

async function refusal(work: Promise<unknown>): Promise<{ errno: number; message: string }> {
  try {
    await work;
  } catch (error) {
    if (error instanceof RemoteError) return { errno: error.errno, message: error.message };
    throw error;
  }
  return assert.fail("it was not refused");
}

Deno.test("a port that another session has is refused with its owner's name", async () => {
  await using netns = await Netns.create();
  await using first = await FakeClient.start(netns, { options: { owner: "alice@laptop" } });
  await using second = await FakeClient.start(netns, { options: { owner: "bob@desk" } });
  await first.subscribe(80);
  const { errno, message } = await refusal(second.subscribe(80));
  assert.equal(errno, 98);
  assert.match(
    message,
    /^Cannot steal port 80: another session \(alice@laptop, key \S{8}, since \d{4}-.*\) has it$/,
  );
  await second.subscribe(81);
  using toFirst = await Talk.dial(netns, 80);
  await toFirst.say("80");
  using toSecond = await Talk.dial(netns, 81);
  await toSecond.say("81");
  assert.equal((await first.offered()).port, 80);
  assert.equal((await second.offered()).port, 81);
});

Deno.test("a second session is told which session has the port", async () => {
  await using netns = await Netns.create();
  await using first = await FakeClient.start(netns);
  await using second = await FakeClient.start(netns);
  await first.link.send("owner", first.link.nextId(), { text: "ana@laptop" });
  await first.subscribe(80);
  const { message } = await refusal(second.subscribe(80));
  assert.match(message, /another session \(ana@laptop, key \S{8}, since /);
});

Deno.test("of sessions that want a port at once exactly one gets it, again and again", async () => {
  await using netns = await Netns.create();
  await using stack = new AsyncDisposableStack();
  const clients: FakeClient[] = [];
  for (let count = 0; count < 4; count++) clients.push(stack.use(await FakeClient.start(netns)));
  for (let round = 0; round < 25; round++) {
    const port = 8000 + round;
    const outcomes = await Promise.allSettled(clients.map((client) => client.subscribe(port)));
    assert.equal(outcomes.filter(({ status }) => status === "fulfilled").length, 1, `round ${round}`);
    for (const outcome of outcomes) {
      if (outcome.status === "rejected") assert.match(String(outcome.reason), /another session .*has it/);
    }
  }
});

Deno.test("a port is free again when its session ended, was killed or gave it back", async () => {
  await using netns = await Netns.create();
  await using waiting = await FakeClient.start(netns);
  const leave = [
    (client: FakeClient) => client.unsubscribe(80),
    (client: FakeClient) => client.goodbye(),
    async (client: FakeClient) => {
      client.agent.kill("SIGKILL");
      await client.agent.finished();
    },
  ];
  for (const how of leave) {
    await using holder = await FakeClient.start(netns);
    await holder.subscribe(80);
    assert.equal((await refusal(waiting.subscribe(80))).errno, 98);
    await how(holder);
    await waiting.subscribe(80);
    await waiting.unsubscribe(80);
  }
});

Deno.test("what makes no sense is refused by name", async () => {
  await using netns = await Netns.create();
  await using client = await FakeClient.start(netns);
  await client.subscribe(80);
  const cases = [
    [client.subscribe(80), 17, /has it already/],
    [client.subscribe(0), 22, /it is not a port/],
    [client.unsubscribe(81), 2, /it is not stolen/],
    [
      client.link.request("subscribe", { port: 81, mode: 9, filter: "", probes: false }),
      22,
      /unknown mode 9/,
    ],
    [client.subscribe(81, '{"header": "("}'), 22, /^Cannot use filter/],
    [client.subscribe(81, "{"), 22, /^Cannot use filter/],
    [
      client.link.request("subscribe", { port: 81, mode: 1, filter: "{", probes: true }),
      22,
      /^Cannot use filter/,
    ],
  ] as const;
  for (const [asked, errno, sentence] of cases) {
    const refused = await refusal(asked);
    assert.equal(refused.errno, errno, refused.message);
    assert.match(refused.message, sentence);
  }
});

/** The agent inside the namespace with these capabilities and no others, as in a container. */
function withCapabilities(netns: Netns, names: string[]): string[] {
  const set = ["-all", ...names.map((name) => `+${name}`)].join(",");
  return netns.inside(["setpriv", `--bounding-set=${set}`, `--inh-caps=${set}`, "--no-new-privs"]);
}

const capabilityCases = [
  { have: ["net_admin"], says: /^Cannot steal ports: the agent lacks the capability BPF$/ },
  { have: ["bpf"], says: /^Cannot steal ports: the agent lacks the capability NET_ADMIN$/ },
  { have: [], says: /^Cannot steal ports: the agent lacks the capabilities BPF and NET_ADMIN$/ },
];
for (const { have, says } of capabilityCases) {
  Deno.test(`an agent with ${have.join() || "nothing"} alone reports what is missing`, async () => {
    await using netns = await Netns.create();
    await assert.rejects(
      FakeClient.start(netns, { prefix: withCapabilities(netns, have) }),
      (error: Error) => {
        assert.match(error.message, says);
        return true;
      },
    );
  });
}

Deno.test("BPF and NET_ADMIN are all that stealing needs", async () => {
  await using netns = await Netns.create();
  await using _original = await startOriginal(netns, "greet", 80);
  await using client = await FakeClient.start(netns, {
    prefix: withCapabilities(netns, ["bpf", "net_admin"]),
  });
  await client.subscribe(80);
  using peer = await Talk.dial(netns, 80);
  await (await client.offered()).refuse();
  await peer.until("220 the original\r\n");
});
