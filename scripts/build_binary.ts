// The build step of the program itself: main.ts bundled and tree-shaken into a few chunks (a command's code
// loads when the command runs), then `deno compile`d with the embedded files. Called by build.ts after the
// assets.

import { build, type BuildOptions, type Plugin } from "esbuild";
import type { Origin } from "../cmd/origin.ts";
import { addEntry } from "./build_entry.ts";
import { linuxLayers } from "./build_layer.ts";
import { librariesFile } from "./build_libraries.ts";
import { command, exists, root, runStep } from "./step.ts";
import { denort } from "./denort.ts";

/** What a binary for one machine is called, compiled for and carries. */
export interface Platform {
  machine: "x86_64" | "aarch64";
  os: "linux" | "macos";
  name: string;
  target: string;
  layers: string[];
  /** Absent: its links are sealed by node:crypto. */
  seal?: string;
}

export const platforms: Record<"x86_64" | "aarch64", Platform> = {
  x86_64: {
    machine: "x86_64",
    os: "linux",
    name: "linux-x86_64",
    target: "x86_64-unknown-linux-gnu",
    layers: linuxLayers("x86_64"),
    seal: "core/net/seal_linux_x86_64.so",
  },
  aarch64: {
    machine: "aarch64",
    os: "linux",
    name: "linux-aarch64",
    target: "aarch64-unknown-linux-gnu",
    layers: linuxLayers("aarch64"),
    seal: "core/net/seal_linux_aarch64.so",
  },
};

/**
 * Programs of macOS: one layer for both, which is a fat file. They hold no agent, which runs on Linux only.
 */
export const macPlatforms: Record<"x86_64" | "aarch64", Platform> = {
  x86_64: macPlatform("x86_64"),
  aarch64: macPlatform("aarch64"),
};

function macPlatform(machine: "x86_64" | "aarch64"): Platform {
  const target = `${machine}-apple-darwin`;
  return {
    machine,
    os: "macos",
    name: `macos-${machine}`,
    target,
    layers: ["core/launch/layer_macos.dylib"],
  };
}

/** The files that a binary for `platform` has inside beside its bundle, as far as they are built. */
export function embeddedFiles({ machine, os, layers, seal }: Platform): string[] {
  if (os === "macos" || seal === undefined) return ["protocol-wasm/protocol.wasm", ...layers, ...page];
  const libraries = librariesFile(machine);
  return [...embedded, ...page, ...layers, seal, ...(exists(root + libraries) ? [libraries] : [])];
}

/** What `mirrord ui` serves. */
const page = ["cmd/page/page.html", "cmd/page/page.css", "cmd/page/page.js"];
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
  "scripts/build_entry.ts",
  "scripts/entry.c",
];

/**
 * Time of every embedded file, which a compiled binary keeps: a constant, so that the same sources give the
 * same bytes.
 */
const fileTime = new Date(0);

/** What is put into a release: its commit, and where its successors come from. */
export interface ReleaseFacts {
  commit: string;
  origin: Origin;
}

/**
 * Bundles and compiles dist/mirrord-<platform>; needs the runtime that `deno compile` puts in (./dev sees to
 * it).
 */
