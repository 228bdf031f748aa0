// A program of Darwin cut out of its file for one machine, so that its copy runs from another folder: paths
// that count from the program's own folder become absolute. Called by copies.ts. Pure; what is signed
// afterwards is codesign(1)'s.

import { dirname } from "node:path";
import {
  arm64e,
  type Command,
  commands,
  commandText,
  cpuTypes,
  headerBytes,
  readCommands,
  segmentsOf,
  type Slice,
  viewOf,
} from "../../net/macho.ts";

/** Commands that hold a path which dyld resolves. */
const withPath: ReadonlySet<number> = new Set([
  commands.loadDylib,
  commands.weakLoad,
  commands.reexport,
  commands.lazyLoad,
  commands.upwardLoad,
  commands.runPath,
]);
const ownFolder = /^@(executable|loader)_path(?=\/|$)/;

/**
 * The slice that a copy is made of: this machine's own, otherwise x86_64's, which Rosetta runs; null: none.
 */
export function chooseSlice(slices: readonly Slice[], machine: "x86_64" | "aarch64"): Slice | null {
  const native = machine === "aarch64"
    ? slices.find((one) => one.cpuType === cpuTypes.aarch64 && one.cpuSubtype !== arm64e)
    : undefined;
  return native ?? slices.find((one) => one.cpuType === cpuTypes.x86_64) ?? null;
}

/**
 * `slice` of the program in `bytes`, which lies at `path`, as a program of its own. Throws RangeError when it
 * has no room for its paths.
 */
export function cutProgram(bytes: Uint8Array, slice: Slice, path: string): Uint8Array<ArrayBuffer> {
  const program = bytes.slice(slice.offset, slice.offset + slice.size);
  const all = readCommands(program);
  const folder = dirname(path);
  const written = all.map((one) => absoluteCommand(program, one, folder) ?? whole(program, one));
  const size = written.reduce((sum, one) => sum + one.length, 0);
  if (headerBytes + size > roomEnd(program, all)) {
    throw new RangeError("its header has no room for the folder that it was in");
  }
  const before = headerBytes + all.reduce((sum, one) => sum + one.size, 0);
  program.fill(0, headerBytes, Math.max(before, headerBytes + size));
  let at = headerBytes;
  for (const one of written) {
    program.set(one, at);
    at += one.length;
  }
  viewOf(program).setUint32(20, size, true);
  return program;
}

function whole(program: Uint8Array, { at, size }: Command): Uint8Array {
  return program.slice(at, at + size);
}

/** The command with its path from the root; null where it needs no other. */
function absoluteCommand(program: Uint8Array, command: Command, folder: string): Uint8Array | null {
  if (!withPath.has(command.command)) return null;
  const text = commandText(program, command);
  if (!ownFolder.test(text)) return null;
  const start = viewOf(program).getUint32(command.at + 8, true);
  const path = new TextEncoder().encode(text.replace(ownFolder, () => folder) + "\0");
  const made = new Uint8Array((start + path.length + 7) & ~7);
  made.set(program.subarray(command.at, command.at + start));
  made.set(path, start);
  viewOf(made).setUint32(4, made.length, true);
  return made;
}

/** Where the first section begins: load commands may reach as far. */
function roomEnd(program: Uint8Array, all: readonly Command[]): number {
  const offsets = segmentsOf(program, all).flatMap(({ sections }) => sections.map(({ offset }) => offset));
  return Math.min(program.length, ...offsets.filter((offset) => offset > 0));
}
