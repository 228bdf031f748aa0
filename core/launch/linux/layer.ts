// The layer's files on Linux: one for programs with glibc, one for those with musl. Both are found by one
// value of LD_PRELOAD, so it is right for every program that a program starts, whichever way: glibc's dynamic
// linker puts the name of its folder of libraries in place of $LIB (ld.so(8)), and musl's takes a path as it
// is, which is the folder that its layer is in.

import type { PlatformLayer } from "../platform.ts";

/** A folder of this very name; layer/sys/program_linux.c knows it too. */
const token = "$LIB";

export const layer: PlatformLayer = {
  variable: "LD_PRELOAD",
  embedded: `layer_linux_${Deno.build.arch}.so`,
  unpacked: "libmirrord_layer.so",
  preloadOf(path) {
    const slash = path.lastIndexOf("/");
    // What a file in memory is called has no folder.
    return path.startsWith("/proc/") ? path : `${path.slice(0, slash)}/${token}${path.slice(slash)}`;
  },
  second: {
    embedded: `layer_linux_musl_${Deno.build.arch}.so`,
    // What builds of glibc have for it: "lib", "lib64", and Debian's "lib/MACHINE-linux-gnu". Each name
    // becomes a link to the first layer's own folder, so one of two parts leads there too.
    folders: ["lib", "lib64", `${Deno.build.arch}-linux-gnu`],
  },
};
