// The file that an editor says it will start, if it says so. It may be a program, a script, a file that
// another program reads, or a Go package: what is known not to take the layer is refused before an agent is
// deployed, all else passes. Called by cmd/ext.ts.

import { exitCodes, MirrordError } from "../base/errors.ts";
import { variables } from "../base/variables.ts";
import { readProgramKind } from "./elf.ts";
import { checkGoRun } from "./go_run.ts";
import { findProgram } from "./program.ts";

/**
 * The program that `file` is; "" when it is none. Throws MirrordError (126) for one that would run outside
 * the pod.
 */
export async function checkExecutable(file: string, skipped: ReadonlySet<string>): Promise<string> {
  if (file === "") return "";
  if (await isGoPackage(file)) {
    await checkGoRun("go", ["run", file]).catch((error) => {
      if (!(error instanceof Deno.errors.NotFound)) throw error; // there is no Go here to ask
    });
    return "";
  }
  if (file.includes("/") && !await isProgram(file)) return "";
  try {
    return await findProgram({ name: file, args: [], variables: variables(), skipped });
  } catch (error) {
    // The editor may have another PATH than mirrord has.
    if (error instanceof MirrordError && error.exitCode === exitCodes.notFound) return "";
    throw error;
  }
}

/** A Go file, or a folder with one: debuggers build those themselves. */
async function isGoPackage(path: string): Promise<boolean> {
  const state = await Deno.stat(path).catch(() => null);
  if (state?.isFile) return path.endsWith(".go");
  if (!state?.isDirectory) return false;
  for await (const { name } of Deno.readDir(path)) if (/(?<!_test)\.go$/.test(name)) return true;
  return false;
}

/** A file that the kernel can run, or could if it were one of this machine. */
async function isProgram(file: string): Promise<boolean> {
  const state = await Deno.stat(file).catch(() => null);
  if (!state?.isFile || ((state.mode ?? 0) & 0o111) === 0) return false;
  return await readProgramKind(file).then(({ kind }) => kind !== "unknown", () => false);
}
