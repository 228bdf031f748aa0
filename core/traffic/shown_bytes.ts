// Bytes for people: text as lines, anything else as a hex dump. Called by the commands. What is longer than
// was asked for ends with how much that is. Pure.

const perLine = 16;
const strict = (isCut: boolean) => (bytes: Uint8Array): string =>
  new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes, { stream: isCut });

/** The first `most` of `bytes`, of `size` in all, one line each. */
export function shownBytes(bytes: Uint8Array, most: number, size = bytes.length): string[] {
  const part = bytes.subarray(0, most);
  const text = textOrNull(part, part.length < size);
  const lines = text === null ? hexLines(part) : text.replace(/\r?\n$/, "").split(/\r?\n/);
  return [...(part.length === 0 ? [] : lines), ...moreLine(size - part.length)];
}

/** The first `most` characters of `text`, one line each. */
export function shownText(text: string, most: number): string[] {
  const part = text.slice(0, most);
  return [
    ...(part === "" ? [] : part.replace(/\r?\n$/, "").split(/\r?\n/)),
    ...moreLine(text.length - part.length, "characters"),
  ];
}

/** Text, if these bytes are some; `isCut`: others followed. */
export function textOrNull(bytes: Uint8Array, isCut = false): string | null {
  try {
    const text = strict(isCut)(bytes);
    // deno-lint-ignore no-control-regex
    return /[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]/.test(text) ? null : text;
  } catch {
    return null;
  }
}

/** "00000000  16 03 01 …  |...|", as hexdump -C writes it. */
export function hexLines(bytes: Uint8Array): string[] {
  return Array.from({ length: Math.ceil(bytes.length / perLine) }, (_, row) => {
    const part = [...bytes.subarray(row * perLine, (row + 1) * perLine)];
    const hex = part.map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
    const text = part.map((byte) => byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : ".").join("");
    return `${(row * perLine).toString(16).padStart(8, "0")}  ${hex.padEnd(perLine * 3 - 1)}  |${text}|`;
  });
}

function moreLine(more: number, unit = "bytes"): string[] {
  return more > 0 ? [`… ${more} more ${unit}`] : [];
}
