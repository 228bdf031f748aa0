// The agent's own process: the target cannot reach it, the kernel kills it first when memory is short, and it
// stays small. Called by main.ts before anything else. In the compiled program scripts/entry.c has done the
// first two before the runtime started, and has changed to a user of its own, which a process with threads no
// longer can.

import { check } from "./libc.ts";

const { symbols: f } = Deno.dlopen("libc.so.6", {
  prctl: { parameters: ["i32", "u64", "u64", "u64", "u64"], result: "i32" },
  madvise: { parameters: ["usize", "usize", "i32"], result: "i32" },
  malloc_trim: { parameters: ["usize"], result: "i32" },
});

const PR_SET_DUMPABLE = 4;
/** When memory runs out, this process goes before any other of the pod (proc_pid_oom_score_adj(5)). */
const firstToDie = "1000";
const MADV_DONTNEED = 4;
/** Smaller pieces of a file are not worth the call. */
const leastPiece = 1n << 20n;
/** The page of /proc/self/statm; larger pages would only make the limits below larger. */
const pageBytes = 4096;
/** How much of the program, and how much other memory, may stay resident. */
const [programBytes, otherBytes] = [16 << 20, 40 << 20];

/**
 * Only a process with SYS_PTRACE may trace this process or read and write its memory and files of procfs,
 * whatever its user (ptrace(2), PR_SET_DUMPABLE(2const)).
 */
export function guardProcess(): void {
  try {
    Deno.writeTextFileSync("/proc/self/oom_score_adj", firstToDie, { create: false });
  } catch {
    // It was written before the file became root's (scripts/entry.c), or there is no procfs here.
  }
  check("prctl", f.prctl(PR_SET_DUMPABLE, 0n, 0n, 0n, 0n));
}

/**
 * Lets go of the program's own code and constants, most of which were needed to start it only, and of freed
 * memory, where either is much. What of the program is needed again the kernel maps again out of its cache
 * (madvise(2), MADV_DONTNEED on a file). Pieces that may be written to, or were before the dynamic linker
 * closed them (elf(5), PT_GNU_RELRO), are left alone.
 */
export function releaseMemory(): void {
  const [, all = 0, shared = 0] = Deno.readTextFileSync("/proc/self/statm").split(" ").map(Number);
  if (shared * pageBytes > programBytes) releaseProgram();
  if ((all - shared) * pageBytes > otherBytes) f.malloc_trim(0n);
}

function releaseProgram(): void {
  for (const line of Deno.readTextFileSync("/proc/self/maps").split("\n")) {
    const [, start = "0", end = "0"] =
      /^([0-9a-f]+)-([0-9a-f]+) (?:r-xp \S+|r--p 0+) \S+ \d+ +\//.exec(line) ?? [];
    const [from, to] = [BigInt(`0x${start}`), BigInt(`0x${end}`)];
    if (to - from >= leastPiece) f.madvise(from, to - from, MADV_DONTNEED);
  }
}
