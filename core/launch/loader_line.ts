// The dynamic linker called by name: `ld-linux-x86-64.so.2 [OPTION]… PROGRAM [ARGUMENT]…` (ld.so(8)). It is a
// static program itself, but loads what LD_PRELOAD names into the program that it runs. Called by program.ts.

import { baseName } from "./skip.ts";

const loaderName = /^ld(-linux[-\w]*|-[\d.]+|64)?\.so(\.\d+)*$/;
/** Options with a value of their own; every other stands alone (glibc's elf/rtld.c). */
const valued = [
  "--library-path",
  "--inhibit-rpath",
  "--audit",
  "--preload",
  "--argv0",
  "--glibc-hwcaps-prepend",
  "--glibc-hwcaps-mask",
];

/**
 * The program that `file` is called to run; "" when it runs none (for example --version); null when it is no
 * dynamic linker.
 */
export function loaderProgram(file: string, args: readonly string[]): string | null {
  if (!loaderName.test(baseName(file))) return null;
  for (let at = 0; at < args.length; at++) {
    const argument = args[at] ?? "";
    if (valued.includes(argument)) at++;
    else if (!argument.startsWith("-")) return argument;
  }
  return "";
}
