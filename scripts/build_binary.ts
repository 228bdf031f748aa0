// The build step of the program itself: main.ts bundled and tree-shaken into a few chunks (a command's code loads
// when the command runs), then `deno compile`d with the embedded files. Called by build.ts after the assets.

import { build } from "esbuild";
import { command, root, runStep } from "./step.ts";
import { denort } from "./denort.ts";

/** What a binary for one machine is called, compiled for and carries. */
interface Platform {
  machine: "x86_64" | "aarch64";
  name: string;
  target: string;
  layer: string;
}

export const platforms: Record<"x86_64" | "aarch64", Platform> = {
  x86_64: {
    machine: "x86_64",
    name: "linux-x86_64",
    target: "x86_64-unknown-linux-gnu",
    layer: "core/launch/layer_linux_x86_64.so",
  },
  aarch64: {
    machine: "aarch64",
    name: "linux-aarch64",
    target: "aarch64-unknown-linux-gnu",
    layer: "core/launch/layer_linux_aarch64.so",
  },
};

const embedded = ["protocol-wasm/protocol.wasm", "agent/sys/steal.bpf.bin", "agent/sys/mirror.bpf.bin"];
const sources = [
  "main.ts",
  "cmd",
  "core",
  "agent",
  "protocol-wasm",
  "deno.json",
  "deno.lock",
  "scripts/build_binary.ts",
];

/** Bundles and compiles dist/mirrord-<platform>; needs the runtime that `deno compile` puts in (./dev sees to it). */
export async function buildBinary(platform: Platform): Promise<void> {
  const output = `dist/mirrord-${platform.name}`;
  await runStep({
    name: `binary-${platform.name}`,
    inputs: [...sources, platform.layer],
    outputs: [output],
    run: async () => {
      const folder = `build/bundle-${platform.name}`;
      await bundle(folder);
      const assets = [...embedded, platform.layer];
      for (const asset of assets) Deno.copyFileSync(root + asset, `${root}${folder}/${baseName(asset)}`);
      Deno.mkdirSync(`${root}dist`, { recursive: true });
      const includes = [...Deno.readDirSync(root + folder)].map((entry) => entry.name).filter((name) =>
        name !== "main.js"
      );
      const part = `${output}.part`;
      const runtime = await denort(platform.machine, platform.target);
      await command([
        Deno.execPath(),
        "compile",
        "--quiet",
        "--no-check",
        "--no-config",
        "--no-lock",
        "--no-npm",
        "--no-remote",
        "--allow-all",
        // The cache would lie under a name that anybody can guess in the shared temporary directory, be trusted by the next
        // start, and be left there.
        "--no-code-cache",
        "--unstable-net",
        // The agent's garbage is short-lived: a small young generation keeps it near 100 MB instead of 165 after 25,000
        // connections (bench/agent_steal.ts), at no cost seen.
        "--v8-flags=--max-semi-space-size=4",
        "--target",
        platform.target,
        ...includes.flatMap((name) => ["--include", `${folder}/${name}`]),
        "--output",
        part,
        `${folder}/main.js`,
      ], { env: runtime === null ? {} : { DENORT_BIN: runtime } });
      // Whole or not at all, and never gone for whoever runs it now.
      Deno.renameSync(root + part, root + output);
    },
  });
}

/** Bundles main.ts into `folder`; every chunk and embedded file lies flat beside main.js, where import.meta.url looks. */
async function bundle(folder: string): Promise<void> {
  await Deno.remove(root + folder, { recursive: true }).catch(() => {});
  await build({
    absWorkingDir: root,
    // The file threads are started by name: agent/files/threads.ts.
    entryPoints: { main: "main.ts", files_worker: "agent/files/worker.ts" },
    outdir: folder,
    bundle: true,
    splitting: true,
    minify: true,
    keepNames: true,
    format: "esm",
    platform: "node",
    target: "esnext",
    charset: "utf8",
    legalComments: "none",
    logLevel: "error",
    // Some libraries are CommonJS inside and ask for Node's modules by `require`.
    banner: {
      js:
        `import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);`,
    },
    external: ["node:*"],
  });
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}
