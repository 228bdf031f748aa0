// The kernel's calls on files, as the file threads make them: with a directory descriptor, paths as zero-terminated
// bytes, structs as the kernel fills them. Called by agent/files/operations.ts on a thread of its own, where calls may
// block. Each throws SystemError. Facts: the man page of each call; struct sizes: statx(2), statfs(2), getdents(2).

import { check, E, SystemError } from "./libc.ts";

const i32 = "i32";
const i64 = "i64";
const u32 = "u32";
const buffer = "buffer";
const { symbols: f } = Deno.dlopen("libc.so.6", {
  openat: { parameters: [i32, buffer, i32, u32], result: i32 },
  close: { parameters: [i32], result: i32 },
  read: { parameters: [i32, buffer, "usize"], result: i32 },
  write: { parameters: [i32, buffer, "usize"], result: i32 },
  pread64: { parameters: [i32, buffer, "usize", i64], result: i32 },
  pwrite64: { parameters: [i32, buffer, "usize", i64], result: i32 },
  lseek64: { parameters: [i32, i64, i32], result: i64 },
  faccessat: { parameters: [i32, buffer, i32, i32], result: i32 },
  readlinkat: { parameters: [i32, buffer, buffer, "usize"], result: i32 },
  fstatfs: { parameters: [i32, buffer], result: i32 },
  fchdir: { parameters: [i32], result: i32 },
  chdir: { parameters: [buffer], result: i32 },
  getcwd: { name: "syscall", parameters: [i64, buffer, "usize"], result: i64 },
  mkdirat: { parameters: [i32, buffer, u32], result: i32 },
  unlinkat: { parameters: [i32, buffer, i32], result: i32 },
  fchmodat: { parameters: [i32, buffer, u32, i32], result: i32 },
  fchmod: { parameters: [i32, u32], result: i32 },
  fchownat: { parameters: [i32, buffer, u32, u32, i32], result: i32 },
  utimensat: { parameters: [i32, buffer, buffer, i32], result: i32 },
  futimens: { parameters: [i32, buffer], result: i32 },
  ftruncate64: { parameters: [i32, i64], result: i32 },
  fsync: { parameters: [i32], result: i32 },
  fdatasync: { parameters: [i32], result: i32 },
  fallocate64: { parameters: [i32, i32, i64, i64], result: i32 },
  linkat: { parameters: [i32, buffer, i32, buffer, i32], result: i32 },
  symlinkat: { parameters: [buffer, i32, buffer], result: i32 },
  statx: { name: "syscall", parameters: [i64, i32, buffer, i32, u32, buffer], result: i64 },
  getdents64: { name: "syscall", parameters: [i64, i32, buffer, "usize"], result: i64 },
  renameat2: { name: "syscall", parameters: [i64, i32, buffer, i32, buffer, u32], result: i64 },
  mknodat: { name: "syscall", parameters: [i64, i32, buffer, u32, "u64"], result: i64 },
});

/** Numbers of the calls that an older C library does not have (syscalls(2)). */
const numbers = Deno.build.arch === "aarch64"
  ? { statx: 291n, getdents64: 61n, renameat2: 276n, mknodat: 33n, getcwd: 17n }
  : { statx: 332n, getdents64: 217n, renameat2: 316n, mknodat: 259n, getcwd: 79n };

type Bytes = Uint8Array<ArrayBuffer>;

/** What a path is relative to: an open directory; ignored with an absolute path. */
export interface Place {
  fd: number;
  /** Ends in a zero byte; only that: the descriptor itself. */
  path: Bytes;
}

/** Numbers of <fcntl.h>, <linux/stat.h> and <sys/stat.h> that are the same on both machines. */
export const F = {
  AT_FDCWD: -100,
  AT_SYMLINK_NOFOLLOW: 0x100,
  AT_REMOVEDIR: 0x200,
  AT_EMPTY_PATH: 0x1000,
  O_ACCMODE: 3,
  O_WRONLY: 1,
  O_APPEND: 0o2000,
  O_NOCTTY: 0o400,
  O_NONBLOCK: 0o4000,
  O_CLOEXEC: 0o2000000,
  O_PATH: 0o10000000,
  /** As x86_64 numbers it. */
  O_DIRECTORY: 0o200000,
  S_IFMT: 0o170000,
  S_IFREG: 0o100000,
  S_IFDIR: 0o040000,
  S_IFIFO: 0o010000,
  SEEK_SET: 0,
  SEEK_CUR: 1,
} as const;

const allFields = 0xfff; // STATX_BASIC_STATS | STATX_BTIME
const statxSize = 256;
const statfsSize = 120;
const linkSize = 4096; // PATH_MAX
const slash = 0x2f;
const noBytes = new Uint8Array(0);

/** O_DIRECTORY and O_NOFOLLOW as x86_64 numbers them → as this machine does; O_DIRECT and O_LARGEFILE are left out. */
function openFlags(flags: number): number {
  const directory = 0o200000, noFollow = 0o400000, dropped = 0o40000 | 0o100000;
  const rest = flags & ~(directory | noFollow | dropped);
  const [thisDirectory, thisNoFollow] = Deno.build.arch === "aarch64"
    ? [0o40000, 0o100000]
    : [directory, noFollow];
  return rest | (flags & directory ? thisDirectory : 0) | (flags & noFollow ? thisNoFollow : 0);
}

function isEmpty({ path }: Place): boolean {
  return path[0] === 0;
}

