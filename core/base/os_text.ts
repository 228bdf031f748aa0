// What the kernel keeps as bytes (arguments, variables, paths), as text that loses none of them: UTF-8 as it
// is, every other byte as one of the last 128 characters of Unicode's private planes. Called wherever such
// bytes come in or go out; scripts/arguments.c writes the same for the arguments of the compiled binary.
// Invariant: osBytes(osText(bytes)) is bytes. So a text that already has such a character is written byte by
// byte.

/** The character of byte 0; those of 0x80 to 0xff are used. */
const firstEscape = 0x10ff00;
const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();
const escapes = /[\u{10ff80}-\u{10ffff}]/u;
const everyEscape = /[\u{10ff80}-\u{10ffff}]/gu;

/** The text of `bytes`. */
export function osText(bytes: Uint8Array): string {
  try {
    const text = strict.decode(bytes);
    if (!escapes.test(text)) return text;
  } catch {
    // Not UTF-8 as a whole: piece by piece.
  }
  let text = "";
  for (let at = 0; at < bytes.length;) {
    const { piece, length } = pieceAt(bytes, at);
    text += piece;
    at += length;
  }
  return text;
}

/** The first character of what stands at `at`, or the escape of its first byte. */
function pieceAt(bytes: Uint8Array, at: number): { piece: string; length: number } {
  const lead = bytes[at] ?? 0;
  const length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  try {
    const piece = strict.decode(bytes.subarray(at, at + length));
    if (!escapes.test(piece)) return { piece, length };
  } catch {
    // No character begins here.
  }
  return { piece: String.fromCodePoint(firstEscape + lead), length: 1 };
}

/** The bytes of `text`. */
export function osBytes(text: string): Uint8Array<ArrayBuffer> {
  if (!hasRawBytes(text)) return encoder.encode(text);
  const bytes: number[] = [];
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    if (code >= firstEscape + 0x80) bytes.push(code - firstEscape);
    else bytes.push(...encoder.encode(character));
  }
  return Uint8Array.from(bytes);
}

/** Whether `text` stands for bytes that are not UTF-8. */
export function hasRawBytes(text: string): boolean {
  return escapes.test(text);
}

/** `text` for people: "\xE9" for a byte that is no text. */
export function shownText(text: string): string {
  return text.replace(everyEscape, (one) => {
    const byte = (one.codePointAt(0) ?? 0) - firstEscape;
    return `\\x${byte.toString(16).toUpperCase()}`;
  });
}
