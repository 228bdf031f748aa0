// What is recorded, as other programs read it: HAR by its published schema, pcap-ng by tshark. Files are
// valid after every packet and every exchange, and only their owner's.

import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { readHar } from "../support/har.ts";
import { Wire } from "../support/packets.ts";
import { missingForTshark, tshark } from "../support/tshark.ts";
import { Conversations, type SeenPacket } from "../../core/traffic/conversations.ts";
import { Exchanges } from "../../core/traffic/exchanges.ts";
import { HarFile } from "../../core/traffic/har.ts";
import { PcapngFile } from "../../core/traffic/pcapng.ts";

async function inFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "mirrord-traffic-" });
  try {
    await use(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const isOwners = (path: string) => assert.equal((Deno.statSync(path).mode ?? 0) & 0o777, 0o600);
const bytes = (text: string) => new TextEncoder().encode(text);

function recordHar(path: string, packets: SeenPacket[], keep = 1 << 20, limit = keep): HarFile {
  const har = new HarFile(path, limit);
  const exchanges = new Exchanges((event) => event.type === "exchange" && har.add(event.exchange), keep);
  const conversations = new Conversations(exchanges);
  for (const packet of packets) conversations.take(packet);
  conversations.end();
  har.flush();
  return har;
}

Deno.test("a HAR file has each exchange as browsers write it, and is valid while it grows", async () => {
  await inFolder(async (folder) => {
    const path = `${folder}/a.har`;
    await Deno.writeTextFile(path, "what was there before".repeat(100), { mode: 0o644 });
    const wire = new Wire();
    const body = gzipSync(bytes("hello ".repeat(50)));
    using har = recordHar(path, [
      ...wire.open(),
      wire.say(
        "client",
        "POST /a?x=1&y=%20 HTTP/1.1\r\nHost: shop.example\r\nCookie: a=b; c=d\r\nContent-Length: 2\r\n\r\nhi",
      ),
      wire.say(
        "target",
        bytes(
          `HTTP/1.1 200 OK\r\nSet-Cookie: s=1; Path=/; HttpOnly; Expires=Wed, 21 Oct 2026 07:28:00 GMT\r\nContent-Type: text/plain\r\nContent-Encoding: gzip\r\nContent-Length: ${body.length}\r\n\r\n`,
        ),
      ),
      wire.say("target", body),
      wire.say("client", "GET /image HTTP/1.1\r\nHost: shop.example\r\n\r\n"),
      wire.say(
        "target",
        new Uint8Array([...bytes("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n"), 0, 1, 255]),
      ),
      wire.say("client", "GET /lost HTTP/1.1\r\nHost: shop.example\r\n\r\n"),
      wire.reset("client"),
    ]);
    isOwners(path);
    const { entries, comment } = await readHar(path);
    assert.equal(comment, undefined);
    const [first, second, third] = entries;
    assert.equal(entries.length, 3);
    assert.deepEqual([first?.request.url, first?.request.postData?.text], [
      "http://shop.example/a?x=1&y=%20",
      "hi",
    ]);
    assert.deepEqual(first?.request.cookies, [{ name: "a", value: "b" }, { name: "c", value: "d" }]);
    assert.equal(first?.response.content.text, "hello ".repeat(50));
    assert.deepEqual(second?.response.content, {
      size: 3,
      mimeType: "x-unknown",
      text: "AAH/",
      encoding: "base64",
    });
    assert.deepEqual([third?.response.status, third?._comment], [0, "no answer was seen"]);
    har.say("The recording is incomplete: 3 packets were not copied");
    har.flush();
    assert.match((await readHar(path)).comment ?? "", /3 packets/);
  });
});

for (const keep of [10, 1000]) {
  Deno.test(`a body that is longer than the limit is cut there, and the entry says so; ${keep} are kept`, () =>
    cutsBodies(keep));
}

async function cutsBodies(keep: number): Promise<void> {
  await inFolder(async (folder) => {
    const wire = new Wire();
    using _har = recordHar(
      `${folder}/a.har`,
      [
        ...wire.open(),
        wire.say("client", "GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
        wire.say(
          "target",
          `HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 100\r\n\r\n${"x".repeat(100)}`,
        ),
        ...wire.close(),
      ],
      keep,
      10,
    );
    const { entries: [entry] } = await readHar(`${folder}/a.har`);
    assert.deepEqual([entry?.response.content.text, entry?.response.content.size], ["x".repeat(10), 100]);
    assert.match(entry?._comment ?? "", /of the answer's body the first 10 of 100 bytes are kept/);
  });
}

Deno.test({
  name: "Wireshark reads the packets, their direction, and where some are missing",
  ignore: missingForTshark() !== null,
  fn: () =>
    inFolder(async (folder) => {
      const path = `${folder}/a.pcapng`;
      const wire = new Wire();
      const packets = [...wire.open(), wire.say("client", "GET /x HTTP/1.1\r\nHost: x\r\n\r\n")];
      const answer = wire.say("target", "HTTP/1.1 204 No Content\r\n\r\n");
      using stack = new DisposableStack();
      const file = stack.use(new PcapngFile(path, "process 7"));
      const add = ({ bytes, time, fromTarget }: SeenPacket) =>
        file.add({ bytes, length: bytes.length, time, fromTarget: fromTarget === true });
      for (const packet of packets) add(packet);
      file.flush();
      isOwners(path);
      assert.equal((await tshark(path, ["frame.number"])).length, packets.length); // as if killed here
      file.lose(7, "7 packets were not copied: they came too fast");
      add(answer);
      stack.dispose();
      const seen = await tshark(path, [
        "http.request.uri",
        "http.response.code",
        "frame.comment",
        "frame.packet_flags_direction",
      ]);
      assert.deepEqual(seen.slice(3), [
        "/x\t\t\t0x00000001",
        "\t204\t7 packets were not copied: they came too fast\t0x00000002",
      ]);
      const [epoch] = await tshark(path, ["frame.time_epoch"]);
      assert.equal(epoch, "1700000000.000000000");
    }),
});
