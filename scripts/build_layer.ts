// The build steps of the layer: layer/ → core/launch/layer_linux_{x86_64,aarch64}.so, the same with musl, and
// core/launch/layer_macos.dylib, which only the releases for macOS hold. Called by build.ts, and by the tests
// for builds of their own. The compiler is zig's clang, for it brings the old C library to link against: what
// it makes loads wherever glibc is 2.17 (2012) or newer, and on macOS 11 or newer. Same sources, same bytes.

import { joinFat } from "./fat.ts";
import { command, root, runStep } from "./step.ts";
import { zig } from "./tools.ts";

const glibc = "2.17";
/** Threads may have stacks of 16 KiB: two paths and a little are the most that one function may put there. */
const frameBytes = 8448;
const machines = ["x86_64", "aarch64"];

/** What a C file's name ends in says whose it is; one without such an ending is every platform's. */
const platforms = {
  glibc: ["linux", "glibc"],
  musl: ["linux", "musl"],
  darwin: ["darwin"],
};
export type LayerPlatform = keyof typeof platforms;

/** The layer's C files for a platform; tests lie beside them and are not part of it. */
export function layerSources(platform: LayerPlatform = "glibc"): string[] {
  return filesBelow("layer").filter((path) => {
    const owner = /(?:^|[_/])(linux|glibc|musl|darwin)\.c$/.exec(path)?.[1];
    return path.endsWith(".c") && !path.endsWith("_test.c") &&
      (owner === undefined || platforms[platform].includes(owner));
  }).sort();
}

function filesBelow(folder: string): string[] {
  return [...Deno.readDirSync(root + folder)].flatMap(({ name, isDirectory }) =>
    isDirectory ? filesBelow(`${folder}/${name}`) : [`${folder}/${name}`]
  );
}

/** Flags of every build of the layer, whichever compiler. */
export const layerFlags = [
  "-std=gnu11",
  "-D_GNU_SOURCE",
  "-Wall",
  "-Wextra",
  "-Wshadow",
  "-Wconversion",
  "-Wcast-qual",
  "-Werror",
  "-fvisibility=hidden",
  "-fPIC",
];

/** The layers for Linux of a machine: for programs with glibc, and with musl. */
export function linuxLayers(machine: string): string[] {
  return linuxLibcs.map((libc) => linuxLayer(machine, libc));
}

const linuxLibcs = ["glibc", "musl"] as const;
type LinuxLibc = typeof linuxLibcs[number];

function linuxLayer(machine: string, libc: LinuxLibc): string {
  return `core/launch/layer_linux_${libc === "musl" ? "musl_" : ""}${machine}.so`;
}

/** Builds the layer for every machine and C library of Linux. */
export async function buildLayer(): Promise<void> {
  const outputs = machines.flatMap(linuxLayers);
  await runStep({
    name: "layer",
    inputs: ["layer", "scripts/build_layer.ts", "scripts/tools.ts"],
    outputs,
    run: async () => {
      Deno.mkdirSync(`${root}core/launch`, { recursive: true });
      for (const machine of machines) {
        for (const libc of linuxLibcs) await compile(machine, libc, linuxLayer(machine, libc));
      }
    },
  });
}

/** What a build for a C library of Linux has besides. */
const libcFlags: Record<LinuxLibc, readonly string[]> = {
  glibc: [],
  musl: ["-Wno-cast-qual"], // its headers' IN6_IS_ADDR_... (inet(3)) take const away
};

/** What a build for macOS has besides: its headers' types convert without a word where Linux's do not. */
const macFlags = ["-Wno-conversion", "-Wno-sign-conversion", "-Wno-cast-qual"];
const macVersion = "11.0";

/** The layer for macOS of one processor, for tests; buildMacLayer() makes it. */
export function macLayerPart(machine: string): string {
  return `build/layer_macos_${machine}.dylib`;
}

/** Builds the layer for macOS: one file for both processors. */
export async function buildMacLayer(): Promise<void> {
  const parts = machines.map(macLayerPart);
  const output = "core/launch/layer_macos.dylib";
  await runStep({
    name: "layer for macOS",
    inputs: ["layer", "scripts/build_layer.ts", "scripts/fat.ts", "scripts/tools.ts"],
    outputs: [output, ...parts],
    run: async () => {
      for (const folder of ["core/launch", "build"]) Deno.mkdirSync(root + folder, { recursive: true });
      for (const machine of machines) await compileMac(machine, macLayerPart(machine));
      Deno.writeFileSync(root + output, joinFat(parts.map((part) => Deno.readFileSync(root + part))));
    },
  });
}

async function compileMac(machine: string, output: string): Promise<void> {
  await command([
    await zig(),
    "cc",
    "-target",
    `${machine}-macos.${macVersion}`,
    ...layerFlags,
    ...macFlags,
    "-Os",
    "-g0",
    "-fno-sanitize=all",
    "-shared",
    "-Wl,-install_name,@rpath/mirrord_layer.dylib",
    "-o",
    output,
    ...layerSources("darwin"),
  ]);
}

async function compile(machine: string, libc: LinuxLibc, output: string): Promise<void> {
  await command([
    await zig(),
    "cc",
    "-target",
    libc === "musl" ? `${machine}-linux-musl` : `${machine}-linux-gnu.${glibc}`,
    ...layerFlags,
    ...libcFlags[libc],
    "-Os",
    `-Wframe-larger-than=${frameBytes}`,
    "-g0",
    "-fno-sanitize=all",
    "-fno-asynchronous-unwind-tables",
    "-ffunction-sections",
    "-fdata-sections",
    "-shared",
    "-s",
    "-Wl,--gc-sections,--build-id=none,-z,relro,-soname=mirrord_layer.so,-e,layer_entry",
    "-o",
    output,
    ...layerSources(libc),
    "-ldl",
  ]);
}

if (import.meta.main) {
  await buildLayer();
}
