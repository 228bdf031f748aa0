import assert from "node:assert/strict";
import { FakeClient } from "../support/fake_client.ts";
import { Netns } from "../support/netns.ts";
Deno.test("a stolen connection reaches the client", async () => {
  await using netns = await Netns.create();
  await using client = await FakeClient.start(netns);
  await client.subscribe(80);
  using conn = await Deno.connect({ hostname: netns.ipv4, port: 80 });
  await conn.write(new TextEncoder().encode("hello"));
  const offered = await client.offered();
  await offered.take();
  assert.equal(offered.peer.address, netns.hostIpv4);
  assert.equal(new TextDecoder().decode(await offered.channel.read() ?? new Uint8Array()), "hello");
  await offered.channel.write(new TextEncoder().encode("stolen"));
  const b = new Uint8Array(10);
  assert.equal(await conn.read(b), 6);
  assert.equal(await client.goodbye(), 0);
});
