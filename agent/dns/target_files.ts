// Small files of the target by which it finds hosts: opened below its root, parsed once per change. Called by
// settings.ts. The target decides what is at their names, and may change it at any time: only the opened file
// is examined, no name is resolved twice, and a pipe or a file without an end blocks nothing.

import { byteText } from "../../core/net/byte_text.ts";
import * as calls from "../sys/file_calls.ts";
import { F } from "../sys/file_calls.ts";
import { modeAndSize } from "../sys/file_status.ts";
import { SystemError } from "../sys/libc.ts";
import type { TargetRoot } from "../sys/target_root.ts";

/** Larger files are cut: a hosts file of megabytes is a block list, and costs memory in the agent. */
const mostBytes = 8 << 20;
const pieceBytes = 1 << 16;

interface Kept<T> {
  stamp: string;
  value: T;
}

/** One file, parsed by `parse` when it changed; an absent or unreadable one counts as empty. */
export class TargetFile<T> {
  readonly #path: Uint8Array;
  readonly #parse: (text: string) => T;
  #kept: Kept<T> | null = null;

  constructor(path: string, parse: (text: string) => T) {
    this.#path = new TextEncoder().encode(path);
    this.#parse = parse;
  }

  /** The present content of the file below `root`. */
  read(root: TargetRoot | null): T {
    const { fd, status } = (root === null ? null : opened(root, this.#path)) ?? { fd: null, status: null };
    try {
      const stamp = status === null ? "absent" : stampOf(status);
      if (this.#kept?.stamp === stamp) return this.#kept.value;
      const value = this.#parse(fd === null || stamp === "absent" ? "" : textOf(fd));
      this.#kept = { stamp, value };
      return value;
    } finally {
      if (fd !== null) calls.close(fd);
    }
  }
}

function opened(root: TargetRoot, path: Uint8Array): ReturnType<typeof calls.open> | null {
  try {
    return calls.open(root, { fd: null, path }, 0, 0);
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    return null;
  }
}

/**
 * Changes when the file does: device, inode, size, and when it was changed. What is no plain file counts as
 * absent.
 */
function stampOf(status: Uint8Array<ArrayBuffer>): string {
  if ((modeAndSize(status).mode & F.S_IFMT) !== F.S_IFREG) return "absent";
  const view = new DataView(status.buffer, status.byteOffset);
  // stx_ino, stx_size, stx_mtime and its nanoseconds, stx_dev (statx(2))
  return [32, 40, 112, 120, 136].map((at) => view.getBigUint64(at, true)).join(" ");
}

/** The text with one character for each byte: these files have no encoding. */
function textOf(fd: number): string {
  let text = "";
  try {
    for (const piece = new Uint8Array(pieceBytes); text.length < mostBytes;) {
      const count = calls.read(fd, piece, BigInt(text.length));
      if (count === 0) break;
      text += byteText(piece.subarray(0, count));
    }
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    return "";
  }
  return text;
}
