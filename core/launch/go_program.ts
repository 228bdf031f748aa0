// Whether the layer can redirect the system calls of a Go program. Go's runtime makes them by itself; the
// layer redirects them to itself where it finds one function in the program's code, and libc's threads in
// use. Called by program.ts before an agent is deployed; the layer looks for the same
// (layer/preload/go_linux.c).

import { Buffer } from "node:buffer";

/** Go's Syscall6 up to and with the look at the result, on x86_64; the same since Go 1.19. */
const syscall6 = Buffer.from([
  ...[0x49, 0x89, 0xf2, 0x48, 0x89, 0xfa, 0x48, 0x89, 0xce, 0x48, 0x89, 0xdf],
  ...[0x0f, 0x05, 0x48, 0x3d, 0x01, 0xf0, 0xff, 0xff],
]);
/**
 * What cgo imports from libc to start its threads; linkers store a name as the end of a longer one where
 * there is one.
 */
const threads = Buffer.from("pthread_create\0");

/** Why the layer cannot hook the Go program `file`, as the end of a sentence about it; null when it can. */
export async function cannotHookGo(file: string): Promise<string | null> {
  if (Deno.build.arch !== "x86_64") return "is a Go program, and these are hooked on x86_64 only";
  const bytes = Buffer.from((await Deno.readFile(file)).buffer);
  if (!bytes.includes(threads)) {
    return "is a Go program without cgo, the layer needs the C library's threads";
  }
  return bytes.includes(syscall6)
    ? null
    : "is made by a Go whose system calls the layer does not know (1.19 and later are)";
}
