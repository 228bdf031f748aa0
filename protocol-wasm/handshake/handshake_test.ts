// The handshake's parts: a signature holds for one side and one transcript, both ends derive the same keys,
// and any change on the way leads to other keys. tests/attack/neighbour_test.ts tests which clients pass.

import assert from "node:assert/strict";
import { announcementLine, readAnnouncement } from "./announcement.ts";
import { ExchangeKey, importPublicKey, type Said, SigningKey, transcriptOf, verifies } from "./handshake.ts";
import { agentProtocolVersion } from "../messages/agent_messages.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const said: Said = {
  client: bytes("client"),
  agent: bytes("agent"),
  challenge: bytes("challenge"),
  join: bytes("join"),
};

Deno.test("a transcript differs with every part of it, and with where a part ends", async () => {
  const others: Said[] = [
    { ...said, client: bytes("clienT") },
    { ...said, agent: bytes("agenT") },
    { ...said, challenge: bytes("challengE") },
    { ...said, join: bytes("joiN") },
    { ...said, client: bytes("clienta"), agent: bytes("gent") },
    { ...said, challenge: bytes("challeng"), join: bytes("ejoin") },
  ];
  const hashes = await Promise.all([said, ...others].map(async (one) => (await transcriptOf(one)).toHex()));
  assert.equal(new Set(hashes).size, hashes.length);
  assert.equal((await transcriptOf({ ...said })).toHex(), hashes[0]);
});

Deno.test("a signature is its owner's, of one transcript and of one side", async () => {
  const [own, other] = [await SigningKey.generate(), await SigningKey.generate()];
  const transcript = await transcriptOf(said);
  const signature = await own.sign("agent", transcript);
  assert.equal(signature.length, 64);
  const key = await importPublicKey(own.bytes);
  assert.ok(await verifies(key, "agent", { transcript, signature }));
  const changed = transcript.slice();
  changed[0] = (changed[0] ?? 0) ^ 1;
  const otherKey = await importPublicKey(other.bytes);
  assert.equal(
    await verifies(key, "client", { transcript, signature }),
    false,
    "it holds for the other side",
  );
  assert.equal(await verifies(key, "agent", { transcript: changed, signature }), false);
  assert.equal(await verifies(otherKey, "agent", { transcript, signature }), false);
  assert.equal(await verifies(key, "agent", { transcript, signature: new Uint8Array(64) }), false);
  assert.equal(await verifies(key, "agent", { transcript, signature: new Uint8Array(0) }), false);
});

Deno.test("a key's private half cannot be had, and its public half is 32 bytes", async () => {
  const key = await SigningKey.generate();
  assert.equal(Uint8Array.fromBase64(key.publicKey).toHex(), key.bytes.toHex());
  assert.equal(key.bytes.length, 32);
  assert.deepEqual(Object.keys(key), ["bytes"]);
  await assert.rejects(importPublicKey(new Uint8Array(31)), /32 bytes, this one 31/);
});

Deno.test("both ends come to the same two keys; with another key or transcript to others", async () => {
  const [one, two, third] = await Promise.all([1, 2, 3].map(() => ExchangeKey.generate()));
  assert.ok(one !== undefined && two !== undefined && third !== undefined);
  const transcript = await transcriptOf(said);
  const keys = await one.keysWith(two.bytes, transcript);
  assert.deepEqual(await two.keysWith(one.bytes, transcript), keys);
  assert.notDeepEqual(keys.client, keys.agent);
  assert.deepEqual([keys.client.length, keys.agent.length], [32, 32]);
  assert.notDeepEqual((await third.keysWith(one.bytes, transcript)).client, keys.client);
  assert.notDeepEqual((await two.keysWith(one.bytes, bytes("another"))).client, keys.client);
});

Deno.test("a public half that gives everybody the same secret is refused", async () => {
  const own = await ExchangeKey.generate();
  await assert.rejects(own.keysWith(new Uint8Array(32), bytes("transcript")));
  await assert.rejects(own.keysWith(new Uint8Array(31), bytes("transcript")));
});

Deno.test("an announcement is read back, and nothing else passes for one", async () => {
  const { bytes: key } = await SigningKey.generate();
  const line = announcementLine({ port: 41_234, key });
  assert.deepEqual(readAnnouncement(line), { version: agentProtocolVersion, port: 41_234, key });
  for (
    const wrong of ["", `info: ${line}`, `  ${line}`, `${line} `, line.slice(0, -1), `${line}\n`]
  ) {
    assert.equal(readAnnouncement(wrong), null, JSON.stringify(wrong));
  }
});
