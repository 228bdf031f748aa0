// The kernel's calls on files, as the file threads make them: on a descriptor, or a name in a folder's, where
// target_root.ts found it; structs as the kernel fills them. Called by agent/files/operations.ts on a thread
// of its own, where calls may block. Each throws SystemError. Facts: the man page of each call; struct sizes:
// statx(2), statfs(2), getdents(2).

import { fileStatusBytes, fileSystemBytes, openFlags } from "../../protocol-wasm/mod.ts";
import { AT_EMPTY_PATH, look, modeAndSize, statusAt } from "./file_status.ts";
import { check, cText, E, SystemError } from "./libc.ts";
import { isDots, type Path } from "./path_bytes.ts";
import type { Spot, TargetRoot } from "./target_root.ts";

const i32 = "i32";
const i64 = "i64";
const u32 = "u32";
const buffer = "buffer";
const { symbols: f } = Deno.dlopen("libc.so.6", {
  close: { parameters: [i32], result: i32 },
  read: { parameters: [i32, buffer, "usize"], result: i32 },
  write: { parameters: [i32, buffer, "usize"], result: i32 },
  pread64: { parameters: [i32, buffer, "usize", i64], result: i32 },
  pwrite64: { parameters: [i32, buffer, "usize", i64], result: i32 },
  lseek64: { parameters: [i32, i64, i32], result: i64 },
  faccessat2: { name: "syscall", parameters: [i64, i32, buffer, i32, i32], result: i64 },
  fstatfs: { parameters: [i32, buffer], result: i32 },
  mkdirat: { parameters: [i32, buffer, u32], result: i32 },
  unlinkat: { parameters: [i32, buffer, i32], result: i32 },
  fchmodat: { parameters: [i32, buffer, u32, i32], result: i32 },
  fchmod: { parameters: [i32, u32], result: i32 },
  fchownat: { parameters: [i32, buffer, u32, u32, i32], result: i32 },
  utimensat: { parameters: [i32, buffer, buffer, i32], result: i32 },
  futimens: { parameters: [i32, buffer], result: i32 },
  ftruncate64: { parameters: [i32, i64], result: i32 },
  fcntl: { parameters: [i32, i32, i32], result: i32 },
  fsync: { parameters: [i32], result: i32 },
  fdatasync: { parameters: [i32], result: i32 },
  fallocate64: { parameters: [i32, i32, i64, i64], result: i32 },
  linkat: { parameters: [i32, buffer, i32, buffer, i32], result: i32 },
  symlinkat: { parameters: [buffer, i32, buffer], result: i32 },
  getdents64: { name: "syscall", parameters: [i64, i32, buffer, "usize"], result: i64 },
  renameat2: { name: "syscall", parameters: [i64, i32, buffer, i32, buffer, u32], result: i64 },
  mknodat: { name: "syscall", parameters: [i64, i32, buffer, u32, "u64"], result: i64 },
});

/** Numbers of the calls that an older C library does not have (syscalls(2)). */
const numbers = Deno.build.arch === "aarch64"
  ? { getdents64: 61n, renameat2: 276n, mknodat: 33n, faccessat2: 439n }
  : { getdents64: 217n, renameat2: 316n, mknodat: 259n, faccessat2: 439n };

type Bytes = Uint8Array<ArrayBuffer>;

/** Numbers of <fcntl.h>, <linux/stat.h> and <sys/stat.h> that are the same on both machines. */
export const F = {
  AT_FDCWD: -100,
  AT_SYMLINK_NOFOLLOW: 0x100,
  AT_REMOVEDIR: 0x200,
  AT_EACCESS: 0x200,
  AT_SYMLINK_FOLLOW: 0x400,
  AT_EMPTY_PATH: 0x1000,
  O_ACCMODE: 3,
  O_WRONLY: 1,
  O_APPEND: 0o2000,
  O_NOCTTY: 0o400,
  O_NONBLOCK: 0o4000,
  O_CLOEXEC: 0o2000000,
  O_PATH: 0o10000000,
  /** As x86_64 numbers it. */
  O_DIRECTORY: openFlags.directory,
  S_IFMT: 0o170000,
  S_IFREG: 0o100000,
  S_IFDIR: 0o040000,
  S_IFIFO: 0o010000,
  SEEK_SET: 0,
  SEEK_CUR: 1,
} as const;

