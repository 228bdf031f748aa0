// The session's key: what the agent gets is enough to check a signature, and a signature is for one nonce.

import assert from "node:assert/strict";
import { SessionKey } from "./key.ts";

Deno.test("the public half checks what the private half signed, for that nonce only", async () => {
  const key = await SessionKey.generate();
  const raw = Uint8Array.fromBase64(key.publicKey);
  assert.equal(raw.length, 32);
  const nonce = crypto.getRandomValues(new Uint8Array(32));
  const signature = await key.sign(nonce);
  assert.equal(signature.length, 64);
  const check = await crypto.subtle.importKey("raw", raw, "Ed25519", false, ["verify"]);
  const message = (bytes: Uint8Array) =>
    new Uint8Array([...new TextEncoder().encode("mirrord-agent-v1\0"), ...bytes]);
  const verify = (bytes: Uint8Array) =>
    crypto.subtle.verify("Ed25519", check, new Uint8Array(signature), new Uint8Array(bytes));
  assert.equal(await verify(message(nonce)), true);
  assert.equal(await verify(nonce), false);
  assert.equal(await verify(message(new Uint8Array(32))), false);
});
