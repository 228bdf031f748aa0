// A peer that asks and does not read: an agent reads no further until something was written, a session ends
// the link.

import assert from "node:assert/strict";
import { MemoryStream } from "../../tests/fuzz/memory_stream.ts";
import { frameBytes } from "../../tests/fuzz/frames.ts";
import { agentDoor } from "../messages/agent_limits.ts";
import { agentMessages } from "../messages/agent_messages.ts";
import { encode } from "../messages/codec.ts";
import { NonsenseError } from "../errors.ts";
import { Link } from "./link.ts";

const turns = async (count: number): Promise<void> => {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setTimeout(resolve));
};

/** `count` frames of `kind`, their ids two apart from `first` on. */
function frames(kind: "hostName" | "incoming", count: number, first: number): Uint8Array {
  const somewhere = { address: "10.0.0.1", port: 80 };
  const body = kind === "hostName"
    ? new Uint8Array()
    : encode(agentMessages.incoming, { port: 80, peer: somewhere, local: somewhere, http: false });
  const one = frameBytes({ kind: agentMessages[kind].kind, flags: 0, id: 0, body });
  const all = new Uint8Array(one.length * count);
  for (let index = 0; index < count; index++) {
    all.set(one, index * one.length);
    new DataView(all.buffer).setUint32(index * one.length + 8, first + 2 * index, true);
  }
  return all;
}

Deno.test("an agent whose client does not read stops reading, and goes on when it does", async () => {
  const stream = new MemoryStream();
  stream.stuck = true;
  await using agent = new Link(stream, agentMessages, { side: "agent", door: agentDoor("client") });
  let asked = 0;
  const answering = (async () => {
    for await (const frame of agent.received()) {
      asked++;
      agent.reply(frame, "hostNameReply", { name: "pod", search: "x".repeat(1000) }).catch(() => {});
    }
  })();
  const count = 30_000;
  stream.say(frames("hostName", count, 1));
  await turns(50);
  const most = 4096 + 1024 + 16; // debts, and what had come before
  assert.ok(asked > 1000 && asked <= most, `${asked} questions were taken`);
  stream.release();
  while (asked < count) await turns(1);
  agent.close();
  await answering;
});

Deno.test("a session whose agent offers on and does not read ends the link", async () => {
  const stream = new MemoryStream();
  stream.stuck = true;
  await using client = new Link(stream, agentMessages, { side: "client", door: agentDoor("agent") });
  const refusing = (async () => {
    for await (const frame of client.received()) client.fail(frame, 111, "nothing listens").catch(() => {});
  })();
  for (let part = 0; part < 7; part++) {
    stream.say(frames("incoming", 10_000, 2 + part * 20_000));
    await turns(20);
  }
  const reason = await client.closed;
  assert.ok(reason instanceof NonsenseError, String(reason));
  assert.match(reason.message, /asks, and does not read/);
  await refusing;
});
