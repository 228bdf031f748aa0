// Whether a program of Linux can be hooked: not where it is static, of another machine, or set-user-ID.
// Called by ../program.ts and ../container/made.ts.

import { exitCodes } from "../../base/errors.ts";
import { machines } from "../../net/elf.ts";
import { platform } from "../../net/this_platform.ts";
import { type ProgramKind, readProgramKind } from "../elf.ts";
import { readEnvLine } from "../env_line.ts";
import { cannotHookGo } from "../go_program.ts";
import { loaderProgram } from "../loader_line.ts";
import { cannotRun, places, scriptDepth, stat } from "../look.ts";
import type { Look } from "../platform.ts";
import { baseName } from "../skip.ts";

const { reach, secureReason } = await platform.files();

/** Where execvp(3) looks without a PATH (glibc). */
const usualPath = "/bin:/usr/bin";

/**
 * Follows scripts to the program that really runs and checks that the dynamic linker will load the layer into
 * it.
 */
export async function checkProgram(name: string, look: Look): Promise<void> {
  const { file } = look;
  const kind = await readKind(await placeOf(look, file) ?? file).catch((error) => {
    throw cannotRun(name, `"${file}" cannot be read (${error instanceof Error ? error.message : error})`);
  });
  if (kind.kind === "script") return await checkInterpreter(name, look, kind);
  // What a copy out of another tree shows is not the rights of the file there.
  const state = look.placeOf === undefined ? stat(file) : null;
  const secure = state === null ? null : secureReason(file, state);
  if (secure !== null) {
    throw cannotRun(name, `"${file}" ${secure}, the dynamic linker loads nothing into it`);
  }
  const loaded = kind.kind === "static" ? loaderProgram(file, look.args) : null;
  if (loaded !== null) return await checkLoaded(name, look, loaded);
  if (kind.kind === "static") {
    throw cannotRun(
      name,
      `"${file}" is statically linked, the layer cannot be loaded into it`,
      exitCodes.notExecutable,
      "Static programs are not supported yet. For Go: build with CGO_ENABLED=1 (or -linkmode=external).",
    );
  }
  if (kind.kind === "unknown") {
    throw cannotRun(
      name,
      `"${file}" is neither a 64-bit ELF program nor a script that names its interpreter`,
      exitCodes.notExecutable,
      'A script needs a first line such as "#!/bin/sh".',
    );
  }
  await checkDynamic(name, look, kind);
}

/** Where the file at `path` is on this machine; null: there is none. */
async function placeOf({ placeOf }: Look, path: string): Promise<string | null> {
  if (placeOf !== undefined) return await placeOf(path);
  return stat(path) === null ? null : path;
}

async function readKind(file: string): Promise<ProgramKind> {
  using reached = reach(file);
  return await readProgramKind(reached.path);
}

/**
 * A program that the dynamic linker is called to run (ld.so(8)); "" when it runs none. It reports itself what
 * it cannot find.
 */
async function checkLoaded(name: string, look: Look, loaded: string): Promise<void> {
  if (loaded === "" || await placeOf(look, loaded) === null) return;
  const { args } = look;
  await checkProgram(name, { ...look, file: loaded, args: args.slice(args.indexOf(loaded) + 1) });
}

/** execve(2), "Interpreter scripts"; through env(1) to the program that this starts. */
async function checkInterpreter(
  name: string,
  look: Look,
  { interpreter, argument }: ProgramKind & { kind: "script" },
): Promise<void> {
  const { file, variables, depth } = look;
  if (depth >= scriptDepth) return;
  const direct = { argv: [interpreter, ...(argument === "" ? [] : [argument])], variables, folder: "." };
  const line = baseName(interpreter) === "env" ? readEnvLine(argument, direct) : direct;
  if (line === null) return; // env says itself what it cannot do
  const [next = "", ...args] = line.argv;
  const found = next.includes("/")
    ? next.startsWith("/") ? next : `${line.folder}/${next}`
    : await firstFile(look, places(next, line.variables["PATH"] ?? usualPath));
  if (found === undefined || await placeOf(look, found) === null) {
    throw cannotRun(name, `its interpreter "${next}" does not exist`, exitCodes.notExecutable);
  }
  await checkProgram(name, {
    ...look,
    file: found,
    args: [...args, file],
    variables: line.variables,
    depth: depth + 1,
  });
}

async function firstFile(look: Look, paths: readonly string[]): Promise<string | undefined> {
  for (const path of paths) {
    const place = await placeOf(look, path);
    if (place !== null && stat(place)?.isFile) return path;
  }
  return undefined;
}

async function checkDynamic(
  name: string,
  look: Look,
  kind: ProgramKind & { kind: "dynamic" },
): Promise<void> {
  const { file } = look;
  if (kind.machine !== machines[Deno.build.arch]) {
    throw cannotRun(name, `"${file}" is built for another machine than this one (${Deno.build.arch})`);
  }
  using reached = reach(await placeOf(look, file) ?? file);
  const reason = kind.go ? await cannotHookGo(reached.path) : null;
  if (reason !== null) {
    const help = "Build it with CGO_ENABLED=1 and a current Go.";
    throw cannotRun(name, `"${file}" ${reason}`, exitCodes.notExecutable, help);
  }
}
