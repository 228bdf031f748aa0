// struct statx, as the kernel fills it. Called by target_root.ts, which looks at each file that it opens, and
// by file_calls.ts. Facts: statx(2).

import { fileStatusBytes } from "../../protocol-wasm/mod.ts";
import { check } from "./libc.ts";

const { symbols: f } = Deno.dlopen("libc.so.6", {
  // A C library before glibc 2.28 has no statx.
  statx: { name: "syscall", parameters: ["i64", "i32", "buffer", "i32", "u32", "buffer"], result: "i64" },
});

/** syscalls(2). */
const number = Deno.build.arch === "aarch64" ? 291n : 332n;
const basicAndBirth = 0xfff; // STATX_BASIC_STATS | STATX_BTIME

type Bytes = Uint8Array<ArrayBuffer>;

export const AT_EMPTY_PATH = 0x1000;
/** AT_STATX_FORCE_SYNC and AT_STATX_DONT_SYNC. */
export const AT_STATX_SYNC_TYPE = 0x6000;

/** Fills `into`; false, and errno, where the kernel refuses it. */
export function look(fd: number, path: Bytes, flags: number, into: Bytes): boolean {
  return f.statx(number, fd, path, flags, basicAndBirth, into) === 0n;
}

/** Throws SystemError. */
export function statusAt(fd: number, path: Bytes, flags: number): Bytes {
  const into = new Uint8Array(fileStatusBytes);
  check("statx", look(fd, path, flags, into) ? 0 : -1);
  return into;
}

/** st_mode and st_size. */
export function modeAndSize(status: Bytes): { mode: number; size: number } {
  const view = new DataView(status.buffer, status.byteOffset);
  return { mode: view.getUint16(28, true), size: Number(view.getBigUint64(40, true)) };
}
