// What people see of traffic: heads, bodies as they come, other protocols turn by turn.

import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { Conversations, type SeenPacket } from "../core/traffic/conversations.ts";
import { Exchanges } from "../core/traffic/exchanges.ts";
import { Wire } from "../tests/support/packets.ts";
import { TrafficLines } from "./traffic_lines.ts";

/**
 * The lines of `packets`, without the time of day; at each number a tick so many milliseconds after the last.
 */
function lines(packets: (SeenPacket | number)[], preview = 40): string[] {
  const shown = new TrafficLines(preview);
  const conversations = new Conversations(new Exchanges((event) => shown.take(event), 1 << 16));
  let now = 0n;
  for (const packet of packets) {
    if (typeof packet === "number") shown.tick(now + BigInt(packet) * 1_000_000n);
    else {
      now = packet.time;
      conversations.take(packet);
    }
  }
  conversations.end();
  return shown.takeLines().map((line) =>
    line.replace(/^\d\d:\d\d:\d\d\.\d{3} /, "").replace(/\([\d.]+ ms\)/, "(ms)")
  );
}

const get = "GET /a HTTP/1.1\r\nHost: shop\r\n\r\n";
const asked = ["#1 > GET http://shop/a (10.0.0.7:40000 > 10.0.0.1:8080)", "    Host: shop"];

Deno.test("a request and its answer with the beginning of the body", () => {
  const wire = new Wire();
  const packets = [...wire.open(), wire.say("client", get)];
  packets.push(
    wire.say("target", `HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n${"x".repeat(50)}`),
    ...wire.close(),
  );
  const answer = [
    "#1 < 200 OK (ms)",
    "    Content-Length: 50",
    "",
    `    ${"x".repeat(40)}`,
    "    … 10 more characters",
  ];
  assert.deepEqual(lines(packets), [...asked, ...answer]);
});

Deno.test("a body that grows is shown as it comes, and how much more there was at the end", () => {
  const wire = new Wire();
  const packets: (SeenPacket | number)[] = [...wire.open(), wire.say("client", get)];
  packets.push(wire.say("target", "HTTP/1.1 200 OK\r\nContent-Length: 60\r\n\r\none\n"), 400, 600);
  packets.push(wire.say("target", "two\n"), 600, wire.say("target", "z".repeat(52)), 600, ...wire.close());
  assert.deepEqual(lines(packets).slice(4), [
    "",
    "    one",
    "    two",
    `    ${"z".repeat(32)}`,
    "    … 20 more bytes",
  ]);
});

Deno.test("a compressed body is shown when it is complete, and never in part", () => {
  const body = gzipSync(new TextEncoder().encode("readable"));
  const wire = new Wire();
  const packets: (SeenPacket | number)[] = [...wire.open(), wire.say("client", get)];
  packets.push(
    wire.say("target", `HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: ${body.length}\r\n\r\n`),
  );
  packets.push(wire.say("target", body.slice(0, 5)), 600, 1200, wire.say("target", body.slice(5)));
  assert.deepEqual(lines([...packets, ...wire.close()]).slice(5), ["", "    readable"]);
});

Deno.test("other protocols turn by turn, with what was not shown of a turn", () => {
  const wire = new Wire();
  const packets = [...wire.open(), wire.say("target", "hello\n"), wire.say("client", Uint8Array.of(0, 1, 2))];
  packets.push(wire.say("target", "y".repeat(30)), wire.say("target", "y".repeat(30)), ...wire.close());
  const label = "c1 10.0.0.7:40000 > 10.0.0.1:8080";
  assert.deepEqual(lines(packets), [
    `${label} speaks another protocol`,
    `${label} < 6 bytes`,
    "    hello",
    `${label} > 3 bytes`,
    "    00000000  00 01 02                                         |...|",
    `${label} < 30 bytes`,
    `    ${"y".repeat(30)}`,
    `${label} < 30 bytes`,
    `    ${"y".repeat(10)}`,
    `    … 20 more bytes < of ${label}`,
    `${label} closed`,
  ]);
});

Deno.test("an answer that never came, and one that was cut, are told", () => {
  const wire = new Wire();
  const packets = [...wire.open(), wire.say("client", get), wire.reset("client")];
  assert.deepEqual(lines(packets), [...asked, "#1 < no answer: the connection ended before"]);
  const cut = new Wire();
  const half = [
    ...cut.open(),
    cut.say("client", get),
    cut.say("target", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"),
  ];
  assert.equal(lines([...half, cut.reset("target")]).at(-1), "#1 < not complete: the connection ended");
});
