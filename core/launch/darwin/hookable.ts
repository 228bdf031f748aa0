// Whether a program of Darwin can be hooked at all: not where it has another user's rights, is for another
// machine, or its interpreter is missing. What the system protects is copied: copies.ts. Called by
// ../program.ts.

import { cpuTypes, readSlices } from "../../net/macho.ts";
import { platform } from "../../net/this_platform.ts";
import { readProgramKind } from "../elf.ts";
import { cannotRun, scriptDepth, stat } from "../look.ts";
import type { Look } from "../platform.ts";

const { secureReason } = await platform.files();

/** Throws MirrordError (126). */
export async function checkProgram(name: string, { file, args, variables, depth }: Look): Promise<void> {
  const kind = await readProgramKind(file).catch((error) => {
    throw cannotRun(name, `"${file}" cannot be read (${error instanceof Error ? error.message : error})`);
  });
  if (kind.kind === "script") {
    const { interpreter } = kind;
    if (depth >= scriptDepth) return;
    if (stat(interpreter) === null) throw cannotRun(name, `its interpreter "${interpreter}" does not exist`);
    return await checkProgram(name, {
      file: interpreter,
      args: [file, ...args],
      variables,
      depth: depth + 1,
    });
  }
  const state = stat(file);
  const secure = state === null ? null : secureReason(file, state);
  if (secure !== null) throw cannotRun(name, `"${file}" ${secure}, dyld loads nothing into it`);
  const slices = readSlices(await Deno.readFile(file));
  if (slices.length === 0) {
    throw cannotRun(
      name,
      `"${file}" is neither a 64-bit Mach-O program nor a script that names its interpreter`,
    );
  }
  const machines: number[] = [cpuTypes.x86_64, ...(Deno.build.arch === "aarch64" ? [cpuTypes.aarch64] : [])];
  if (!slices.some(({ cpuType }) => machines.includes(cpuType))) {
    throw cannotRun(name, `"${file}" is built for another machine than this one (${Deno.build.arch})`);
  }
}
