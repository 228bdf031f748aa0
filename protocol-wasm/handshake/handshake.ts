// How session and agent prove their identity to each other, and the keys that only these two have afterwards.
// Called by agent/door.ts and core/deploy/connect.ts; greeting.ts carries the messages. Facts: RFC 8032
// (Ed25519), RFC 7748 (X25519), RFC 5869 (HKDF). Invariant: both signatures cover one transcript, which holds
// both identities, both fresh keys, the nonce, both versions and releases, and what is asked for. A party
// that only passes the messages on changes none of them and learns no key.

import { concatenate } from "./bytes.ts";

const utf8 = new TextEncoder();
const domain = utf8.encode("mirrord link 4\0");
const keyBytes = 32;
/** Length of an Ed25519 signature. */
const signatureBytes = 64;

/** The two ends of an agent link. */
export type Side = "client" | "agent";

/** An Ed25519 pair. The private half cannot be exported and dies with this process. */
export class SigningKey {
  /** The raw public half. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly #private: CryptoKey;

  private constructor(bytes: Uint8Array<ArrayBuffer>, key: CryptoKey) {
    this.bytes = bytes;
    this.#private = key;
  }

  static async generate(): Promise<SigningKey> {
    const { privateKey, bytes } = await generate("Ed25519", ["sign", "verify"]);
    return new SigningKey(bytes, privateKey);
  }

  /** The public half as arguments and logs have it. */
  get publicKey(): string {
    return this.bytes.toBase64();
  }

  /** This side's signature of a transcript. */
  async sign(side: Side, transcript: Uint8Array): Promise<Uint8Array> {
    return new Uint8Array(await crypto.subtle.sign("Ed25519", this.#private, statement(side, transcript)));
  }
}

/** A fresh X25519 pair, for one link. */
export class ExchangeKey {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly #private: CryptoKey;

  private constructor(bytes: Uint8Array<ArrayBuffer>, key: CryptoKey) {
    this.bytes = bytes;
    this.#private = key;
  }

  static async generate(): Promise<ExchangeKey> {
    const { privateKey, bytes } = await generate("X25519", ["deriveBits"]);
    return new ExchangeKey(bytes, privateKey);
  }

  /**
   * What this pair and the other side's public half give, bound to the transcript. Rejects for a half that is
   * none.
   */
  async keysWith(other: Uint8Array, transcript: Uint8Array): Promise<LinkKeys> {
    // The runtime ends with the whole process over a key of another length.
    if (other.length !== keyBytes) {
      throw new TypeError(`an exchange key has ${keyBytes} bytes, this one ${other.length}`);
    }
    const half = await crypto.subtle.importKey("raw", copy(other), "X25519", false, []);
    const shared = await crypto.subtle.deriveBits({ name: "X25519", public: half }, this.#private, 256);
    const secret = await crypto.subtle.importKey("raw", shared, "HKDF", false, ["deriveBits"]);
    const derive = async (side: Side): Promise<Uint8Array> => {
      const info = utf8.encode(`mirrord link 4: what the ${side} sends`);
      const how = { name: "HKDF", hash: "SHA-256", salt: copy(transcript), info };
      return new Uint8Array(await crypto.subtle.deriveBits(how, secret, 8 * keyBytes));
    };
    return { client: await derive("client"), agent: await derive("agent") };
  }
}

/** The key of the bytes that each side sends. */
export type LinkKeys = Readonly<Record<Side, Uint8Array>>;

/** All that one handshake said before the signatures: raw bodies, as they were on the wire. */
export interface Said {
  /** Public halves of the signing keys. */
  client: Uint8Array;
  agent: Uint8Array;
  challenge: Uint8Array;
  join: Uint8Array;
}

/** 32 bytes that differ when anything of `said` does. */
export async function transcriptOf({ client, agent, challenge, join }: Said): Promise<Uint8Array> {
  const parts = [client, agent, challenge, join].flatMap((part) => [lengthOf(part), part]);
  const hash = await crypto.subtle.digest("SHA-256", concatenate([domain, ...parts]));
  return new Uint8Array(hash);
}

/** Did the owner of `publicKey` sign this transcript as `side`? */
export async function verifies(
  publicKey: CryptoKey,
  side: Side,
  { transcript, signature }: { transcript: Uint8Array; signature: Uint8Array },
): Promise<boolean> {
  if (signature.length !== signatureBytes) return false;
  return await crypto.subtle.verify("Ed25519", publicKey, copy(signature), statement(side, transcript));
}

/** The public key of 32 raw bytes. Rejects with TypeError or DOMException for anything else. */
export async function importPublicKey(raw: Uint8Array): Promise<CryptoKey> {
  if (raw.length !== keyBytes) {
    throw new TypeError(`a public key has ${keyBytes} bytes, this one ${raw.length}`);
  }
  return await crypto.subtle.importKey("raw", copy(raw), "Ed25519", true, ["verify"]);
}

/** A signature of one side is never one of the other, nor one of another protocol's. */
function statement(side: Side, transcript: Uint8Array): Uint8Array<ArrayBuffer> {
  return concatenate([domain, utf8.encode(`the ${side} is this one\0`), transcript]);
}

async function generate(
  algorithm: "Ed25519" | "X25519",
  uses: KeyUsage[],
): Promise<{ privateKey: CryptoKey; bytes: Uint8Array<ArrayBuffer> }> {
  const pair = await crypto.subtle.generateKey(algorithm, false, uses);
  if (!("privateKey" in pair)) throw new TypeError(`${algorithm} gave no key pair`);
  const bytes = new Uint8Array(await crypto.subtle.exportKey("raw", pair.publicKey));
  return { privateKey: pair.privateKey, bytes };
}

function lengthOf(part: Uint8Array): Uint8Array {
  return new Uint8Array(new Uint32Array([part.length]).buffer);
}

function copy(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(bytes);
}