const STATX_ATTR_MOUNT_ROOT = 0x2000n;
const X_OK = 1;
const slash = 0x2f;

/**
 * O_DIRECTORY and O_NOFOLLOW as x86_64 numbers them → as this machine does; O_DIRECT and O_LARGEFILE are left
 * out.
 */
function ownFlags(flags: number): number {
  const { directory, noFollow, direct, largeFile } = openFlags;
  const dropped = direct | largeFile;
  const rest = flags & ~(directory | noFollow | dropped);
  const [thisDirectory, thisNoFollow] = Deno.build.arch === "aarch64"
    ? [0o40000, 0o100000]
    : [directory, noFollow];
  return rest | (flags & directory ? thisDirectory : 0) | (flags & noFollow ? thisNoFollow : 0);
}

function isEmpty({ path }: Spot): boolean {
  return path[0] === 0;
}

/**
 * A path of this process's own to what `fd` is: for calls that take no descriptor of O_PATH (proc(5),
 * /proc/self/fd).
 */
function pathTo(fd: number): Bytes {
  return cText(`/proc/self/fd/${fd}`);
}

/**
 * The descriptor, close-on-exec, with its struct statx; never waits for the other end of a pipe. `flags` are
 * x86_64's.
 */
export function open(
  root: TargetRoot,
  path: Path,
  flags: number,
  mode: number,
): { fd: number; status: Bytes } {
  return root.open(path, ownFlags(flags) | F.O_NOCTTY | F.O_NONBLOCK, mode);
}

export function close(fd: number): void {
  check("close", f.close(fd));
}

/** struct statx. */
export function status(spot: Spot, flags: number): Bytes {
  return statusAt(spot.fd, spot.path, flags | (isEmpty(spot) ? AT_EMPTY_PATH : 0));
}

/** By the user that the thread has for files: its real one is the agent's (AT_EACCESS). */
export function access(spot: Spot, mode: number, flags: number): void {
  const all = flags | F.AT_EACCESS | (isEmpty(spot) ? F.AT_EMPTY_PATH : 0);
  check("faccessat2", Number(f.faccessat2(numbers.faccessat2, spot.fd, spot.path, mode, all)));
}

/** struct statfs of an open file. */
export function fileSystem(fd: number): Bytes {
  const into = new Uint8Array(fileSystemBytes);
  check("fstatfs", f.fstatfs(fd, into));
  return into;
}

/** Checks whether a directory may be entered, as chdir(2) does; returns its path as getcwd(2) would. */
export function enter(root: TargetRoot, spot: Spot): Bytes {
  const { mode } = modeAndSize(status(spot, 0));
  if ((mode & F.S_IFMT) !== F.S_IFDIR) throw new SystemError("chdir", E.ENOTDIR);
  access(spot, X_OK, 0);
  return root.pathOf(spot.fd);
}

/** Fills `into` from `cursor` on; whole entries. `end`: nothing comes after them. */
export function list(fd: number, cursor: bigint, into: Bytes): { length: number; end: boolean } {
  check("lseek", Number(f.lseek64(fd, cursor, F.SEEK_SET)));
  for (let length = 0;;) {
    const room = into.subarray(length);
    const count = Number(f.getdents64(numbers.getdents64, fd, room, BigInt(room.length)));
    if (count === 0) return { length, end: true };
    if (count < 0 && length > 0) return { length, end: false }; // no room for the next, or a fault: told when asked again
    length += check("getdents64", count);
  }
}

/** At the descriptor's own position when `offset` is null. */
export function read(fd: number, into: Bytes, offset: bigint | null): number {
  const size = BigInt(into.length);
  return offset === null
    ? check("read", f.read(fd, into, size))
    : check("pread", f.pread64(fd, into, size, offset));
}

/** At the descriptor's own position, or the end, when `offset` is null. */
export function write(fd: number, bytes: Bytes, offset: bigint | null): number {
  const size = BigInt(bytes.length);
  return offset === null
    ? check("write", f.write(fd, bytes, size))
    : check("pwrite", f.pwrite64(fd, bytes, size, offset));
}

export function seek(fd: number, offset: bigint, whence: number): bigint {
  const position = f.lseek64(fd, offset, whence);
  check("lseek", position < 0n ? -1 : 0);
  return position;
}

export function makeDirectory(spot: Spot, mode: number): void {
  check("mkdirat", f.mkdirat(spot.fd, spot.path, mode));
}

