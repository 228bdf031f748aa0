// Messages out of streams: pipelining, chunks, early answers, other protocols, and what is missing.

import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { Wire } from "../../tests/support/packets.ts";
import { Conversations, type SeenPacket } from "./conversations.ts";
import type { Exchange } from "./events.ts";
import { Exchanges } from "./exchanges.ts";
import { type Message, readBody } from "./message.ts";

interface Seen {
  /** One line for each event but content. */
  lines: string[];
  /** Each exchange as it was when it was over. */
  exchanges: { request: string; response: string }[];
}

function shown(message: Message): string {
  const { head, state, lost, size } = message;
  const first = head.method === "" ? `${head.status}` : `${head.method} ${head.target}`;
  const body = readBody(message, 1 << 20);
  const text = body.text === null ? `<${body.bytes.length} bytes>` : body.text;
  const rest = [state === "complete" ? "" : state, lost === 0 ? "" : `lost ${lost}`, body.compressed]
    .filter((one) => one !== "");
  return [first, size > 30 ? `${size} bytes` : text, ...rest].join("|");
}

function see(packets: SeenPacket[], keep = 1 << 20): Seen {
  const seen: Seen = { lines: [], exchanges: [] };
  const both = ({ request, response }: Exchange) => ({
    request: shown(request),
    response: response === null ? "none" : shown(response),
  });
  const exchanges = new Exchanges((event) => {
    if (event.type === "exchange") seen.exchanges.push(both(event.exchange));
    else if (event.type === "bytes") {
      seen.lines.push(`${event.side} ${new TextDecoder().decode(event.bytes)}`);
    } else if (event.type === "protocol") seen.lines.push(`speaks ${event.name}`);
    else if (event.type === "lost") seen.lines.push(`${event.side} lost ${event.count}`);
    else if (event.type === "head") seen.lines.push(`${event.side} head ${event.exchange.number}`);
    else if (event.type === "closed") seen.lines.push(`closed ${event.how}`);
  }, keep);
  const conversations = new Conversations(exchanges);
  for (const packet of packets) conversations.take(packet);
  conversations.end();
  return seen;
}

