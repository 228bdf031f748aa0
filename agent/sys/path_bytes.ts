// Paths as bytes: their names, and what is before the last one. Called by target_root.ts. A path is no text:
// it may hold any byte.

import { textBytes } from "../../core/net/byte_text.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** A path and what it is relative to: an open folder; null: the root. */
export interface Path {
  fd: number | null;
  /** Without its zero byte. Empty: the descriptor itself. */
  path: Uint8Array;
}

export const slash = 0x2f;
const dot = 0x2e;

/** Up to a zero byte, as for the kernel. */
export function ended({ fd, path }: Path): Path {
  const end = path.indexOf(0);
  return { fd, path: end < 0 ? path : path.subarray(0, end) };
}

/** What is before the last name, and that with the slashes behind it. */
export function split(path: Uint8Array): [folder: Uint8Array, last: Uint8Array] {
  let end = path.length;
  while (end > 0 && path[end - 1] === slash) end--;
  const start = path.subarray(0, end).lastIndexOf(slash) + 1;
  return end === 0 ? [path, path.subarray(0, 0)] : [path.subarray(0, start), path.subarray(start)];
}

/** The names between the slashes. */
export function names(path: Uint8Array): Uint8Array[] {
  const found: Uint8Array[] = [];
  for (let start = 0; start < path.length;) {
    const next = path.indexOf(slash, start);
    const end = next < 0 ? path.length : next;
    if (end > start) found.push(path.slice(start, end));
    start = end + 1;
  }
  return found;
}

/** "." or "..", whatever slashes or zero byte behind. */
export function isDots(name: Uint8Array): boolean {
  const end = name.findIndex((byte) => byte === slash || byte === 0);
  const plain = end < 0 ? name : name.subarray(0, end);
  return plain.length > 0 && plain.length <= 2 && plain.every((byte) => byte === dot);
}

/** As the kernel reads it. */
export function zeroEnded(path: Uint8Array): Bytes {
  const bytes = new Uint8Array(path.length + 1);
  bytes.set(path);
  return bytes;
}

/** The bytes of a text of byte_text.ts. */
export function bytesOf(text: string): Bytes {
  return textBytes(text) as Bytes;
}
