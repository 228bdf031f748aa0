// Time by packets, whatever this machine's clock says.

import assert from "node:assert/strict";
import { Wire } from "../../tests/support/packets.ts";
import { Conversations } from "./conversations.ts";
import { PacketTime } from "./packet_time.ts";

Deno.test("time goes on from the last packet, as long as none comes", () => {
  let clock = 5000;
  const time = new PacketTime(() => clock);
  assert.equal(time.now(), null);
  time.heard(1_000_000_000n);
  clock += 250;
  assert.equal(time.now(), 1_250_000_000n);
  time.heard(1_100_000_000n);
  assert.equal(time.now(), 1_100_000_000n);
});

Deno.test("a missing packet is waited for as long whether or not the clocks agree", () => {
  const wire = new Wire({ startsAt: Date.now() - 3_600_000 });
  const told: string[] = [];
  const conversations = new Conversations({
    opened() {},
    bytes: (_, { bytes }) => told.push(new TextDecoder().decode(bytes)),
    gap: () => told.push("gap"),
    ended() {},
    closed() {},
  });
  let clock = 0;
  const time = new PacketTime(() => clock);
  const open = wire.open();
  const [late, early] = [wire.say("client", "late"), wire.say("client", "early")];
  for (const packet of [...open, early]) {
    conversations.take(packet);
    time.heard(packet.time);
  }
  clock += 250;
  conversations.sweep(time.now() ?? 0n);
  conversations.take(late);
  assert.deepEqual(told, ["late", "early"]);
});
