// What a filter lets through: requests with their answers, and what is left of their connections.

import assert from "node:assert/strict";
import { Wire } from "../../tests/support/packets.ts";
import { Chosen } from "./chosen.ts";
import { Conversations, type SeenPacket } from "./conversations.ts";
import { Exchanges } from "./exchanges.ts";

const filter = JSON.stringify({ path: "^/mine" });

function chosen(packets: SeenPacket[], ports: number[] | null = null): string[] {
  using choice = new Chosen(filter, ports);
  const seen: string[] = [];
  const exchanges = new Exchanges((event) => {
    if (!choice.wants(event)) return;
    if (event.type === "exchange") seen.push(event.exchange.request.head.target);
    else if (event.type === "bytes") seen.push(new TextDecoder().decode(event.bytes));
    else if (event.type === "lost") seen.push(`lost ${event.count}`);
  }, 100);
  const conversations = new Conversations(exchanges);
  for (const packet of packets) conversations.take(packet);
  conversations.end();
  return seen;
}

const upgrade = "Connection: Upgrade\r\nUpgrade: x\r\n\r\n";

/** Two requests, then a change to another protocol by `last`. */
function packets(last: string): SeenPacket[] {
  const wire = new Wire();
  const seen = wire.open();
  for (const path of ["/mine/1", "/other"]) {
    seen.push(wire.say("client", `GET ${path} HTTP/1.1\r\n\r\n`));
    seen.push(wire.say("target", "HTTP/1.1 204 No\r\n\r\n"));
  }
  seen.push(wire.say("client", `GET ${last} HTTP/1.1\r\n${upgrade}`));
  seen.push(wire.say("target", `HTTP/1.1 101 Yes\r\n${upgrade}`), wire.say("target", "hi"));
  return [...seen, ...wire.close()];
}

Deno.test("requests that match, and what their connections then speak", () => {
  assert.deepEqual(chosen(packets("/mine/2")), ["/mine/1", "/mine/2", "hi"]);
  assert.deepEqual(chosen(packets("/theirs")), ["/mine/1"]);
});

Deno.test("ports that the filter is not for have all; losses always count", () => {
  assert.deepEqual(chosen(packets("/theirs"), [1]), ["/mine/1", "/other", "/theirs", "hi"]);
  const wire = new Wire();
  const seen = wire.open();
  wire.say("client", "gone");
  assert.deepEqual(chosen([...seen, wire.say("client", "there"), ...wire.close()]), ["lost 4"]);
});
