// Mirroring of what a network makes of a connection: packets out of order, twice, overlapping, lost, of
// nobody's connection. They are made by hand (packets.py) and sent to a real agent in a namespace of the
// test's own.

import assert from "node:assert/strict";
import { FakeClient } from "../support/fake_client.ts";
import { Netns } from "../support/netns.ts";
import { get, Talk } from "./talk.ts";

interface Handmade {
  seq: number;
  flags?: string;
  text?: string;
  port?: number;
  extension?: boolean;
  to?: string;
}

/** A namespace whose port 80 is mirrored; `send` brings packets to it. */
async function stage(): Promise<
  & { client: FakeClient; netns: Netns; send(family: "ipv4" | "ipv6", packets: Handmade[]): Promise<void> }
  & AsyncDisposable
> {
  const stack = new AsyncDisposableStack();
  const netns = stack.use(await Netns.create());
  const client = stack.use(await FakeClient.start(netns, { mode: "mirror" }));
  await client.mirror(80);
  const links = JSON.parse(await netns.run(["ip", "-j", "link", "show", "eth0"])) as { address: string }[];
  const script = new URL("./packets.py", import.meta.url).pathname;
  const send = async (family: "ipv4" | "ipv6", packets: Handmade[]) => {
    const child = new Deno.Command("python3", {
      args: [script, netns.name, links[0]?.address ?? "", netns[family]],
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    const writer = child.stdin.getWriter();
    await writer.write(new TextEncoder().encode(packets.map((one) => JSON.stringify(one) + "\n").join("")));
    await writer.close();
    const { stdout } = await child.output();
    assert.equal(new TextDecoder().decode(stdout), "sent\n");
  };
  return { client, netns, send, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

for (const family of ["ipv4", "ipv6"] as const) {
  Deno.test(`${family}: packets in any order, twice and overlapping are one stream, over the wrap-around`, async () => {
    await using pod = await stage();
    const isn = 0xfffffff0;
    const at = (offset: number) => isn + 1 + offset;
    await pod.send(family, [
      { seq: isn, flags: "S" },
      { seq: at(0) },
      { seq: at(12), text: "mnopqr" },
      { seq: at(6), text: "ghi" },
      { seq: at(8), text: "ijkl", extension: family === "ipv6" },
      { seq: at(12), text: "mnopqr" },
      { seq: at(-1), text: "?" },
      { seq: at(20), flags: "AF" },
      { seq: at(0), text: "abcdefgh" },
      { seq: at(4), text: "efghijklmnopqrst" },
    ]);
    const offered = await pod.client.offered();
    assert.equal(offered.peer.address, family === "ipv4" ? "192.0.2.9" : "2001:db8::9");
    assert.equal(offered.peer.port, 40000);
    assert.deepEqual(await new Talk(offered.channel).rest(), { heard: "abcdefghijklmnopqrst", reset: false });
  });
}

Deno.test("what never comes ends the mirrored connection, and the next request begins another", async () => {
  await using pod = await stage();
  const body = "POST /cut HTTP/1.1\r\nHost: pod\r\nContent-Length: 30\r\n\r\n0123456789";
  await pod.send("ipv4", [
    { seq: 99, flags: "S" },
    { seq: 100 },
    { seq: 100, text: body },
    { seq: 100 + body.length + 10, text: "0123456789" },
    { seq: 100 + body.length + 20, text: get("/next") },
  ]);
  const first = new Talk((await pod.client.offered()).channel);
  assert.deepEqual(await first.rest(), { heard: body, reset: true });
  const second = new Talk((await pod.client.offered()).channel);
  assert.equal(await second.until("\r\n\r\n"), get("/next"));
  await pod.client.noticed(/mirror of port 80 is incomplete: packets are missing, .* lost \d+ bytes/);
});

Deno.test("what never comes of another protocol is a gap that is reported, and the rest comes on a connection of its own", async () => {
  await using pod = await stage();
  await pod.send("ipv4", [
    { seq: 99, flags: "S" },
    { seq: 100 },
    { seq: 100, text: "one\n" },
    { seq: 108, text: "three\n" },
  ]);
  const first = new Talk((await pod.client.offered()).channel);
  assert.deepEqual(await first.rest(), { heard: "one\n", reset: true });
  const second = new Talk((await pod.client.offered()).channel);
  await second.until("three\n");
  await pod.client.noticed(/mirror of port 80 is incomplete: packets are missing, a connection lost 4 bytes/);
  // The next gap shows in an acknowledgement alone.
  await pod.send("ipv4", [{ seq: 120 }]);
  assert.deepEqual(await second.rest(), { heard: "", reset: true });
  await pod.send("ipv4", [{ seq: 120, text: "six\n" }, { seq: 124, flags: "AF" }]);
  const third = new Talk((await pod.client.offered()).channel);
  assert.deepEqual(await third.rest(), { heard: "six\n", reset: false });
});

Deno.test("the same ports a second time are another connection", async () => {
  await using pod = await stage();
  await pod.send("ipv4", [
    { seq: 1000, flags: "S" },
    { seq: 1001, text: "first" },
    { seq: 9000, flags: "S" },
    { seq: 9000, flags: "S" },
    { seq: 9001, text: "second" },
  ]);
  const first = new Talk((await pod.client.offered()).channel);
  assert.deepEqual(await first.rest(), { heard: "first", reset: false });
  const second = new Talk((await pod.client.offered()).channel);
  await second.until("second");
  await pod.send("ipv4", [{ seq: 9007, flags: "R" }]);
  assert.deepEqual(await second.rest(), { heard: "", reset: true });
});

Deno.test("packets to another host's address are none of the target's", async () => {
  await using pod = await stage();
  const to = "198.51.100.7";
  await pod.send("ipv4", [
    { seq: 10, flags: "S", to },
    { seq: 11, text: get("/other"), to },
    { seq: 11, flags: "S", port: 40001 },
    { seq: 12, text: get("/own"), port: 40001 },
  ]);
  const offered = await pod.client.offered();
  assert.equal(offered.local.address, pod.netns.ipv4);
  assert.equal(await new Talk(offered.channel).until("\r\n\r\n"), get("/own"));
});

Deno.test("a connection that is only opened is not reported", async () => {
  await using pod = await stage();
  await pod.send("ipv4", [
    ...Array.from({ length: 3000 }, (_, index) => ({ seq: 5, flags: "S", port: 10_000 + index })),
    { seq: 5, flags: "S" },
    { seq: 6, text: get("/") },
  ]);
  assert.equal((await pod.client.offered()).peer.port, 40000);
});
