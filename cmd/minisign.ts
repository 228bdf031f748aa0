// minisign's signatures, checked with nothing but the runtime: Ed25519 over BLAKE2b-512 of the file ("ED",
// the kind that is made today), and a second signature over the first and the trusted comment. Called by what
// installs a release; scripts/minisign.ts makes them. Format: minisign(1), "signature format".

import { createHash } from "node:crypto";
import { MirrordError } from "../core/base/errors.ts";

const commentStart = "trusted comment: ";

/** The parts of a base64 line: two bytes of algorithm, eight of key number, and what they belong to. */
interface Part {
  algorithm: string;
  keyNumber: string;
  bytes: Uint8Array<ArrayBuffer>;
}

/**
 * Checks `signature` (the text of a .minisig file) of `file` by `publicKey` (base64). Returns the trusted
 * comment; throws MirrordError for any other file, key or signature.
 */
export async function verifySignature(
  file: Uint8Array,
  options: { signature: string; publicKey: string },
): Promise<string> {
  const refuse = (state: string) => new MirrordError(`Cannot trust the signature: ${state}`);
  const [, first = "", comment = "", second = ""] = options.signature.split("\n");
  const key = partOf(options.publicKey, 32);
  const signed = partOf(first, 64);
  const whole = bytesOf(second);
  if (key === null || key.algorithm !== "Ed") throw refuse("the public key is no key of minisign");
  if (signed === null || whole?.length !== 64 || !comment.startsWith(commentStart)) {
    throw refuse("it is not in minisign's format");
  }
  if (signed.algorithm !== "ED") throw refuse("it is not of the kind that is made over a hash");
  if (signed.keyNumber !== key.keyNumber) {
    throw refuse(`it was made by the key ${signed.keyNumber}, not by ${key.keyNumber}`);
  }
  const imported = await crypto.subtle.importKey("raw", key.bytes, "Ed25519", false, ["verify"]);
  if (!await crypto.subtle.verify("Ed25519", imported, signed.bytes, fileHash(file))) {
    throw refuse("the file is another one");
  }
  const text = comment.slice(commentStart.length).replace(/\r$/, "");
  if (!await crypto.subtle.verify("Ed25519", imported, whole, commented(signed.bytes, text))) {
    throw refuse("its comment is another one");
  }
  return text;
}

/** What the first signature is over. */
export function fileHash(file: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(createHash("blake2b512").update(file).digest());
}

/** What the second signature is over. */
export function commented(signature: Uint8Array, comment: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array([...signature, ...new TextEncoder().encode(comment)]);
}

function partOf(line: string, length: number): Part | null {
  const bytes = bytesOf(line);
  if (bytes?.length !== 10 + length) return null;
  return {
    algorithm: new TextDecoder().decode(bytes.subarray(0, 2)),
    // minisign prints the number as a little-endian integer.
    keyNumber: bytes.slice(2, 10).reverse().toHex().toUpperCase(),
    bytes: bytes.slice(10),
  };
}

function bytesOf(line: string): Uint8Array<ArrayBuffer> | null {
  try {
    return Uint8Array.fromBase64(line.trim());
  } catch {
    return null;
  }
}
