// The door: a link is a client's only after it signed a fresh challenge with the session's private key. Called by
// main.ts for each stream that reaches the agent. Until then it gets the challenge and nothing else, may send a
// few kilobytes, and has five seconds.

import { mirrordVersion } from "../core/base/version.ts";
import {
  agentMessages,
  agentProtocolVersion,
  type Body,
  decode,
  Link,
  LinkError,
  type LinkOptions,
  type LinkStream,
} from "../protocol-wasm/mod.ts";
import type { AgentFrame, AgentLink } from "./floor.ts";

const proofLimitMs = 5000;
const unprovenBytes = 4096;
const nonceBytes = 32;
const context = new TextEncoder().encode("mirrord-agent-v1\0");

/** A link whose other end holds the session's key, and what it asked for; `frames` goes on from there. */
export interface Proven {
  link: AgentLink;
  frames: AsyncIterator<AgentFrame>;
  prove: AgentFrame;
  asked: Body<typeof agentMessages.prove>;
}

/** The public key of `base64`, 32 raw bytes (RFC 8032). Rejects with TypeError or DOMException for anything else. */
export async function importPublicKey(base64: string): Promise<CryptoKey> {
  const raw = Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
  if (raw.length !== 32) throw new TypeError(`a public key has 32 bytes, this one ${raw.length}`);
  return await crypto.subtle.importKey("raw", raw, "Ed25519", false, ["verify"]);
}

/** Challenges `stream`; null when the proof fails, and then the stream is closed. */
export async function proveClient(
  stream: LinkStream,
  key: CryptoKey,
  heartbeat: NonNullable<LinkOptions["heartbeat"]>,
): Promise<Proven | null> {
  const meter = new MeteredStream(stream);
  const link: AgentLink = new Link(meter, agentMessages, { side: "agent", heartbeat });
  const late = setTimeout(() => link.close(new LinkError("no proof in time")), proofLimitMs);
  try {
    const nonce = crypto.getRandomValues(new Uint8Array(nonceBytes));
    await link.send("challenge", link.nextId(), {
      version: agentProtocolVersion,
      nonce,
      release: mirrordVersion,
    });
    const frames = link.received()[Symbol.asyncIterator]();
    const first = await frames.next();
    if (!first.done && first.value.name === "prove") {
      const asked = decode(agentMessages.prove, first.value.body);
      const signed = new Uint8Array([...context, ...nonce]);
      if (await crypto.subtle.verify("Ed25519", key, new Uint8Array(asked.signature), signed)) {
        meter.limit = Infinity;
        link.version = Math.min(asked.version, agentProtocolVersion);
        return { link, frames, prove: first.value, asked };
      }
    }
  } catch (error) {
    if (!(error instanceof LinkError)) throw error;
  } finally {
    clearTimeout(late);
  }
  link.close();
  return null;
}

/** A stream that ends when more than `limit` bytes came. */
class MeteredStream implements LinkStream {
  readonly #stream: LinkStream;
  limit = unprovenBytes;

  constructor(stream: LinkStream) {
    this.#stream = stream;
  }

  async read(into: Uint8Array): Promise<number | null> {
    if (this.limit === Infinity) return await this.#stream.read(into);
    if (this.limit === 0) return null;
    const count = await this.#stream.read(into.subarray(0, Math.min(into.length, this.limit)));
    if (count !== null) this.limit -= count;
    return count;
  }

  write(bytes: Uint8Array): Promise<void> {
    return this.#stream.write(bytes);
  }

  close(): void {
    this.#stream.close();
  }
}
