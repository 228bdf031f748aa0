// Folders in memory in the place of the agent that scans them, and a clock that the test moves: for tests of
// core/session/seen_folders.ts.

import { E, folderEntryBytes, packFolderEntry, RemoteError } from "../../protocol-wasm/mod.ts";
import type { Scanned } from "../../core/session/folder_pages.ts";
import { SeenFolders, type SeenKind } from "../../core/session/seen_folders.ts";

export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const AT_SYMLINK_NOFOLLOW = 0x100;
const O_DIRECTORY = 0o200000;

/** struct statx of `inode`. */
export function status(inode: number, mode = 0o100644, device = 1): Uint8Array {
  const into = new Uint8Array(256);
  const view = new DataView(into.buffer);
  view.setUint16(28, mode, true);
  view.setBigUint64(32, BigInt(inode), true);
  view.setUint32(140, device, true);
  return into;
}

export interface Folder {
  status: Uint8Array;
  names: Map<string, Uint8Array>;
  certain?: boolean;
  refused?: boolean;
}

/** The names of a folder of `count` files. */
export function files(count: number): Map<string, Uint8Array> {
  return new Map(Array.from({ length: count }, (_, index) => [`f${index}`, status(1000 + index)]));
}

interface Asked {
  flags?: number;
  mode?: number;
  dir?: number;
}

export interface Stage {
  seen: SeenFolders;
  /** What the layer's question gets: an inode, "yes", an errno, or "asked" = the agent has to be. */
  ask: (kind: SeenKind, path: string, more?: Asked) => Promise<string | number>;
  lstat: (path: string, dir?: number) => Promise<string | number>;
  /** A program lists a folder. */
  list: (path: string, file: number, own: Uint8Array, dir?: number) => void;
  /** The scans since the last look. */
  scans: () => string[];
  pass: (ms: number) => void;
  /** Scans are not answered before that. */
  hold: (until: Promise<void> | null) => void;
}

/** `folders`: by what a scan asks for, "DIR:PATH". */
export function stage(folders: Record<string, Folder>, { isOn = true } = {}): Stage {
  let clock = 5000;
  const scans: string[] = [];
  let held: Promise<void> | null = null;
  const scan = async (asked: { dir: number; path: Uint8Array; cursor: bigint; most: number }) => {
    const key = `${asked.dir}:${text(asked.path)}`;
    scans.push(asked.cursor === 0n ? key : `${key} from ${asked.cursor}`);
    const folder = folders[key];
    const copy = folder === undefined ? null : new Map(folder.names);
    if (held !== null) await held;
    if (folder === undefined || copy === null) throw new RemoteError(E.ENOENT, "no such folder");
    return answerOf({ ...folder, names: copy }, Number(asked.cursor), asked.most);
  };
  const seen = new SeenFolders({ scan, isOn, now: () => clock });
  const ask = async (
    kind: SeenKind,
    path: string,
    more: Asked = {},
  ) => {
    using _asking = seen.asking();
    try {
      const answer = await seen.answer(kind, { dir: 0, ...more, path: bytes(path) });
      if (answer === null) return "asked";
      return answer.status === undefined ? "yes" : inodeOf(answer.status);
    } catch (error) {
      if (!(error instanceof RemoteError)) throw error;
      return `errno ${error.errno}`;
    }
  };
  const lstat = (path: string, dir = 0) => ask("stat", path, { flags: AT_SYMLINK_NOFOLLOW, dir });
  const list = (path: string, file: number, own: Uint8Array, dir = 0) => {
    using _asking = seen.asking();
    const since = seen.opens({ dir, path: bytes(path) }, O_DIRECTORY);
    const page = { end: true, entries: bytes("page") };
    seen.opened({ dir, path: bytes(path) }, { file, status: own, page }, since);
  };
  return {
    seen,
    ask,
    lstat,
    list,
    scans: () => scans.splice(0),
    pass: (ms: number) => void (clock += ms),
    hold: (until: Promise<void> | null) => void (held = until),
  };
}

function answerOf(
  { names, status, certain = true, refused = false }: Folder,
  from: number,
  most: number,
): Scanned {
  const nothing = { end: false, certain: false, cursor: 0n, folder: status, entries: new Uint8Array(0) };
  if (refused) return nothing;
  const all = [...names];
  const into = new Uint8Array(most * folderEntryBytes);
  const to = Math.min(all.length, from + most);
  let length = 0;
  for (const [name, found] of all.slice(from, to)) {
    length = packFolderEntry({ name: bytes(name), status: found }, into, length);
  }
  const end = to === all.length;
  return {
    ...nothing,
    end,
    certain: certain && end && from === 0,
    cursor: BigInt(to),
    entries: into.slice(0, length),
  };
}

function inodeOf(status: Uint8Array): number {
  return Number(new DataView(status.buffer, status.byteOffset).getBigUint64(32, true));
}
