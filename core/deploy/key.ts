// The session's key pair: the agent is started with the public half and speaks only to who signs its challenge.
// Made by deploy.ts, used by connect.ts. The private half cannot be exported and dies with this process.

/** What is signed: this text, then the nonce of the challenge. Keeps a signature from meaning anything elsewhere. */
const purpose = new TextEncoder().encode("mirrord-agent-v1\0");

/** An Ed25519 pair (RFC 8032). */
export class SessionKey {
  /** Raw public key, base64: goes into the agent's arguments. */
  readonly publicKey: string;
  readonly #private: CryptoKey;

  private constructor(publicKey: string, key: CryptoKey) {
    this.publicKey = publicKey;
    this.#private = key;
  }

  static async generate(): Promise<SessionKey> {
    const pair = await crypto.subtle.generateKey("Ed25519", false, ["sign", "verify"]);
    if (!("privateKey" in pair)) throw new TypeError("Ed25519 gave no key pair");
    const raw = new Uint8Array(await crypto.subtle.exportKey("raw", pair.publicKey));
    return new SessionKey(raw.toBase64(), pair.privateKey);
  }

  /** The 64-byte signature that answers `nonce`. */
  async sign(nonce: Uint8Array): Promise<Uint8Array> {
    const message = new Uint8Array(purpose.length + nonce.length);
    message.set(purpose);
    message.set(nonce, purpose.length);
    return new Uint8Array(await crypto.subtle.sign("Ed25519", this.#private, message));
  }
}
