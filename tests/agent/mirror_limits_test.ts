// What mirroring does when it is too much for someone, what it needs, and that nothing of it stays: the
// target answers all the while.

import assert from "node:assert/strict";
import { RemoteError } from "../../protocol-wasm/mod.ts";
import { FakeClient } from "../support/fake_client.ts";
import { Netns } from "../support/netns.ts";
import { get, startOriginal, Talk } from "./talk.ts";

Deno.test("a session that reads nothing loses the copy, counted and said; the target has all", async () => {
  await using netns = await Netns.create();
  await using _original = await startOriginal(netns, "echo", 80);
  await using client = await FakeClient.start(netns, { mode: "mirror" });
  await client.mirror(80);
  using peer = await Talk.dial(netns, 80);
  const offered = await client.offered();
  await offered.take();
  // Each block waits for the last one's answer: no faster than an agent can follow.
  const block = "x".repeat(16_383) + "!";
  for (let sent = 0; sent < 8 << 20; sent += block.length) {
    await peer.say(block);
    await peer.until("!");
  }
  await client.noticed(/mirror of port 80 is incomplete: the app is too slow, a connection lost \d+ bytes/);
  assert.equal((await new Talk(offered.channel).rest()).reset, true);
  await peer.closeWrite();
  assert.deepEqual(await peer.rest(), { heard: "", reset: false });
  using next = await Talk.dial(netns, 80);
  await next.say("seen");
  await new Talk((await client.offered()).channel).until("seen");
});

Deno.test("an agent that stood still says how many packets it missed, and goes on", async () => {
  await using netns = await Netns.create();
  await using _original = await startOriginal(netns, "count", 80);
  await using client = await FakeClient.start(netns, { mode: "mirror" });
  await client.mirror(80);
  using peer = await Talk.dial(netns, 80);
  await peer.say("before");
  const offered = await client.offered();
  await new Talk(offered.channel).until("before");
  client.agent.kill("SIGSTOP");
  const size = 32 << 20;
  await peer.say(new Uint8Array(size));
  client.agent.kill("SIGCONT");
  await client.noticed(/The mirror is incomplete: \d+ packets came faster/);
  await peer.say("behind the gap");
  assert.equal((await new Talk(offered.channel).rest()).reset, true);
  await peer.closeWrite();
  assert.equal((await peer.rest()).heard, `${size + 20} bytes`);
  using next = await Talk.dial(netns, 80);
  await next.say(get("/"));
  await new Talk((await client.offered()).channel).until("\r\n\r\n");
});

Deno.test("a port given back is not mirrored any more, and can be again", async () => {
  await using netns = await Netns.create();
  await using _original = await startOriginal(netns, "echo", 80);
  await using client = await FakeClient.start(netns, { mode: "mirror" });
  await client.mirror(80);
  using old = await Talk.dial(netns, 80);
  await old.say("one");
  const offered = new Talk((await client.offered()).channel);
  await offered.until("one"); // the copy that was made while the port was mirrored
  await client.unsubscribe(80);
  assert.deepEqual(await offered.rest(), { heard: "", reset: false });
  using unseen = await Talk.dial(netns, 80);
  await unseen.say("unseen");
  await unseen.until("unseen");
  await client.mirror(80);
  using again = await Talk.dial(netns, 80);
  await again.say("again");
  await new Talk((await client.offered()).channel).until("again");
});

Deno.test("a filter mirrors what matches, the original answers all", async () => {
  await using netns = await Netns.create();
  await using _original = await startOriginal(netns, "http", 80);
  await using client = await FakeClient.start(netns, { mode: "mirror" });
  await client.mirror(80, '{"path": "^/mine"}');
  using peer = await Talk.dial(netns, 80);
  for (const path of ["/other", "/mine/1", "/other", "/mine/2"]) {
    assert.match(await peer.ask(get(path)), /^original 1 /);
  }
  const offered = await client.offered();
  assert.equal(offered.http, true);
  const app = new Talk(offered.channel);
  assert.equal(await app.until("\r\n\r\n"), get("/mine/1"));
  assert.equal(await app.until("\r\n\r\n"), get("/mine/2"));
});

Deno.test("what makes no sense is refused by name", async () => {
  await using netns = await Netns.create();
  await using client = await FakeClient.start(netns, { mode: "mirror" });
  await client.mirror(80);
  const cases = [
    [client.mirror(80), 17, /has it already/],
    [client.subscribe(80), 17, /has it already/],
    [client.mirror(0), 22, /it is not a port/],
    [client.mirror(81, '{"header": "("}'), 22, /^Cannot use filter/],
    [client.unsubscribe(81), 2, /it is not stolen/],
  ] as const;
  for (const [asked, errno, sentence] of cases) {
    await assert.rejects(asked, (error) => {
      assert.ok(error instanceof RemoteError);
      assert.equal(error.errno, errno, error.message);
      assert.match(error.message, sentence);
      return true;
    });
  }
});

Deno.test("more ports than there is room for are refused one by one", async () => {
  await using netns = await Netns.create();
  await using client = await FakeClient.start(netns, { mode: "mirror" });
  for (let port = 1; port <= 256; port++) await client.mirror(port);
  await assert.rejects(client.mirror(257), /Cannot mirror port 257: .*E2BIG/);
  await client.unsubscribe(1);
  await client.mirror(257);
});

/** The agent inside the namespace with these capabilities and no others, as in a container. */
function withCapabilities(netns: Netns, names: string[]): string[] {
  const set = ["-all", ...names.map((name) => `+${name}`)].join(",");
  return netns.inside(["setpriv", `--bounding-set=${set}`, `--inh-caps=${set}`, "--no-new-privs"]);
}

for (
  const { have, says } of [
    { have: ["net_raw", "net_admin"], says: /^Cannot mirror ports: the agent lacks the capability BPF$/ },
    { have: ["bpf", "net_admin"], says: /^Cannot mirror ports: the agent lacks the capability NET_RAW$/ },
    { have: [], says: /^Cannot mirror ports: the agent lacks the capabilities BPF and NET_RAW$/ },
  ]
) {
  Deno.test(`an agent with ${have.join(" and ") || "nothing"} alone reports what mirroring needs`, async () => {
    await using netns = await Netns.create();
    await assert.rejects(
      FakeClient.start(netns, { mode: "mirror", prefix: withCapabilities(netns, have) }),
      (error: Error) => {
        assert.match(error.message, says);
        return true;
      },
    );
  });
}

Deno.test("BPF and NET_RAW are all that mirroring needs, and kill -9 leaves nothing", async () => {
  await using netns = await Netns.create();
  await using _original = await startOriginal(netns, "http", 80);
  await using client = await FakeClient.start(netns, {
    mode: "mirror",
    prefix: withCapabilities(netns, ["bpf", "net_raw"]),
  });
  await client.mirror(80);
  using peer = await Talk.dial(netns, 80);
  assert.match(await peer.ask(get("/")), /^original 1 /);
  await new Talk((await client.offered()).channel).until("\r\n\r\n");
  const sockets = async () => (await netns.run(["cat", "/proc/net/packet"])).trim().split("\n").length - 1;
  assert.equal(await sockets(), 2);
  client.agent.kill("SIGKILL");
  await client.agent.finished();
  assert.equal(await sockets(), 0);
  assert.match(await peer.ask(get("/after")), /^original 1 GET \/after/);
});
