// Bytes without an encoding as text with one character for each byte: names of hosts (RFC 1035, 3.1), paths,
// heads of HTTP messages (RFC 9110, 5.5). Called by session, agent and core/traffic. TextDecoder's "latin1"
// will not do: it reads 0x80 to 0x9f as Windows does.

import { Buffer } from "node:buffer";

/** One character, U+0000 to U+00FF, for each byte. */
export function byteText(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
}

/** The bytes of such a text. */
export function textBytes(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0) & 255);
}

/** ASCII letters in lower case, every other byte as it is (strcasecmp(3) in the C locale). */
export function lowerBytes(text: string): string {
  return text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}