const get = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`;
const ok = (body: string, more = ""): string =>
  `HTTP/1.1 200 OK\r\nContent-Length: ${new TextEncoder().encode(body).length}\r\n${more}\r\n${body}`;

Deno.test("requests and answers find each other, pipelined and in any pieces", () => {
  for (const size of [1, 5, 1000]) {
    const wire = new Wire();
    const packets = wire.open();
    const cut = (side: "client" | "target", text: string) => {
      for (let at = 0; at < text.length; at += size) packets.push(wire.say(side, text.slice(at, at + size)));
    };
    cut("client", get("/one") + get("/two"));
    cut(
      "target",
      ok("first") + "HTTP/1.1 404 No\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
    );
    packets.push(...wire.close());
    assert.deepEqual(see(packets).exchanges, [
      { request: "GET /one|", response: "200|first" },
      { request: "GET /two|", response: "404|abcde" },
    ]);
  }
});

Deno.test("an answer to HEAD has no body, 100 is not the answer, one may go on to the end", () => {
  const wire = new Wire();
  const packets = [
    ...wire.open(),
    wire.say("client", "HEAD /h HTTP/1.1\r\n\r\n"),
    wire.say("target", "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n"),
    wire.say("client", "PUT /p HTTP/1.1\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n"),
    wire.say("target", "HTTP/1.1 100 Continue\r\n\r\n"),
    wire.say("client", "data"),
    wire.say("target", "HTTP/1.1 201 Created\r\n\r\nto the end"),
    wire.end("target"),
    wire.end("client"),
  ];
  assert.deepEqual(see(packets).exchanges, [
    { request: "HEAD /h|", response: "200|" },
    { request: "PUT /p|data", response: "201|to the end" },
  ]);
});

Deno.test("a compressed body is read, one that is cut stays as it is", () => {
  const body = gzipSync(new TextEncoder().encode("hello hello hello hello"));
  const head = `HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: ${body.length}\r\n\r\n`;
  const answer = new Uint8Array([...new TextEncoder().encode(head), ...body]);
  const packets = () => {
    const wire = new Wire();
    return [...wire.open(), wire.say("client", get("/")), wire.say("target", answer), ...wire.close()];
  };
  assert.match(see(packets()).exchanges[0]?.response ?? "", /^200\|(hello ?){4}$|bytes/);
  const [cut] = see(packets(), 10).exchanges;
  assert.match(cut?.response ?? "", /^200\|.*gzip$/);
});

Deno.test("a switch of protocols, and what is none of HTTP/1, comes as bytes", () => {
  const wire = new Wire();
  const upgraded = see([
    ...wire.open(),
    wire.say("client", "GET /ws HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"),
    wire.say("target", "HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nhi"),
    wire.say("client", "frame"),
    ...wire.close(),
  ]);
  assert.deepEqual(upgraded.exchanges, [{ request: "GET /ws|", response: "101|" }]);
  assert.deepEqual(upgraded.lines.slice(2), ["speaks websocket", "target hi", "client frame", "closed end"]);
  const other = new Wire();
  const banner = see([
    ...other.open(),
    other.say("target", "220 smtp\r\n"),
    other.say("client", "EHLO\r\n"),
    ...other.close(),
  ]);
  assert.deepEqual(banner.lines, [
    "speaks another protocol",
    "target 220 smtp\r\n",
    "client EHLO\r\n",
    "closed end",
  ]);
  const h2 = new Wire();
  const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
  assert.deepEqual(see([...h2.open(), h2.say("client", preface), ...h2.close()]).lines, [
    "speaks HTTP/2",
    `client ${preface}`,
    "closed end",
  ]);
});

Deno.test("a gap within a body is counted there, one between messages costs what was under way", () => {
  const wire = new Wire();
  const packets = [...wire.open(), wire.say("client", get("/a"))];
  packets.push(wire.say("target", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc"));
  wire.say("target", "defg");
  packets.push(wire.say("target", "hij"));
  wire.wait(4000);
  packets.push(wire.say("client", get("/b")), wire.say("target", ok("b")));
  wire.say("client", get("/never seen"));
  packets.push(wire.say("target", ok("?")), wire.say("client", get("/c")), wire.say("target", ok("c")));
  wire.wait(4000);
  packets.push(wire.say("client", get("/d")), wire.say("target", ok("d")), ...wire.close());
  const { exchanges, lines } = see(packets);
  assert.deepEqual(exchanges[0], { request: "GET /a|", response: "200|<10 bytes>|lost 4" });
  assert.deepEqual(exchanges[1], { request: "GET /b|", response: "200|b" });
  assert.deepEqual(exchanges.slice(2), [
    { request: "GET /c|", response: "200|c" },
    { request: "GET /d|", response: "200|d" },
  ]);
  assert.ok(lines.includes(`target lost ${ok("?").length}`), lines.join("\n"));
  assert.ok(lines.includes("target lost 4"), lines.join("\n"));
  assert.ok(lines.includes(`client lost ${get("/never seen").length}`), lines.join("\n"));
});

Deno.test("a request without an answer is told when the connection ends", () => {
  const wire = new Wire();
  const packets = [
    ...wire.open(),
    wire.say("client", "POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\nhalf"),
    wire.reset("client"),
  ];
  assert.deepEqual(see(packets).exchanges, [{
    request: "POST /|half|the connection ended",
    response: "none",
  }]);
});

Deno.test("a connection met midway is read from its next request", () => {
  const wire = new Wire();
  wire.open();
  const packets = [
    wire.say("client", "rest of a body"),
    wire.say("target", "rest"),
    wire.say("client", get("/m")),
  ];
  packets.push(wire.say("target", ok("m")), ...wire.close());
  const { exchanges, lines } = see(packets);
  assert.deepEqual(exchanges, [{ request: "GET /m|", response: "200|m" }]);
  assert.deepEqual(lines.slice(0, 2), ["client rest of a body", "target rest"]);
});

Deno.test("bytes at random: nothing is told twice, and nothing fails", () => {
  let seed = 7;
  const random = (most: number) => (seed = (seed * 1103515245 + 12345) & 0x7fffffff) % most;
  const pieces = [get("/"), ok("x"), "\r\n", "HTTP/1.1 ", "\0\x16\x03", "a".repeat(300), "0\r\n\r\n"];
  for (let round = 0; round < 300; round++) {
    const wire = new Wire();
    const packets = wire.open();
    let told = 0, sent = 0;
    for (let i = 0; i < 12; i++) {
      const text = pieces[random(pieces.length)] ?? "";
      packets.push(wire.say(random(2) === 0 ? "client" : "target", text));
      sent += text.length;
    }
    const exchanges = new Exchanges((event) => {
      if (event.type === "bytes") told += event.bytes.length;
      if (event.type === "head") told += event.message.head.size;
      if (event.type === "body") told += event.bytes.length;
    }, 100);
    const conversations = new Conversations(exchanges);
    for (const packet of packets) conversations.take(packet);
    conversations.end();
    assert.ok(told <= sent, `round ${round}: ${told} of ${sent}`);
  }
});
