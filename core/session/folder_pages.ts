// What the scans of one folder found: names with their attributes, and whether others are there. Filled and
// asked by seen_folders.ts. Invariant: a name is "absent" only where the agent was certain of the folder.

import { type agentMessages, type Body, folderEntries, wholeStatus } from "../../protocol-wasm/mod.ts";
import { byteText } from "../net/byte_text.ts";

/** An answer to `scan`. */
export type Scanned = Body<typeof agentMessages.scanReply>;

/** Attributes as a scan has them (folder_entries.ts), never empty; or there is no such name. */
export type Found = Uint8Array | "absent";

/** Entries of the first scan of a folder; each further one has twice as many. */
const firstPage = 128;
const longestPage = 1024;
/** So many entries are kept of a folder that is read on and on. */
const mostEntries = 4096;
/** What a name takes beside its entry's bytes. */
const nameCost = 64;
const statusModeAt = 28;
const S_IFMT = 0o170000;
const S_IFLNK = 0o120000;
const nothing = new Uint8Array(0);

export class FolderPages {
  /** The folder's own struct statx, by the last scan; null: none is kept. */
  folder: Uint8Array | null = null;
  readonly #entries = new Map<string, Uint8Array>();
  /** When the oldest scan of those that are kept was asked for. */
  #asOf = 0;
  #bytes = 0;
  #hits = 0;
  #page = firstPage;
  #certain = false;
  #cursor = 0n;
  #end = false;

  /** Takes the next scan, which was asked for at `asOf`. */
  add({ folder, entries, end, certain, cursor }: Scanned, asOf: number): void {
    if (this.#entries.size >= mostEntries) this.restart();
    if (this.#entries.size === 0) this.#asOf = asOf;
    this.folder = folder;
    for (const { name, status } of folderEntries(entries)) {
      this.#entries.set(byteText(name), status);
      this.#bytes += nameCost;
    }
    this.#bytes += entries.length;
    [this.#certain, this.#cursor, this.#end] = [certain, cursor, end];
    this.#page = Math.min(this.#page * 2, longestPage);
  }

  /** What was read is old, or too much; the next scan goes on behind it. */
  restart(): void {
    this.#entries.clear();
    this.folder = null;
    [this.#bytes, this.#hits, this.#certain] = [0, 0, false];
  }

  get asOf(): number {
    return this.#asOf;
  }

  /** About what they take. */
  get bytes(): number {
    return this.#bytes;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** They spared more than a few questions. */
  get isUsed(): boolean {
    return this.#hits * 4 >= this.#entries.size;
  }

  /** Where the next scan goes on, and how long it is; null: there is no more. */
  get next(): { cursor: bigint; most: number } | null {
    return this.#end ? null : { cursor: this.#cursor, most: this.#page };
  }

  /** The name was read, whether its attributes were told or not. */
  has(name: string): boolean {
    return this.#entries.has(name);
  }

  /** null: it has to be asked for. */
  find(name: string): Found | null {
    const status = this.#entries.get(name) ?? (this.#certain ? "absent" : nothing);
    if (status.length === 0) return null;
    this.#hits++;
    return status;
  }

  /**
   * Its attributes are not what they were; an empty status is not known. That of an open folder is what its
   * name has only if the name is that folder itself, and no link to it.
   */
  tell(name: string, status: Uint8Array): void {
    const before = this.#entries.get(name);
    if (before === undefined) return;
    const isIt = before.length > 0 && status.length > 0 &&
      identityOf(wholeStatus(before)) === identityOf(status);
    this.#entries.set(name, isIt ? status : nothing);
  }
}

/** The first scan of a folder. */
export const firstScan = { cursor: 0n, most: firstPage } as const;

/** Is it a link by its attributes? */
export function isLink(status: Uint8Array): boolean {
  const mode = (status[statusModeAt] ?? 0) | ((status[statusModeAt + 1] ?? 0) << 8);
  return (mode & S_IFMT) === S_IFLNK;
}

/** Of a struct statx: the device. */
export function deviceOf(status: Uint8Array): string {
  return status.subarray(136, 144).toHex();
}

/** The device and the inode. */
export function identityOf(status: Uint8Array): string {
  return deviceOf(status) + status.subarray(32, 40).toHex();
}
