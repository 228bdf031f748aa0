// Recordings of other programs: packet files of each kind and link, HAR files as browsers write them, and
// files that are neither.

import assert from "node:assert/strict";
import { Wire } from "../../tests/support/packets.ts";
import { ConfigError } from "../base/errors.ts";
import type { SeenPacket } from "./conversations.ts";
import { PcapngFile } from "./pcapng.ts";
import type { Recorded, Recording } from "./recorded.ts";
import { readRecording } from "./recording.ts";

async function read(content: Uint8Array | string | ((path: string) => void)): Promise<Recording> {
  const folder = await Deno.makeTempDir({ prefix: "mirrord-recording-" });
  const path = `${folder}/file`;
  try {
    if (typeof content === "string") await Deno.writeTextFile(path, content);
    else if (content instanceof Uint8Array) await Deno.writeFile(path, content);
    else content(path);
    return await readRecording(path);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** One request, and a conversation in another protocol. */
function traffic(): SeenPacket[] {
  const wire = new Wire();
  const other = new Wire({ client: { address: "10.0.0.7", port: 40_001 }, startsAt: 1_700_000_000_500 });
  return [
    ...wire.open(),
    wire.say(
      "client",
      "POST /a?b=c HTTP/1.1\r\nHost: shop\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nhi",
    ),
    wire.say("target", "HTTP/1.1 201 Created\r\nContent-Length: 4\r\n\r\ndone"),
    ...wire.close(),
    ...other.open(),
    other.say("target", "welcome\n"),
    other.say("client", "quit\n"),
    other.say("target", "bye\n"),
    ...other.close(),
  ];
}

function summary({ parts, left }: Recording): unknown {
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return [
    ...parts.map((part: Recorded) =>
      part.kind === "request"
        ? [
          part.label,
          Math.round(part.at),
          text(part.request.body),
          part.answer?.status,
          text(part.answer?.body ?? new Uint8Array()),
        ]
        : [part.label, Math.round(part.at), ...part.turns.map(({ side, bytes }) => `${side} ${text(bytes)}`)]
    ),
    ...left.map(({ label, why }) => `${label}: ${why}`),
  ];
}

const expected = [
  ["POST /a?b=c", 0, "hi", 201, "done"],
  ["10.0.0.7:40001 > 10.0.0.1:8080", 497, "target welcome\n", "client quit\n", "target bye\n"],
];

Deno.test("what dump writes can be played", async () => {
  const recording = await read((path) => {
    using file = new PcapngFile(path, "test");
    for (const { bytes, time, fromTarget } of traffic()) {
      file.add({ bytes, length: bytes.length, time, fromTarget: fromTarget === true });
    }
  });
  assert.deepEqual(summary(recording), expected);
});

/** The packets as a classic pcap file, each behind `link`. */
function classic(linkType: number, link: number[], { isLittle = true, isNano = false } = {}): Uint8Array {
  const packets = traffic();
  const size = packets.reduce((sum, { bytes }) => sum + 16 + link.length + bytes.length, 24);
  const file = new Uint8Array(size);
  const view = new DataView(file.buffer);
  view.setUint32(0, isNano ? 0xa1b23c4d : 0xa1b2c3d4, isLittle);
  view.setUint32(20, linkType, isLittle);
  let at = 24;
  for (const { bytes, time } of packets) {
    view.setUint32(at, Number(time / 1_000_000_000n), isLittle);
    view.setUint32(at + 4, Number(time % 1_000_000_000n) / (isNano ? 1 : 1000), isLittle);
    view.setUint32(at + 8, link.length + bytes.length, isLittle);
    view.setUint32(at + 12, link.length + bytes.length, isLittle);
    file.set(link, at + 16);
    file.set(bytes, at + 16 + link.length);
    at += 16 + link.length + bytes.length;
  }
  return file;
}

const zeros = (count: number): number[] => Array(count).fill(0);
const links: [string, number, number[]][] = [
  ["raw IP", 101, []],
  ["Ethernet", 1, [...zeros(12), 8, 0]],
  ["a VLAN of Ethernet", 1, [...zeros(12), 0x81, 0, 0, 7, 8, 0]],
  ["any device of Linux", 113, [...zeros(14), 8, 0]],
  ["any device of Linux, version 2", 276, [8, 0, ...zeros(18)]],
  ["loopback of BSD", 0, [2, 0, 0, 0]],
];

for (const [name, linkType, link] of links) {
  Deno.test(`a pcap file of ${name} can be played`, async () => {
    assert.deepEqual(summary(await read(classic(linkType, link))), expected);
  });
}

Deno.test("a pcap file of either byte order, with nanoseconds, and one that was cut", async () => {
  assert.deepEqual(summary(await read(classic(101, [], { isLittle: false, isNano: true }))), expected);
  const [first] = (await read(classic(101, []).slice(0, -300))).parts;
  assert.equal(first?.label, "POST /a?b=c");
});

Deno.test("a link that is not known, and a file that is no recording, are refused", async () => {
  await assert.rejects(read(classic(147, [])), /link type 147 is not known/);
  await assert.rejects(
    read("hello"),
    (error) => error instanceof ConfigError && /no HAR, pcap or pcap-ng/.test(error.message),
  );
  await assert.rejects(
    read('{"log":{}}'),
    (error) => error instanceof ConfigError && /log.entries/.test(error.help ?? ""),
  );
});

/** An entry as Chromium writes it. */
function entry(
  more: Record<string, unknown> = {},
  request: Record<string, unknown> = {},
  response: Record<string, unknown> = {},
) {
  return {
    startedDateTime: "2026-01-01T00:00:00.250Z",
    request: {
      method: "GET",
      url: "https://shop.example/page?x=1#top",
      httpVersion: "http/2.0",
      headers: [{ name: ":authority", value: "shop.example" }, { name: "accept", value: "*/*" }, {
        name: "content-length",
        value: "3",
      }],
      ...request,
    },
    response: {
      status: 200,
      headers: [],
      content: { size: 2, text: "b2s=", encoding: "base64" },
      ...response,
    },
    ...more,
  };
}

const harOf = (...entries: unknown[]) =>
  JSON.stringify({ log: { version: "1.2", creator: { name: "WebInspector", version: "1" }, entries } });

Deno.test("requests that a browser made by HTTP/2 become requests of HTTP/1", async () => {
  const early = entry({ startedDateTime: "2026-01-01T00:00:00.000Z" }, {
    method: "POST",
    postData: { mimeType: "application/x-www-form-urlencoded", params: [{ name: "a b", value: "c" }] },
  });
  const { parts, isOneTarget } = await read(harOf(entry(), early));
  assert.equal(isOneTarget, false);
  const [first, second] = parts;
  assert.ok(first?.kind === "request" && second?.kind === "request");
  assert.deepEqual([first.at, second.at], [0, 250]);
  assert.equal(new TextDecoder().decode(first.request.body), "a+b=c");
  assert.deepEqual(second.request.headers, [{ name: "Host", value: "shop.example" }, {
    name: "accept",
    value: "*/*",
  }]);
  assert.deepEqual([second.request.target, second.host], ["/page?x=1", "shop.example"]);
  assert.equal(new TextDecoder().decode(second.answer?.body), "ok");
});

Deno.test("what is not known or cannot be played is told", async () => {
  const recording = await read(harOf(
    entry({}, { url: "wss://shop.example/socket" }),
    entry({}, { method: "POST", bodySize: 10 }),
    entry({}, {}, { status: 0 }),
    entry({}, {}, { content: { size: 100 } }),
  ));
  assert.deepEqual(recording.left.map(({ why }) => why), [
    "its URL is not of HTTP",
    "the recording has not all of its body",
  ]);
  const [unanswered, large] = recording.parts;
  assert.ok(unanswered?.kind === "request" && unanswered.answer === null);
  assert.ok(large?.kind === "request" && large.answer?.isCut === true);
});
