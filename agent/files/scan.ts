// A folder read for a walk: its names with their attributes in one answer (`scan`), where lstat(2) of each
// would be a request. Called by operations.ts on a file thread, so with the rights of the target's process.
// Only file systems of disks and memory are read, whose files change by writes alone; nothing is mounted
// (AT_NO_AUTOMOUNT) and no server asked (AT_STATX_DONT_SYNC). Bounded: entries, bytes and time of one answer.
// Invariant: `certain` is never true by luck. Facts: statx(2), getdents(2).

import {
  filePage,
  fileStatusBytes,
  type FolderEntry,
  folderEntryBytes,
  longestName,
  packFolderEntry,
} from "../../protocol-wasm/mod.ts";
import * as calls from "../sys/file_calls.ts";
import { F } from "../sys/file_calls.ts";
import { AT_EMPTY_PATH, look, statusAt } from "../sys/file_status.ts";
import { cText, E, lastErrno } from "../sys/libc.ts";
import type { Path } from "../sys/path_bytes.ts";
import type { TargetRoot } from "../sys/target_root.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** Most entries of an answer, whatever is asked for. */
const mostEntries = 1024;
/** So long one answer is worked on: a slow disk does not hold up the thread for a folder's every file. */
const longestMs = 20;
/** Bytes of the kernel's list at a time. */
const listBytes = 1 << 15;
/**
 * A folder that changed within this time may change again without a new time: the clock of files ticks every
 * 10 ms at the slowest.
 */
const tickMs = 25;

/** f_type of statfs(2): ext, xfs, btrfs, f2fs, tmpfs, ramfs, overlay, squashfs, erofs. */
const steadySystems: ReadonlySet<bigint> = new Set([
  0xef53n,
  0x58465342n,
  0x9123683en,
  0xf2f52010n,
  0x01021994n,
  0x858458f6n,
  0x794c7630n,
  0x73717368n,
  0xe0f5e1e2n,
]);

const AT_NO_AUTOMOUNT = 0x800;
const AT_STATX_DONT_SYNC = 0x4000;
const asItIs = F.AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC;
const STATX_ATTR_MOUNT_ROOT = 0x2000n;
const S_IFLNK = 0o120000;
/** What has attributes that stay: not devices, whose times are those of their use. */
const steadyTypes: readonly number[] = [F.S_IFREG, F.S_IFDIR, S_IFLNK];

/** Places in struct statx: stx_attributes, stx_mode, stx_attributes_mask, stx_ctime, stx_dev_major. */
const at = { attributes: 8, mode: 28, mask: 56, changed: 96, device: 136 } as const;
/** In struct linux_dirent64: d_off, d_reclen, d_name. */
const entryAt = { next: 8, length: 16, name: 19 } as const;
const zero = Uint8Array.of(0);
const nothing = new Uint8Array(0);
/** Digits alone, and a zero byte. If some folder has it, that one is not certain. */
const unlikelyName = cText("0".repeat(40) + "1");
/** Of every call on this thread: none outlives it. */
const list = new Uint8Array(listBytes);
const listView = new DataView(list.buffer);
const seen = new Uint8Array(fileStatusBytes);
const seenView = new DataView(seen.buffer);

interface Scanned {
  end: boolean;
  certain: boolean;
  cursor: bigint;
  /** struct statx. */
  folder: Bytes;
  entries: Bytes;
}

/** Throws SystemError where the folder cannot be opened or listed. */
export function scan(root: TargetRoot, path: Path, asked: { most: number; cursor: bigint }): Scanned {
  const began = Date.now();
  const whole = path.path.length === 0 ? { ...path, path: Uint8Array.of(0x2e) } : path;
  const { fd, status } = calls.open(root, whole, F.O_DIRECTORY, 0);
  try {
    const kind = calls.fileSystem(fd);
    if (!steadySystems.has(new DataView(kind.buffer).getBigUint64(0, true))) {
      return { end: false, certain: false, cursor: 0n, folder: status, entries: nothing };
    }
    return read({ fd, status, began }, asked);
  } finally {
    calls.close(fd);
  }
}

