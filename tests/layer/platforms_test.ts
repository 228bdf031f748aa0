// The layer compiles for platforms that a plain build does not make it for: its operations and its link for
// musl's Linux, all of it for macOS. What belongs to one of them alone lies in files whose names say so
// (scripts/build_layer.ts), or behind layer/sys.

import assert from "node:assert/strict";
import { layerFlags, type LayerPlatform, layerSources } from "../../scripts/build_layer.ts";
import { zig } from "../../scripts/tools.ts";

const root = decodeURIComponent(new URL("../../", import.meta.url).pathname);

interface Build {
  target: string;
  /** Files that this platform shares: below these folders. */
  folders: RegExp;
}

const builds: Record<Exclude<LayerPlatform, "glibc">, Build> = {
  musl: { target: "x86_64-linux-musl", folders: /^layer\/(ops|link|sys)\// },
  darwin: { target: "aarch64-macos.11.0", folders: /^layer\// },
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
      await t.step(path, async () => assert.equal(await complaint(compiler, build.target, path), null));
    }
  });
}
