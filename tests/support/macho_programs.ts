// Programs of Darwin for tests: made by zig for each machine, put together as a fat file, and changed in
// their signature's flags, as no linker here would sign them.

import { commands, cpuTypes, readCommands, viewOf } from "../../core/net/macho.ts";
import { zig } from "../../scripts/tools.ts";

export type Machine = "x86_64" | "aarch64";

const source = `#include <stdio.h>
int main(void) { puts("hello"); return 0; }
`;

/** Compiles a program for `machine` that finds libraries beside itself. */
export async function makeProgram(
  folder: string,
  { machine, flags = [] }: { machine: Machine; flags?: string[] },
): Promise<Uint8Array<ArrayBuffer>> {
  const path = `${folder}/program.c`;
  const output = `${folder}/program-${machine}`;
  await Deno.writeTextFile(path, source);
  const args = ["cc", "-target", `${machine}-macos.11.0`, ...flags, "-o", output, path];
  const { success, stderr } = await new Deno.Command(await zig(), { args }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return await Deno.readFile(output);
}

/** A fat file of `programs` (<mach-o/fat.h>): big-endian, each at a page of 16 KiB. */
export function makeFat(programs: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const page = 0x4000;
  const up = (size: number) => Math.ceil(size / page) * page;
  const made = new Uint8Array(page + programs.reduce((sum, one) => sum + up(one.length), 0));
  const view = viewOf(made);
  view.setUint32(0, 0xcafebabe);
  view.setUint32(4, programs.length);
  let offset = page;
  for (const [index, program] of programs.entries()) {
    const at = 8 + 20 * index;
    const own = viewOf(program);
    view.setUint32(at, own.getUint32(4, true));
    view.setUint32(at + 4, own.getUint32(8, true));
    view.setUint32(at + 8, offset);
    view.setUint32(at + 12, program.length);
    view.setUint32(at + 16, 14);
    made.set(program, offset);
    offset += up(program.length);
  }
  return made;
}

/** A copy of a signed program with other flags in its code directory. */
export function withFlags(program: Uint8Array, flags: number): Uint8Array<ArrayBuffer> {
  const made = program.slice();
  const view = viewOf(made);
  const command = readCommands(made).find((one) => one.command === commands.signature);
  if (command === undefined) throw new Error("the program is not signed");
  const blob = view.getUint32(command.at + 8, true);
  const directory = blob + view.getUint32(blob + 12 + 4);
  view.setUint32(directory + 12, flags);
  return made;
}

/** A copy that says it is for arm64e. */
export function asArm64e(program: Uint8Array): Uint8Array<ArrayBuffer> {
  const made = program.slice();
  if (viewOf(made).getUint32(4, true) !== cpuTypes.aarch64) throw new Error("the program is not arm64's");
  viewOf(made).setUint32(8, 0x80000002, true);
  return made;
}