export async function buildBinary(platform: Platform, release?: ReleaseFacts): Promise<void> {
  const output = `dist/mirrord-${platform.name}`;
  const assets = embeddedFiles(platform);
  await runStep({
    name: `binary-${platform.name}`,
    inputs: [...new Set([...sources, ...assets])],
    outputs: [output, `build/bundle-${platform.name}.json`],
    given: release === undefined ? "" : JSON.stringify(release),
    run: async () => {
      const folder = `build/bundle-${platform.name}`;
      await bundle(folder, release);
      for (const asset of assets) Deno.copyFileSync(root + asset, `${root}${folder}/${baseName(asset)}`);
      Deno.mkdirSync(`${root}dist`, { recursive: true });
      const names = [...Deno.readDirSync(root + folder)].map((entry) => entry.name).sort();
      for (const name of names) Deno.utimeSync(`${root}${folder}/${name}`, fileTime, fileTime);
      const includes = names.filter((name) => name !== "main.js");
      const part = `${output}.part`;
      const { machine, os } = platform;
      const runtime = await denort(os === "macos" ? `macos-${machine}` : machine);
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
        // The cache would lie under a name that anybody can guess in the shared temporary directory, be
        // trusted by the next start, and be left there.
        "--no-code-cache",
        "--unstable-net",
        // The agent lives in the target's memory, and its garbage is short-lived: a small young generation,
        // and an old one that is collected when it has grown by a third, keep the agent below 90 MiB under
        // 1,000 connections (bench/agent_memory.ts). It costs a request there a tenth of its processor time.
        "--v8-flags=--max-semi-space-size=2,--heap-growing-percent=30",
        "--target",
        platform.target,
        ...includes.flatMap((name) => ["--include", `${folder}/${name}`]),
        "--output",
        part,
        `${folder}/main.js`,
      ], { env: { DENORT_BIN: runtime } });
      if (os === "linux") await addEntry(root + part, machine);
      // Whole or not at all, and never missing for a process that runs it now.
      Deno.renameSync(root + part, root + output);
    },
  });
}

/**
 * Commands whose start counts have a bundle of their own. Each file that a start loads costs it, and the
 * bundler makes a file of what any two commands share: of 52 files that `exec` loaded, half were for others.
 */
const ownBundles: Record<string, readonly string[]> = {
  run: ["exec", "ext"],
  agent: ["agent"],
  names: ["ls", "complete"], // asked by completions, at each Tab
  check: ["verify-config"], // asked by editors, at each change
};

/**
 * Bundles main.ts into `folder`, and writes what is inside beside it, for the release's bill of materials;
 * every chunk and embedded file lies flat beside main.js, where import.meta.url looks.
 */
async function bundle(folder: string, release: ReleaseFacts | undefined): Promise<void> {
  await Deno.remove(root + folder, { recursive: true }).catch(() => {});
  const options: BuildOptions = {
    absWorkingDir: root,
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
    define: release === undefined ? {} : {
      releaseCommit: JSON.stringify(release.commit),
      releaseOrigin: JSON.stringify(release.origin),
    },
  };
  const { metafile } = await build({
    ...options,
    // The file threads are started by name: agent/files/threads.ts.
    entryPoints: { all: "main.ts", files_worker: "agent/files/operations.ts" },
    metafile: true,
  });
  for (const [name, commands] of Object.entries(ownBundles)) {
    await build({ ...options, entryPoints: { [name]: "main.ts" }, plugins: [onlyCommands(commands)] });
  }
  const bundles = Object.entries(ownBundles).flatMap(([name, commands]) =>
    commands.map((command) => `"${command}": "./${name}.js"`)
  );
  Deno.writeTextFileSync(
    `${root}${folder}/main.js`,
    `await import({ __proto__: null, ${bundles.join(", ")} }[Deno.args[0]] ?? "./all.js");\n`,
  );
  Deno.writeTextFileSync(`${root}${folder}.json`, JSON.stringify(metafile));
}

/** Leaves out every command but `commands`: main.js asks their bundle for no other. */
function onlyCommands(commands: readonly string[]): Plugin {
  return {
    name: "only-commands",
    setup({ onResolve }) {
      onResolve({ filter: /^\.\/\w+\.ts$/ }, ({ path, kind, importer }) => {
        const isCommand = kind === "dynamic-import" && importer === `${root}cmd/mod.ts`;
        const isLeftOut = isCommand && !commands.includes(path.slice(2, -3).replaceAll("_", "-"));
        return isLeftOut ? { path: "data:text/javascript,", external: true } : undefined;
      });
    },
  };
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}
