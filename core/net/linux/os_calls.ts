// Files and places whose names need not be UTF-8, which the runtime's own calls cannot express: text is in
// the form of osText (core/base/os_text.ts). Called by core/session and core/launch. Every call is short.
// Linux, x86_64 and aarch64.

import { hasRawBytes, osBytes, osText } from "../../base/os_text.ts";
import type { Reached } from "../platform.ts";
import { K } from "./libc.ts";

const i32 = "i32";
const libc = Deno.dlopen("libc.so.6", {
  open: { parameters: ["buffer", i32, i32], result: i32 },
  close: { parameters: [i32], result: i32 },
  readlink: { parameters: ["buffer", "buffer", "usize"], result: "isize" },
  getcwd: { parameters: ["buffer", "usize"], result: "pointer" },
  statfs: { parameters: ["buffer", "buffer"], result: i32 },
  getxattr: { parameters: ["buffer", "buffer", "buffer", "usize"], result: "isize" },
  prctl: { parameters: [i32, "u64", "u64", "u64", "u64"], result: i32 },
  mmap: { parameters: ["u64", "usize", i32, i32, i32, "i64"], result: "u64" },
  munmap: { parameters: ["u64", "usize"], result: i32 },
  memfd_create: { parameters: ["buffer", "u32"], result: i32 },
});
const c = libc.symbols;

/** PATH_MAX of <linux/limits.h>. */
const pathBytes = 4096;
const O_PATH = 0o10000000;
const PR_GET_NO_NEW_PRIVS = 39;
/** struct statfs of 64-bit Linux: its size, and where its flags are (statfs(2)). */
const statfsBytes = 120;
const statfsFlags = 80;
const statfsBlock = 8;
const statfsAvailable = 32;
const ST_NOSUID = 2n;
const ST_NOEXEC = 8n;
const PROT_EXEC = 4;
const MAP_PRIVATE = 2;
const MFD_CLOEXEC = 1;
/** Since Linux 6.3; before, every memfd may be run. */
const MFD_EXEC = 0x10;
const setUserId = 0o4000;
const setGroupId = 0o2000;
const groupMayRun = 0o010;

/** None. */
export const systemTrees: readonly string[] = [];

/** `text` as a call takes it. */
export function cString(text: string): Uint8Array<ArrayBuffer> {
  const bytes = osBytes(text);
  const ended = new Uint8Array(bytes.length + 1);
  ended.set(bytes);
  return ended;
}

/** Where a symbolic link points (readlink(2)); null for anything else. */
export function readLink(path: string): string | null {
  const into = new Uint8Array(pathBytes);
  const length = Number(c.readlink(cString(path), into, BigInt(into.length)));
  return length < 0 ? null : osText(into.subarray(0, length));
}

/** The working directory; "/" when it is gone. */
export function workingDirectory(): string {
  const into = new Uint8Array(pathBytes);
  return c.getcwd(into, BigInt(into.length)) === null ? "/" : osText(into.subarray(0, into.indexOf(0)));
}

/**
 * The file at `path`, by another name where its own is not UTF-8 (proc_pid_fd(5)). A missing one is so by the
 * new name too.
 */
export function reach(path: string): Reached {
  if (!hasRawBytes(path)) return { path, [Symbol.dispose]() {} };
  const fd = c.open(cString(path), O_PATH | K.O_CLOEXEC, 0);
  return {
    path: `/proc/self/fd/${fd}`,
    [Symbol.dispose]() {
      if (fd >= 0) c.close(fd);
    },
  };
}

/**
 * Why the kernel will start the program at `path` in secure-execution mode, in which the dynamic linker loads
 * nothing that a variable names; null when it will not. The layer has the same rule
 * (layer/sys/program_linux.c), which tests/layer/obstacles_test.ts compares with this one.
 */
export function secureReason(path: string, { mode, uid, gid }: Deno.FileInfo): string | null {
  const bits = mode ?? 0;
  const isSet = ((bits & setUserId) !== 0 && uid !== Deno.uid()) ||
    ((bits & setGroupId) !== 0 && (bits & groupMayRun) !== 0 && gid !== Deno.gid());
  const isCapable = Deno.uid() !== 0 &&
    c.getxattr(cString(path), cString("security.capability"), new Uint8Array(0), 0n) > 0n;
  if (!isSet && !isCapable) return null;
  if (c.prctl(PR_GET_NO_NEW_PRIVS, 0n, 0n, 0n, 0n) === 1) return null;
  if ((mountFlags(path) & ST_NOSUID) !== 0n) return null;
  return isSet ? "is set-user-ID" : "has file capabilities";
}

/** How the file system at `path` is mounted (statfs(2), f_flags); 0 when that is unknown. */
function mountFlags(path: string): bigint {
  return fileSystem(path)?.getBigUint64(statfsFlags, true) ?? 0n;
}

/** struct statfs of the file system at `path`; null when the call fails. */
function fileSystem(path: string): DataView | null {
  const system = new Uint8Array(statfsBytes);
  return c.statfs(cString(path), system) === 0 ? new DataView(system.buffer) : null;
}

/** May files below `folder` be mapped to be run (mount(8), noexec), and is there room for `bytes`? */
export function mayMapThere(folder: string, bytes: number): boolean {
  const system = fileSystem(folder);
  if (system === null) return true;
  const room = system.getBigUint64(statfsAvailable, true) * system.getBigUint64(statfsBlock, true);
  return (system.getBigUint64(statfsFlags, true) & ST_NOEXEC) === 0n && room >= BigInt(bytes);
}

/**
 * Tries what a dynamic linker does with a library: true when this process may map the file at `path` to run
 * it.
 */
export function canMap(path: string): boolean {
  const fd = c.open(cString(path), K.O_RDONLY | K.O_CLOEXEC, 0);
  if (fd < 0) return false;
  const at = c.mmap(0n, BigInt(pathBytes), K.PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0n);
  c.close(fd);
  if (at === K.MAP_FAILED) return false;
  c.munmap(at, BigInt(pathBytes));
  return true;
}

/**
 * The path of a new file in memory that holds `bytes` and may be run (memfd_create(2)); it lives as long as
 * this process. null: none can be made.
 */
export function memoryFile(name: string, bytes: Uint8Array): string | null {
  let fd = c.memfd_create(cString(name), MFD_CLOEXEC | MFD_EXEC);
  if (fd < 0) fd = c.memfd_create(cString(name), MFD_CLOEXEC);
  if (fd < 0) return null;
  const path = `/proc/${Deno.pid}/fd/${fd}`;
  Deno.writeFileSync(path, bytes);
  return path;
}
