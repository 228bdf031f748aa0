// What a program gets of a recording, byte for byte.

import assert from "node:assert/strict";
import { byteText } from "../net/byte_text.ts";
import { readHead } from "./message.ts";
import { play } from "./play.ts";
import { type Recorded, sentHeaders } from "./recorded.ts";

/** The head that a program gets when a request with this one is played to it. */
async function playedHead(head: string): Promise<string> {
  const { method, target, headers } = readHead(new TextEncoder().encode(head));
  const request = { method, target, headers: sentHeaders(headers), body: new Uint8Array() };
  const part: Recorded = { kind: "request", label: "", host: "", at: 0, request, answer: null };
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { hostname, port } = listener.addr;
  const options = { hostname, port, patience: 20_000, signal: new AbortController().signal };
  const playing = play(part, { ...options, headers: [], ignore: new Set() });
  using conn = await listener.accept();
  const buffer = new Uint8Array(4096);
  const count = await conn.read(buffer);
  await conn.write(new TextEncoder().encode("HTTP/1.1 204 No Content\r\n\r\n"));
  assert.equal((await playing).status, 204);
  return byteText(buffer.subarray(0, count ?? 0));
}

Deno.test("a head is sent with the bytes that it had, whatever they are", async () => {
  const head = "GET / HTTP/1.1\r\nHost: shop\r\nX-Price: 5 \u20ac\r\n"; // the euro sign has the byte 0x82
  assert.equal(
    await playedHead(`${head}\r\n`),
    byteText(new TextEncoder().encode(`${head}Connection: close\r\n\r\n`)),
  );
});
