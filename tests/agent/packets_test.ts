// Copies of packets against the real kernel: both ways, each once, with the loss of copies among them; and
// which ports there are. Each test has a namespace of its own.

import assert from "node:assert/strict";
import { readAddresses, readSegment } from "../../core/net/segment.ts";
import { Conversations } from "../../core/traffic/conversations.ts";
import { Exchanges } from "../../core/traffic/exchanges.ts";
import { type ByteChannel, type PacketRecord, PacketRecords, RemoteError } from "../../protocol-wasm/mod.ts";
import { deadline } from "../support/deadline.ts";
import { FakeClient } from "../support/fake_client.ts";
import { Netns } from "../support/netns.ts";
import { get, python, startOriginal, Talk } from "./talk.ts";

/** The copies of one port, as they come. */
class Copies {
  readonly #channel: ByteChannel;
  readonly #records = new PacketRecords();
  readonly seen: PacketRecord[] = [];

  private constructor(channel: ByteChannel) {
    this.#channel = channel;
  }

  static async of(client: FakeClient, ...ports: number[]): Promise<Copies> {
    const id = client.link.nextId();
    const asked = client.link.request("packets", {
      ports: Uint8Array.from(ports.flatMap((port) => [port >> 8, port & 255])),
    }, { id });
    const channel = client.link.openChannel(id);
    await deadline(asked, "packets are copied");
    return new Copies(channel);
  }

  /** Reads on until the bytes that went one way hold `text`; returns them. */
  async until(kind: "toTarget" | "fromTarget", text: string): Promise<string> {
    for (;;) {
      const said = this.said(kind);
      if (said.includes(text)) return said;
      await this.#read(`"${text}" in ${JSON.stringify(said)}`);
    }
  }

  /** Reads on to the first loss; returns how many packets are missing there. */
  async untilLost(): Promise<number> {
    for (;;) {
      const lost = this.seen.find(({ kind }) => kind === "lostByLink" || kind === "lostByKernel");
      if (lost !== undefined) return lost.length;
      await this.#read("a loss");
    }
  }

