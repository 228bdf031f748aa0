// Streams out of packets: order, loss, ends, and connections met midway.

import assert from "node:assert/strict";
import { Wire } from "../../tests/support/packets.ts";
import { connectionLimit, Conversations, type SeenPacket, type StreamTaker } from "./conversations.ts";

/** What came of `packets`, one line each. */
function told(packets: SeenPacket[], isEnded = true): string[] {
  const lines: string[] = [];
  const taker: StreamTaker = {
    opened: ({ number, isMidway }) => lines.push(`${number} opened${isMidway ? " midway" : ""}`),
    bytes: ({ number }, { side, bytes }) =>
      lines.push(`${number} ${side} ${new TextDecoder().decode(bytes)}`),
    gap: ({ number }, { side, count }) => lines.push(`${number} ${side} gap ${count}`),
    ended: ({ number }, side) => lines.push(`${number} ${side} ended`),
    closed: ({ number }, how) => lines.push(`${number} closed ${how}`),
  };
  const conversations = new Conversations(taker);
  for (const packet of packets) conversations.take(packet);
  if (isEnded) conversations.end();
  return lines;
}

const ends = ["1 client ended", "1 target ended", "1 closed end"];

for (const isKnown of [true, false]) {
  Deno.test(`both sides in order, each byte once; which side sent ${isKnown ? "is" : "is not"} known`, () => {
    const wire = new Wire();
    const packets = [...wire.open(), wire.say("client", "ask"), wire.say("target", "answer")];
    const [first, second] = [wire.say("client", "one"), wire.say("client", "two")];
    packets.push(second, first, first, ...wire.close());
    const seen = isKnown ? packets : packets.map(({ fromTarget: _fromTarget, ...rest }) => rest);
    assert.deepEqual(told(seen), [
      "1 opened",
      "1 client ask",
      "1 target answer",
      "1 client one",
      "1 client two",
      ...ends,
    ]);
  });
}

Deno.test("what never comes is a gap of its size, and what follows it comes after the time to wait", () => {
  const wire = new Wire();
  const packets = [...wire.open(), wire.say("target", "first")];
  wire.say("target", "missing");
  packets.push(wire.say("target", "last"));
  assert.deepEqual(told(packets, false), ["1 opened", "1 target first"]);
  assert.deepEqual(told([...packets, ...wire.close()]), [
    "1 opened",
    "1 target first",
    "1 client ended",
    "1 target gap 7",
    "1 target last",
    "1 target ended",
    "1 closed end",
  ]);
});

Deno.test("a sweep gives up what is missing for three seconds", () => {
  const wire = new Wire();
  const lines: string[] = [];
  const conversations = new Conversations({
    opened() {},
    bytes: (_, { bytes }) => lines.push(new TextDecoder().decode(bytes)),
    gap: (_, { count }) => lines.push(`gap ${count}`),
    ended() {},
    closed() {},
  });
  for (const packet of wire.open()) conversations.take(packet);
  wire.say("client", "gone");
  const packet = wire.say("client", "there");
  conversations.take(packet);
  conversations.sweep(packet.time + 2_900_000_000n);
  assert.deepEqual(lines, []);
  conversations.sweep(packet.time + 3_000_000_000n);
  assert.deepEqual(lines, ["gap 4", "there"]);
  wire.say("client", "lost copies");
  const next = wire.say("client", "next");
  conversations.take(next);
  conversations.hurry();
  conversations.sweep(next.time + 200_000_000n);
  assert.deepEqual(lines.slice(2), ["gap 11", "next"]);
});

Deno.test("a connection met midway begins with its client's next packet; answers to nobody are none", () => {
  const wire = new Wire();
  wire.open();
  const packets = [wire.say("target", "to nobody"), wire.say("client", "more"), wire.say("target", "answer")];
  assert.deepEqual(told(packets), ["1 opened midway", "1 client more", "1 target answer", "1 closed unseen"]);
});

Deno.test("a refused connection, and a reset one", () => {
  const refused = new Wire();
  const [syn] = refused.open();
  assert.ok(syn !== undefined);
  const wire = new Wire();
  const before = wire.open();
  refused.wait(1);
  assert.deepEqual(told([syn, new Wire().reset("target")]), ["1 opened", "1 closed refused"]);
  assert.deepEqual(told([...before, wire.say("client", "x"), wire.reset("client")]), [
    "1 opened",
    "1 client x",
    "1 closed reset",
  ]);
});

Deno.test("the same ports used again are another connection", () => {
  const [one, two] = [new Wire(), new Wire()];
  const [syn] = one.open();
  two.say("client", "moves on");
  const again = two.open();
  assert.ok(syn !== undefined);
  const lines = told([...new Wire().open(), ...again, two.say("client", "new")]);
  assert.deepEqual(lines, ["1 opened", "1 closed unseen", "2 opened", "2 client new", "2 closed unseen"]);
});

Deno.test("of too many connections the longest silent one is let go", () => {
  const packets: SeenPacket[] = [];
  for (let i = 0; i <= connectionLimit; i++) {
    const client = { address: "10.0.0.7", port: 1000 + i };
    packets.push(...new Wire({ client, startsAt: 1_700_000_000_000 + i * 10 }).open());
  }
  assert.deepEqual(told(packets, false).filter((line) => line.includes("closed")), ["1 closed unseen"]);
});