export function remove(spot: Spot, flags: number): void {
  sparesMount(spot);
  check("unlinkat", f.unlinkat(spot.fd, spot.path, flags));
}

export function changeMode(spot: Spot, mode: number, flags: number): void {
  if (spot.isOwn && isEmpty(spot)) check("fchmodat", f.fchmodat(F.AT_FDCWD, pathTo(spot.fd), mode, 0));
  else if (isEmpty(spot)) check("fchmod", f.fchmod(spot.fd, mode));
  else check("fchmodat", f.fchmodat(spot.fd, spot.path, mode, flags));
}

export function changeOwner(spot: Spot, uid: number, gid: number, flags: number): void {
  const all = flags | (isEmpty(spot) ? F.AT_EMPTY_PATH : 0);
  check("fchownat", f.fchownat(spot.fd, spot.path, uid, gid, all));
}

/** times: access' seconds and nanoseconds, modification's. */
export function changeTimes(spot: Spot, times: bigint[], flags: number): void {
  const spec = new Uint8Array(new BigUint64Array(times).buffer);
  if (isEmpty(spot) && !spot.isOwn) check("futimens", f.futimens(spot.fd, spec));
  else if (isEmpty(spot)) check("utimensat", f.utimensat(F.AT_FDCWD, pathTo(spot.fd), spec, 0));
  else check("utimensat", f.utimensat(spot.fd, spot.path, spec, flags));
}

/** Of a file that is open for writing. */
export function truncate(fd: number, length: bigint): void {
  check("ftruncate", f.ftruncate64(fd, length));
}

export function sync(fd: number, contentOnly: boolean): void {
  check("fsync", contentOnly ? f.fdatasync(fd) : f.fsync(fd));
}

const F_SETFL = 4;

/** Of the status flags those that may change; the others stay as they were opened. */
export function setFlags(fd: number, flags: number): void {
  check("fcntl", f.fcntl(fd, F_SETFL, flags));
}

export function allocate(fd: number, mode: number, offset: bigint, length: bigint): void {
  check("fallocate", f.fallocate64(fd, mode, offset, length));
}

export function makeNode(spot: Spot, mode: number, device: bigint): void {
  check("mknodat", Number(f.mknodat(numbers.mknodat, spot.fd, spot.path, mode, device)));
}

export function rename(from: Spot, to: Spot, flags: number): void {
  for (const spot of [from, to]) {
    // Never "/" itself: as a path it would be this process's root.
    if (spot.path[0] === slash) throw new SystemError("renameat2", E.EBUSY);
    sparesMount(spot);
  }
  check("renameat2", Number(f.renameat2(numbers.renameat2, from.fd, from.path, to.fd, to.path, flags)));
}

/**
 * What something is mounted on is not taken away (EBUSY): the kernel sees to that for mounts of the thread's
 * own namespace only, and would unmount the target's, a volume or its /etc/hosts (mount_namespaces(7)).
 */
function sparesMount({ fd, path }: Spot): void {
  if (path[0] === slash || isDots(path)) return; // no name: the kernel refuses it
  const into = new Uint8Array(fileStatusBytes);
  const found = look(fd, path, F.AT_SYMLINK_NOFOLLOW, into);
  const attributes = !found ? 0n : new DataView(into.buffer).getBigUint64(8, true);
  if ((attributes & STATX_ATTR_MOUNT_ROOT) !== 0n) {
    throw new SystemError("unlinkat", E.EBUSY);
  }
}

export function link(from: Spot, to: Spot): void {
  if (!isEmpty(from)) check("linkat", f.linkat(from.fd, from.path, to.fd, to.path, 0));
  else if (from.isOwn) {
    check("linkat", f.linkat(F.AT_FDCWD, pathTo(from.fd), to.fd, to.path, F.AT_SYMLINK_FOLLOW));
  } else check("linkat", f.linkat(from.fd, from.path, to.fd, to.path, F.AT_EMPTY_PATH));
}

/** A link with this text. */
export function symlink(text: Bytes, to: Spot): void {
  check("symlinkat", f.symlinkat(text, to.fd, to.path));
}

/** `path` with its zero byte. A zero byte inside ends it early, as it would for the kernel. */
export function cPath(path: Uint8Array): Bytes {
  const bytes = new Uint8Array(path.length + 1);
  bytes.set(path);
  return bytes;
}