  async #read(what: string): Promise<void> {
    const bytes = await deadline(this.#channel.read(), what);
    assert.ok(bytes !== null, "the stream ended");
    this.seen.push(...this.#records.take(bytes));
  }

  said(kind: "toTarget" | "fromTarget"): string {
    return this.seen.filter((one) => one.kind === kind)
      .map(({ bytes }) => new TextDecoder().decode(readSegment(bytes)?.payload)).join("");
  }
}

for (const family of ["ipv4", "ipv6"] as const) {
  Deno.test(`${family}: both ways of a connection are copied, each packet once, with its time`, async () => {
    await using netns = await Netns.create();
    await using _original = await startOriginal(netns, "http", 80);
    await using client = await FakeClient.start(netns, { mode: "mirror" });
    const copies = await Copies.of(client, 80);
    const before = BigInt(Date.now()) * 1_000_000n;
    using peer = await Talk.dial(netns, 80, family);
    await peer.ask(get("/both"));
    const answer = await copies.until("fromTarget", "/both");
    assert.match(answer, /^HTTP\/1\.1 200 /);
    assert.equal(copies.said("toTarget").match(/GET \/both /g)?.length, 1);
    assert.equal(answer.match(/HTTP\/1\.1/g)?.length, 1);
    for (const { bytes, time, length } of copies.seen) {
      const { source, destination } = readAddresses(bytes);
      assert.ok([source, destination].includes(netns[family]), `${source} ${destination}`);
      assert.equal(length, bytes.length);
      assert.ok(time >= before - 5_000_000_000n && time <= BigInt(Date.now() + 5000) * 1_000_000n);
    }
  });
}

Deno.test("a connection inside the namespace is copied once each way", async () => {
  await using netns = await Netns.create();
  await using _original = await startOriginal(netns, "echo", 80, "127.0.0.1");
  await using client = await FakeClient.start(netns, { mode: "mirror" });
  const copies = await Copies.of(client, 80);
  await python(
    netns,
    `import socket
s = socket.create_connection(("127.0.0.1", 80)); s.sendall(b"inside"); s.shutdown(1)
print(s.makefile().read(), end="")`,
  );
  await copies.until("fromTarget", "inside");
  assert.deepEqual([copies.said("toTarget"), copies.said("fromTarget")], ["inside", "inside"]);
});

Deno.test("other ports and the target's own connections are not copied", async () => {
  await using netns = await Netns.create();
  await using _one = await startOriginal(netns, "echo", 80, "127.0.0.1");
  await using _other = await startOriginal(netns, "echo", 81, "127.0.0.1");
  await using client = await FakeClient.start(netns, { mode: "mirror" });
  const copies = await Copies.of(client, 80);
  await python(
    netns,
    `import socket
for port, text in ((81, b"other"), (80, b"asked")):
    s = socket.create_connection(("127.0.0.1", port)); s.sendall(text); s.shutdown(1); s.makefile().read()`,
  );
  await copies.until("fromTarget", "asked");
  assert.equal(copies.said("toTarget"), "asked");
});

Deno.test("what a slow session does not take is a record of how much that was, and the target waits for nothing", async () => {
  await using netns = await Netns.create();
  await using _original = await startOriginal(netns, "count", 80);
  await using client = await FakeClient.start(netns, { mode: "mirror" });
  const copies = await Copies.of(client, 80);
  using peer = await Talk.dial(netns, 80);
  const block = new Uint8Array(1 << 20).fill(0x61);
  for (let i = 0; i < 64; i++) await peer.say(block); // nobody reads the copies meanwhile
  await peer.closeWrite();
  assert.equal((await peer.rest()).heard, `${64 << 20} bytes`);
  assert.ok(await copies.untilLost() > 0);
  using next = await Talk.dial(netns, 80);
  await next.say("afterwards");
  await copies.until("toTarget", "afterwards");
});

Deno.test("the ports of the target process are told, and too many are refused", async () => {
  await using netns = await Netns.create();
  await using _one = await startOriginal(netns, "echo", 8081, "127.0.0.1");
  await using client = await FakeClient.start(netns, { mode: "mirror", anyProcess: true });
  const [frame] = await client.link.request("listening", {});
  assert.deepEqual([...frame?.body ?? []].slice(-2), [8081 >> 8, 8081 & 255]);
  await assert.rejects(Copies.of(client, ...Array.from({ length: 300 }, (_, i) => i + 1)), RemoteError);
});

Deno.test("beside a filtered steal each request has one answer, the original's or the session's", async () => {
  await using netns = await Netns.create();
  await using _original = await startOriginal(netns, "http", 80);
  await using thief = await FakeClient.start(netns);
  await thief.subscribe(80, '{"path":"^/mine"}');
  thief.handle(async ({ channel, take }) => {
    await take();
    await new Talk(channel).until("\r\n\r\n");
    await channel.write(new TextEncoder().encode("HTTP/1.1 201 Mine\r\nContent-Length: 4\r\n\r\nmine"));
  });
  await using client = await FakeClient.start(netns, { mode: "mirror" });
  const copies = await Copies.of(client, 80);
  using peer = await Talk.dial(netns, 80);
  await peer.ask(get("/theirs"));
  assert.equal(await peer.ask(get("/mine")), "mine");
  await copies.until("fromTarget", "201 Mine");
  const seen: string[] = [];
  const exchanges = new Exchanges((event) => {
    if (event.type !== "exchange") return;
    const { request, response } = event.exchange;
    seen.push(`${request.head.target} ${response?.head.status}`);
  }, 0);
  const conversations = new Conversations(exchanges);
  for (const { bytes, time, kind } of copies.seen) {
    conversations.take({ bytes, time, fromTarget: kind === "fromTarget" });
  }
  conversations.end();
  assert.deepEqual(seen, ["/theirs 200", "/mine 201"]);
});
