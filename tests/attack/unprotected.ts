// The link as it was before both ends proved themselves: only the client signs, only a nonce, and the bytes
// behind it are plain; the client picks the port and dials it until somebody answers. For the attacks to
// succeed on. Nothing shipped comes here.

import assert from "node:assert/strict";
import { agentMessages, decode, Link, type LinkStream } from "../../protocol-wasm/mod.ts";

const context = new TextEncoder().encode("mirrord-agent-v1\0");

const signed = (nonce: Uint8Array): Uint8Array<ArrayBuffer> => new Uint8Array([...context, ...nonce]);

/** The agent of one client: what it answers to `env` is `variables`. */
export async function serveUnprotected(
  stream: LinkStream,
  client: CryptoKey,
  variables: string,
): Promise<void> {
  await using link = new Link(stream, agentMessages, { side: "agent" });
  const nonce = crypto.getRandomValues(new Uint8Array(32));
  await link.send("challenge", link.nextId(), { version: 3, nonce, release: "0.1.0" });
  for await (const frame of link.received()) {
    if (frame.name === "prove") {
      const signature = new Uint8Array(decode(agentMessages.prove, frame.body).signature);
      if (!await crypto.subtle.verify("Ed25519", client, signature, signed(nonce))) return;
      await link.reply(frame, "welcome", { version: 3, kernel: "6.1.0" });
    }
    if (frame.name === "env") await link.reply(frame, "env", new TextEncoder().encode(variables));
  }
}

/** The client: the variables that it gets. */
export async function askUnprotected(stream: LinkStream, key: CryptoKey): Promise<string> {
  await using link = new Link(stream, agentMessages, { side: "client" });
  const frames = link.received()[Symbol.asyncIterator]();
  const challenge = await frames.next();
  assert.ok(!challenge.done && challenge.value.name === "challenge");
  const { nonce } = decode(agentMessages.challenge, challenge.value.body);
  const signature = new Uint8Array(await crypto.subtle.sign("Ed25519", key, signed(nonce)));
  const asked = { version: 3, signature, release: "0.1.0", steal: false, mirror: false };
  await link.send("prove", link.nextId(), asked);
  const welcome = await frames.next();
  assert.ok(!welcome.done && welcome.value.name === "welcome");
  const [answer] = await link.request("env", { include: "", exclude: "" });
  return new TextDecoder().decode(answer?.body);
}
