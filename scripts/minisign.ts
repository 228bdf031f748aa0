// Signs as minisign(1) does, with a secret key without a password (`minisign -G -W`, or newKey below);
// cmd/minisign.ts is the other half. Called by release.ts. Same key, same file, same signature: there is no
// time in it.

import { commented, fileHash } from "../cmd/minisign.ts";

/** DER in front of an Ed25519 seed (RFC 8410, section 7). */
const seedHeader = Uint8Array.fromHex("302e020100300506032b657004220420");

/** The files' texts of a new key pair. */
export interface KeyPair {
  secretKey: string;
  publicKey: string;
}

/** A key pair, for tests and for the first signed release. */
export async function newKey(): Promise<KeyPair> {
  const pair = await crypto.subtle.generateKey("Ed25519", true, ["sign", "verify"]) as CryptoKeyPair;
  const seed = new Uint8Array(await crypto.subtle.exportKey("pkcs8", pair.privateKey)).slice(-32);
  const point = new Uint8Array(await crypto.subtle.exportKey("raw", pair.publicKey));
  const number = crypto.getRandomValues(new Uint8Array(8));
  const kinds = new Uint8Array(["E", "d", "\0", "\0", "B", "2"].map((letter) => letter.charCodeAt(0)));
  // Salt, limits and checksum are those of a password: none.
  const bytes = new Uint8Array([
    ...kinds,
    ...new Uint8Array(48),
    ...number,
    ...seed,
    ...point,
    ...new Uint8Array(32),
  ]);
  const name = number.slice().reverse().toHex().toUpperCase();
  const shown = new Uint8Array([...letters("Ed"), ...number, ...point]);
  return {
    secretKey: `untrusted comment: minisign secret key ${name}\n${bytes.toBase64()}\n`,
    publicKey: `untrusted comment: minisign public key ${name}\n${shown.toBase64()}\n`,
  };
}

/** The .minisig file of `file` by `secretKey` (the text of its file). */
export async function sign(
  file: Uint8Array,
  options: { secretKey: string; comment: string },
): Promise<string> {
  const { number, seed, point } = readSecretKey(options.secretKey);
  const key = await crypto.subtle.importKey(
    "pkcs8",
    new Uint8Array([...seedHeader, ...seed]),
    "Ed25519",
    false,
    ["sign"],
  );
  const first = new Uint8Array(await crypto.subtle.sign("Ed25519", key, fileHash(file)));
  // A damaged key would sign what nobody can verify.
  const shown = await crypto.subtle.importKey("raw", new Uint8Array(point), "Ed25519", false, ["verify"]);
  if (!await crypto.subtle.verify("Ed25519", shown, first, fileHash(file))) {
    throw new Error("Cannot sign with the given key: its halves do not belong together");
  }
  const second = new Uint8Array(
    await crypto.subtle.sign("Ed25519", key, commented(first, options.comment)),
  );
  return [
    "untrusted comment: signature of mirrord's release",
    new Uint8Array([...letters("ED"), ...number, ...first]).toBase64(),
    `trusted comment: ${options.comment}`,
    second.toBase64(),
    "",
  ].join("\n");
}

/** The base64 of the public key that belongs to a secret one. */
export function publicKeyOf(secretKey: string): string {
  const { number, point } = readSecretKey(secretKey);
  return new Uint8Array([...letters("Ed"), ...number, ...point]).toBase64();
}

function readSecretKey(text: string): { number: Uint8Array; seed: Uint8Array; point: Uint8Array } {
  const refuse = (state: string) => new Error(`Cannot sign with the given key: ${state}`);
  let bytes: Uint8Array;
  try {
    bytes = Uint8Array.fromBase64((text.split("\n")[1] ?? "").trim());
  } catch {
    throw refuse("it is not in minisign's format");
  }
  if (bytes.length !== 158) throw refuse("it is not in minisign's format");
  if (bytes[2] !== 0) {
    throw refuse('it has a password; "minisign -G -W" makes one without, for a store of secrets');
  }
  const secret = bytes.subarray(54, 126);
  return { number: secret.subarray(0, 8), seed: secret.subarray(8, 40), point: secret.subarray(40) };
}

function letters(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
