// The entries of an answer to `scan`: names of a folder with their attributes, one behind the other. Written
// by agent/files/scan.ts, read by the session; agent_limits.ts checks them. A struct statx is
// written without the zeros at its end, which are most of it.

import { fileStatusBytes } from "./numbers.ts";
import type { Complaint } from "./door.ts";

/** The name's length (u8), how many words of eight bytes of its status follow the name (u8). */
const headBytes = 2;
/** NAME_MAX: a longer name is not told. */
export const longestName = 255;
const word = 8;
const slash = 0x2f;

/** What an entry takes at most. */
export const folderEntryBytes = headBytes + longestName + fileStatusBytes;

/** One name of a folder. */
export interface FolderEntry {
  name: Uint8Array;
  /** struct statx without zeros at its end; empty: its attributes are not told. */
  status: Uint8Array;
}

/** Writes an entry to `into` at `at`, where there is room for it; returns where it ends. */
export function packFolderEntry({ name, status }: FolderEntry, into: Uint8Array, at: number): number {
  let words = status.length / word;
  while (words > 0 && status.subarray((words - 1) * word, words * word).every((byte) => byte === 0)) words--;
  into[at] = name.length;
  into[at + 1] = words;
  into.set(name, at + headBytes);
  into.set(status.subarray(0, words * word), at + headBytes + name.length);
  return at + headBytes + name.length + words * word;
}

/** The entries, as places in `entries`, which passed `folderEntriesComplaint`. */
export function* folderEntries(entries: Uint8Array): Iterable<FolderEntry> {
  for (let at = 0; at < entries.length;) {
    const name = at + headBytes;
    const status = name + (entries[at] ?? 0);
    const end = status + (entries[at + 1] ?? 0) * word;
    yield { name: entries.subarray(name, status), status: entries.subarray(status, end) };
    at = end;
  }
}

/** The whole struct statx. */
export function wholeStatus(status: Uint8Array): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(fileStatusBytes);
  whole.set(status);
  return whole;
}

/** Whole entries, at most `most`, each with a name that is one step of a path. */
export function folderEntriesComplaint(entries: Uint8Array, most: number): Complaint {
  let count = 0;
  for (let at = 0; at < entries.length; count++) {
    const length = entries[at] ?? 0;
    const words = entries[at + 1] ?? 0;
    const end = at + headBytes + length + words * word;
    if (end > entries.length) return "its list ends within an entry";
    if (length === 0) return "its list has an empty name";
    const name = entries.subarray(at + headBytes, at + headBytes + length);
    if (name.includes(0) || name.includes(slash)) return 'its list has a name with a "/" or a zero byte';
    if (words * word > fileStatusBytes) return `its list has a status of ${words * word} bytes`;
    at = end;
  }
  return count > most ? `its list has ${count} entries, ${most} were asked for` : null;
}
