// The library of seal.zig, by the processor's own instructions (2 GB/s). Called by ../seal.ts. It is loaded
// from memory, so no temporary directory has to allow execution.

import type { SealLibrary } from "../platform.ts";
import { c } from "./libc.ts";

/** memfd_create(2). */
const MFD_CLOEXEC = 1;
/** What seal.zig was compiled for, as /proc/cpuinfo names it. */
const needs = { x86_64: ["aes", "pclmulqdq", "avx"], aarch64: ["aes", "pmull"] };
const calls = {
  seal_record: { parameters: ["buffer", "buffer", "u32", "buffer", "u32"], result: "void" },
  open_record: { parameters: ["buffer", "buffer", "u32", "buffer", "u32"], result: "u32" },
} as const;

const memory = Deno.dlopen("libc.so.6", {
  memfd_create: { parameters: ["buffer", "u32"], result: "i32" },
});

/** The functions of the library in `file`. Throws where they cannot be loaded. */
export function sealLibrary(file: URL): SealLibrary {
  const fd = memory.symbols.memfd_create(new TextEncoder().encode("mirrord-seal\0"), MFD_CLOEXEC);
  if (fd < 0) throw new Error("there is no memory for a library");
  try {
    Deno.writeFileSync(`/proc/self/fd/${fd}`, Deno.readFileSync(file));
    return Deno.dlopen(`/proc/self/fd/${fd}`, calls).symbols;
  } finally {
    c.close(fd);
  }
}

/** Has the processor what it was compiled for? */
export function hasInstructions(): boolean {
  const text = new Uint8Array(8192);
  using file = Deno.openSync("/proc/cpuinfo");
  const count = file.readSync(text) ?? 0;
  const line = /^(?:flags|Features)\s*:(.*)$/m.exec(new TextDecoder().decode(text.subarray(0, count)))?.[1] ??
    "";
  const has = new Set(line.trim().split(/\s+/));
  return needs[Deno.build.arch].every((one) => has.has(one));
}
