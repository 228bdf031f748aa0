// Programs for macOS on this machine, for tests of the layer's build for macOS: tests/apps compiled as Mach-O
// by zig, and the loader of tests/support/macho that runs them with the layer inserted. Used by layer_app.ts.
// It is no macOS: what the kernel and libSystem do there is translated from Linux
// (tests/support/macho/shims.h).

import assert from "node:assert/strict";
import { zig } from "../../scripts/tools.ts";

const root = decodeURIComponent(new URL("../../", import.meta.url).pathname);
const folder = `${root}build/macho`;
const sources = `${root}tests/support/macho`;
/** The first macOS that the layer is for. */
const version = "11.0";

export type MacMachine = "x86_64" | "aarch64";

const made = new Map<string, Promise<string>>();

/** The file `name` of build/macho, made once in a run by the command that `args` gives for an output path. */
function once(name: string, make: (output: string) => Promise<string[]>): Promise<string> {
  const known = made.get(name) ?? (async () => {
    const output = `${folder}/${name}`;
    Deno.mkdirSync(folder, { recursive: true });
    const part = `${output}.${crypto.randomUUID()}`; // test files may run at the same time
    const [program = "", ...args] = await make(part);
    const { success, stderr } = await new Deno.Command(program, { args, stderr: "piped" }).output();
    assert.ok(success, new TextDecoder().decode(stderr));
    Deno.renameSync(part, output);
    return output;
  })();
  made.set(name, known);
  return known;
}

/** tests/apps/NAME.c as a program for macOS; its path. */
export function compileMacApp(name: string, machine: MacMachine): Promise<string> {
  return once(`${name}.${machine}`, async (output) => [
    await zig(),
    "cc",
    "-target",
    `${machine}-macos.${version}`,
    "-std=gnu11",
    "-O1",
    "-Wno-deprecated-declarations",
    "-fno-sanitize=all",
    "-o",
    output,
    `${root}tests/apps/${name}.c`,
  ]);
}

/**
 * The command that runs a program for macOS of that processor: the loader, by qemu-user where it is
 * another's.
 */
export async function macRunner(machine: MacMachine): Promise<string[]> {
  const native = machine === Deno.build.arch;
  const files = [...Deno.readDirSync(sources)].map(({ name }) => name).filter((name) => /\.[cS]$/.test(name))
    .sort();
  const loader = await once(`loader.${machine}`, async (output) => [
    ...(native ? ["gcc"] : [await zig(), "cc", "-target", `${machine}-linux-gnu`]),
    "-std=gnu11",
    "-D_GNU_SOURCE",
    "-Wall",
    "-Wextra",
    "-Werror",
    "-O1",
    "-pthread",
    "-rdynamic",
    "-o",
    output,
    ...files.map((name) => `${sources}/${name}`),
    "-ldl",
  ]);
  return native ? [loader] : [`qemu-${machine}`, "-L", `/usr/${machine}-linux-gnu`, loader];
}

/** The words of a command that are macRunner()'s. */
export function runnerOf(argv: string[]): string[] {
  return argv.slice(0, argv.findIndex((word) => word.startsWith(`${folder}/loader.`)) + 1);
}

/** Is this a layer for macOS? */
export function isMacLayer(layer: string): boolean {
  return /\.dylib(\?|$)/.test(layer);
}

/** The layer without its hook of one call: the loader passes over the pairs of that name. */
export function withoutHook(layer: string, name: string): string {
  return `${layer}?${name}`;
}

/** The processor that a layer for macOS of one processor is for, by its file's name. */
export function machineOf(layer: string): MacMachine {
  return layer.includes("aarch64") ? "aarch64" : "x86_64";
}
