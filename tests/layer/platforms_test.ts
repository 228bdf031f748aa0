// The layer's operations and its link compile for platforms that it is not built for yet: musl's Linux and
// Darwin. What belongs to one of them alone lies in files whose names say so (scripts/build_layer.ts), or
// behind layer/sys.

import assert from "node:assert/strict";
import { layerFlags, type LayerPlatform, layerSources } from "../../scripts/build_layer.ts";
import { zig } from "../../scripts/tools.ts";

const root = decodeURIComponent(new URL("../../", import.meta.url).pathname);

interface Build {
  target: string;
  /** Files that this platform shares: below these folders. */
  folders: RegExp;
  /** Files that do not compile yet, and what of Linux is in them. */
  waiting: Record<string, string>;
}

const builds: Record<Exclude<LayerPlatform, "glibc">, Build> = {
  musl: { target: "x86_64-linux-musl", folders: /^layer\/(ops|link|sys)\//, waiting: {} },
  darwin: {
    target: "aarch64-macos",
    folders: /^layer\/(ops|link)\//,
    waiting: {
      "layer/ops/sockets/outgoing.c": "TCP_INFO and SO_PROTOCOL",
      "layer/ops/files/control.c": "O_DIRECT, O_NOATIME",
      "layer/ops/files/entries.c": "d_off of struct dirent",
      "layer/ops/files/open.c": "O_DIRECT, O_TMPFILE",
      "layer/ops/files/stat.c": "st_atim of struct stat",
    },
  },
};

/** Whether its numbers and macros convert without a word is each C library's own. */
const lenient = ["-Wno-conversion", "-Wno-sign-conversion", "-Wno-cast-qual"];

/** What the compiler says of a file; null: nothing. */
async function complaint(compiler: string, target: string, path: string): Promise<string | null> {
  const { code, stderr } = await new Deno.Command(compiler, {
    args: ["cc", "-target", target, ...layerFlags, ...lenient, "-c", "-o", "/dev/null", path],
    cwd: root,
    stdout: "null",
    stderr: "piped",
  }).output();
  return code === 0 ? null : new TextDecoder().decode(stderr);
}

for (const [platform, build] of Object.entries(builds)) {
  Deno.test(`the operations compile for ${platform}`, async (t) => {
    const compiler = await zig();
    const files = layerSources(platform as LayerPlatform).filter((path) => build.folders.test(path));
    assert.ok(files.length > 0);
    for (const path of files) {
      const reason = build.waiting[path];
      await t.step({
        name: reason === undefined ? path : `${path}, which has ${reason}`,
        ignore: reason !== undefined,
        fn: async () => assert.equal(await complaint(compiler, build.target, path), null),
      });
    }
  });
}