function read(
  { fd, status: before, began }: { fd: number; status: Bytes; began: number },
  asked: { most: number; cursor: bigint },
): Scanned {
  const until = performance.now() + longestMs;
  const most = Math.min(asked.most, mostEntries);
  const into = new Uint8Array(filePage);
  const names: Bytes[] = [];
  let [length, count, end, cursor] = [0, 0, false, asked.cursor];
  const isFull = () => count >= most || length + folderEntryBytes > into.length || performance.now() > until;
  while (!end && !isFull()) {
    const page = calls.list(fd, cursor, list);
    end = page.end;
    for (let from = 0; from < page.length;) {
      if (isFull()) {
        end = false;
        break;
      }
      const size = listView.getUint16(from + entryAt.length, true);
      const name = nameIn(from + entryAt.name, from + size);
      cursor = listView.getBigUint64(from + entryAt.next, true);
      from += size;
      if (isDots(name)) continue;
      names.push(name);
      count++;
      if (name.length - 1 > longestName) continue;
      length = packFolderEntry(entryOf(fd, name, before), into, length);
    }
  }
  const folder = statusAt(fd, zero, AT_EMPTY_PATH);
  const isWhole = end && asked.cursor === 0n;
  const certain = isWhole && isUnchanged(before, folder, began) && isExact(fd, names);
  return { end, certain, cursor, folder, entries: into.slice(0, length) };
}

/** With its zero byte. */
function nameIn(start: number, end: number): Bytes {
  return list.slice(start, Math.min(list.indexOf(0, start) + 1, end));
}

function entryOf(fd: number, name: Bytes, folder: Bytes): FolderEntry {
  const isTold = look(fd, name, asItIs, seen) && steadyTypes.includes(modeOfSeen()) && !isMount(folder);
  return { name: name.subarray(0, -1), status: isTold ? seen : nothing };
}

function modeOfSeen(): number {
  return seenView.getUint16(at.mode, true) & F.S_IFMT;
}

/** Something is mounted there; a kernel before 5.8 does not say so, and another device may be that. */
function isMount(folder: Bytes): boolean {
  if ((seenView.getBigUint64(at.mask, true) & STATX_ATTR_MOUNT_ROOT) !== 0n) {
    return (seenView.getBigUint64(at.attributes, true) & STATX_ATTR_MOUNT_ROOT) !== 0n;
  }
  return viewOf(folder).getBigUint64(at.device, true) !== seenView.getBigUint64(at.device, true);
}

/** No name came or went meanwhile: that sets the folder's ctime, and a tick of its clock is over. */
function isUnchanged(before: Bytes, after: Bytes, began: number): boolean {
  const [first, last] = [before, after].map((status) => {
    const view = viewOf(status);
    return Number(view.getBigInt64(at.changed, true)) * 1000 + view.getUint32(at.changed + 8, true) / 1e6;
  });
  return first !== undefined && first === last && first < began - tickMs;
}

/**
 * The folder tells names apart by their bytes, and this user may look for one: a folder that ignores case has
 * a name in other letters, too. Without a letter to try it by,
 * names beyond ASCII may be the same in two ways.
 */
function isExact(fd: number, names: readonly Bytes[]): boolean {
  const lettered = names.find((name) => name.some(isLetter));
  if (lettered === undefined && names.some((name) => name.some((byte) => byte > 0x7f))) return false;
  const other = lettered?.map((byte) => isLetter(byte) ? byte ^ 0x20 : byte);
  const isTaken = other !== undefined && names.some((name) => isSame(name, other));
  const tried = other === undefined || isTaken ? unlikelyName : other;
  return !look(fd, tried, asItIs, seen) && lastErrno() === E.ENOENT;
}

function isLetter(byte: number): boolean {
  return (byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x7a;
}

function isSame(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, place) => byte === other[place]);
}

/** "." and "..", with their zero. */
function isDots(name: Bytes): boolean {
  return name.length <= 3 && name.subarray(0, -1).every((byte) => byte === 0x2e);
}

function viewOf(status: Bytes): DataView {
  return new DataView(status.buffer, status.byteOffset);
}