/** The descriptor, close-on-exec; never waits for the other end of a pipe. `flags` are x86_64's. */
export function open(place: Place, flags: number, mode: number): number {
  const added = F.O_CLOEXEC | F.O_NOCTTY | F.O_NONBLOCK;
  return check("openat", f.openat(place.fd, place.path, openFlags(flags) | added, mode));
}

export function close(fd: number): void {
  check("close", f.close(fd));
}

/** struct statx. */
export function status(place: Place, flags: number): Bytes {
  const into = new Uint8Array(statxSize);
  const all = flags | (isEmpty(place) ? F.AT_EMPTY_PATH : 0);
  check("statx", Number(f.statx(numbers.statx, place.fd, place.path, all, allFields, into)));
  return into;
}

/** st_mode and st_size of a struct statx. */
export function modeAndSize(status: Bytes): { mode: number; size: number } {
  const view = new DataView(status.buffer, status.byteOffset);
  return { mode: view.getUint16(28, true), size: Number(view.getBigUint64(40, true)) };
}

export function access(place: Place, mode: number, flags: number): void {
  check("faccessat", f.faccessat(place.fd, place.path, mode, flags));
}

export function readLink(place: Place): Bytes {
  const into = new Uint8Array(linkSize);
  return into.slice(0, check("readlinkat", f.readlinkat(place.fd, place.path, into, BigInt(linkSize))));
}

/** struct statfs. */
export function fileSystem(place: Place): Bytes {
  const into = new Uint8Array(statfsSize);
  withDescriptor(place, F.O_PATH, (fd) => check("fstatfs", f.fstatfs(fd, into)));
  return into;
}

/**
 * Goes into a directory; its path as getcwd(2) tells it. The thread, whose working directory nobody looks at, leaves it at
 * once: a mount under it could not be taken away.
 */
export function enter(place: Place): Bytes {
  const into = new Uint8Array(linkSize);
  withDescriptor(place, F.O_PATH | F.O_DIRECTORY, (fd) => check("chdir", f.fchdir(fd)));
  try {
    const length = check("getcwd", Number(f.getcwd(numbers.getcwd, into, BigInt(into.length))));
    // "(unreachable)": it lies outside of the root.
    if (into[0] !== slash) throw new SystemError("getcwd", E.ENOENT);
    return into.slice(0, length - 1);
  } finally {
    check("chdir", f.chdir(cPath(Uint8Array.of(slash))));
  }
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

export function makeDirectory(place: Place, mode: number): void {
  check("mkdirat", f.mkdirat(place.fd, place.path, mode));
}

export function remove(place: Place, flags: number): void {
  check("unlinkat", f.unlinkat(place.fd, place.path, flags));
}

export function changeMode(place: Place, mode: number, flags: number): void {
  if (isEmpty(place)) check("fchmod", f.fchmod(place.fd, mode));
  else check("fchmodat", f.fchmodat(place.fd, place.path, mode, flags));
}

export function changeOwner(place: Place, uid: number, gid: number, flags: number): void {
  const all = flags | (isEmpty(place) ? F.AT_EMPTY_PATH : 0);
  check("fchownat", f.fchownat(place.fd, place.path, uid, gid, all));
}

/** times: access' seconds and nanoseconds, modification's. */
export function changeTimes(place: Place, times: bigint[], flags: number): void {
  const spec = new Uint8Array(new BigUint64Array(times).buffer);
  if (isEmpty(place)) check("futimens", f.futimens(place.fd, spec));
  else check("utimensat", f.utimensat(place.fd, place.path, spec, flags));
}

export function truncate(place: Place, length: bigint): void {
  withDescriptor(place, F.O_WRONLY, (fd) => check("ftruncate", f.ftruncate64(fd, length)));
}

export function sync(fd: number, contentOnly: boolean): void {
  check("fsync", contentOnly ? f.fdatasync(fd) : f.fsync(fd));
}

export function allocate(fd: number, mode: number, offset: bigint, length: bigint): void {
  check("fallocate", f.fallocate64(fd, mode, offset, length));
}

export function makeNode(place: Place, mode: number, device: bigint): void {
  check("mknodat", Number(f.mknodat(numbers.mknodat, place.fd, place.path, mode, device)));
}

export function rename(from: Place, to: Place, flags: number): void {
  check("renameat2", Number(f.renameat2(numbers.renameat2, from.fd, from.path, to.fd, to.path, flags)));
}

export function link(from: Place, to: Place, flags: number): void {
  const all = flags | (isEmpty(from) ? F.AT_EMPTY_PATH : 0);
  check("linkat", f.linkat(from.fd, from.path, to.fd, to.path, all));
}

export function symlink(text: Bytes, to: Place): void {
  check("symlinkat", f.symlinkat(text, to.fd, to.path));
}

/** The place's own descriptor when its path is empty, else one for this call. */
function withDescriptor(place: Place, flags: number, call: (fd: number) => void): void {
  if (isEmpty(place)) {
    if (place.fd < 0) throw new SystemError("open", E.ENOENT);
    return call(place.fd);
  }
  const fd = open(place, flags, 0);
  try {
    call(fd);
  } finally {
    f.close(fd);
  }
}

/** `path` with its zero byte. A zero byte inside ends it early, as it would for the kernel. */
export function cPath(path: Uint8Array): Bytes {
  const bytes = new Uint8Array(path.length + 1);
  bytes.set(path.length === 0 ? noBytes : path);
  return bytes;
}
