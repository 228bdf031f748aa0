// Which connections of a subscribed port the agent hands over, by the address that they are for: those that
// the session covers, and those of a server of the target's in whose place the app is, as long as there is
// one. Stolen and mirrored alike. And which sockets of the target serve an address.

import assert from "node:assert/strict";
import { agentMessages, decode, reachBits } from "../../protocol-wasm/mod.ts";
import { FakeClient } from "../support/fake_client.ts";
import { Netns } from "../support/netns.ts";
import { startOriginal, Talk } from "./talk.ts";

const { loopback4, other4, other6 } = reachBits;
const onLoopback = { covered: loopback4, standIn: other4 | other6 };

async function reached(client: FakeClient, port: number): Promise<number> {
  const [frame] = await client.link.request("reached", { port });
  return decode(agentMessages.reachedReply, frame?.body ?? new Uint8Array()).reach;
}

/** Connects to the pod's own address from another host: refused, or the name of the program that answers. */
async function fromOutside(netns: Netns, port: number): Promise<"refused" | "connected"> {
  try {
    using _conn = await Deno.connect({ hostname: netns.ipv4, port });
    return "connected";
  } catch (error) {
    assert.ok(error instanceof Deno.errors.ConnectionRefused);
    return "refused";
  }
}

Deno.test("a port of an app on loopback is stolen for others only while the target serves it on all addresses", async () => {
  await using netns = await Netns.create();
  await using client = await FakeClient.start(netns);
  await client.link.send("reach", 0, { port: 80, ...onLoopback });
  await client.subscribe(80);
  assert.equal(await reached(client, 80), loopback4);
  assert.equal(await fromOutside(netns, 80), "refused");
  {
    await using _one = await startOriginal(netns, "greet", 80, netns.ipv4); // a sidecar at the pod's own address
    assert.equal(await reached(client, 80), loopback4);
    using peer = await Talk.dial(netns, 80);
    await peer.until("220 the original\r\n");
  }
  {
    await using _all = await startOriginal(netns, "greet", 80);
    assert.equal(await reached(client, 80), loopback4 | other4 | other6);
    await client.link.send("reach", 0, { port: 80, ...onLoopback }); // looked at now
    await reached(client, 80);
    using peer = await Talk.dial(netns, 80);
    await (await client.offered()).take();
    await peer.say("x");
  }
  assert.equal(await reached(client, 80), loopback4);
  await client.link.send("reach", 0, { port: 80, covered: loopback4 | other4, standIn: 0 });
  assert.equal(await reached(client, 80), loopback4 | other4);
  assert.equal(await fromOutside(netns, 80), "connected");
});

Deno.test("a mirrored port of an app on loopback shows no connection that such an app would not get", async () => {
  await using netns = await Netns.create();
  await using _sidecar = await startOriginal(netns, "echo", 80, netns.ipv4);
  await using client = await FakeClient.start(netns, { mode: "mirror" });
  const offered: string[] = [];
  client.handle((one) => {
    offered.push(one.local.address);
    void one.take();
  });
  const turn = async (): Promise<void> => {
    using peer = await Talk.dial(netns, 80);
    await peer.say("x");
    await peer.until("x");
  };
  await client.link.send("reach", 0, { port: 80, ...onLoopback });
  await client.mirror(80);
  await turn();
  assert.equal(await reached(client, 80), loopback4);
  // What came before has been looked at once what comes now is here.
  await client.link.send("reach", 0, { port: 80, covered: loopback4 | other4, standIn: 0 });
  await reached(client, 80);
  const seen = Promise.withResolvers<void>();
  client.handle((one) => {
    offered.push(one.local.address);
    void one.take();
    seen.resolve();
  });
  await turn();
  await seen.promise;
  assert.deepEqual(offered, [netns.ipv4]);
});

Deno.test("the agent tells which addresses something of the target serves, by TCP and by UDP", async () => {
  await using netns = await Netns.create();
  await using _tcp = await startOriginal(netns, "echo", 81, "127.0.0.1");
  await using _wild = await startOriginal(netns, "echo", 82, "0.0.0.0");
  await using client = await FakeClient.start(netns);
  const served = async (address: string, port: number, stream = true): Promise<boolean> => {
    const [frame] = await client.link.request("served", { address: { address, port }, stream });
    return decode(agentMessages.servedReply, frame?.body ?? new Uint8Array()).inode !== 0;
  };
  assert.deepEqual(
    await Promise.all([
      served("127.0.0.1", 81),
      served("127.0.0.2", 81),
      served("::1", 81),
      served("127.0.0.1", 82),
      served("127.0.0.2", 82),
      served("::1", 82),
      served("127.0.0.1", 83),
      served("127.0.0.1", 81, false),
    ]),
    [true, false, false, true, true, false, false, false],
  );
});
