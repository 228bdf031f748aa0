// The C library's calls the agent makes beyond those on sockets (core/net/linux/libc.ts), and both together
// as `c`. Called by its neighbours in agent/sys alone. Every call is non-blocking or short. Linux, x86_64 and
// aarch64.

import { c as sockets } from "../../core/net/linux/libc.ts";

export { check, K, lastErrno } from "../../core/net/linux/libc.ts";
export { E, errnoName, SystemError } from "../../core/net/system_error.ts";

const i32 = "i32";
const libc = Deno.dlopen("libc.so.6", {
  syscall: { parameters: ["i64", "i64", "buffer", "i64", "i64"], result: "i64" },
  open: { parameters: ["buffer", i32, i32], result: i32 },
  process_vm_readv: { parameters: [i32, "buffer", "usize", "buffer", "usize", "usize"], result: "isize" },
  signal: { parameters: [i32, "pointer"], result: "pointer" },
  ioctl: { parameters: [i32, "u64", "buffer"], result: i32 },
  setns: { parameters: [i32, i32], result: i32 },
  mmap: { parameters: ["pointer", "usize", i32, i32, i32, "i64"], result: "pointer" },
  munmap: { parameters: ["pointer", "usize"], result: i32 },
  setrlimit: { parameters: [i32, "buffer"], result: i32 },
  clock_gettime: { parameters: [i32, "buffer"], result: i32 },
});

/**
 * The calls, as in their man pages; -1 means failure, and `lastErrno()` returns its errno if it is called
 * before any other.
 */
export const c = { ...sockets, ...libc.symbols };

/** Number of bpf(2) for this machine (syscalls(2)). */
export const SYS_BPF = Deno.build.arch === "aarch64" ? 280 : 321;

/** A zero-terminated string for a call. */
export function cText(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text + "\0");
}
