// Finds the app's program as the shell would and refuses, before anything is deployed, what could not be hooked:
// missing, not executable, static, of another machine or C library, or set-user-ID. Called by cmd/exec.ts.

import { exitCodes, MirrordError } from "../base/errors.ts";
import { log } from "../base/log.ts";
import { type ProgramKind, readProgramKind } from "./elf.ts";
import { cannotHookGo } from "./go_program.ts";
import { baseName } from "./skip.ts";

const machines: Record<string, number> = { x86_64: 62, aarch64: 183 };
const setIds = 0o6000;
const scriptDepth = 4;

/**
 * The file that `name` runs as: by path, or searched in `path` (execvp(3)). Throws with exit code 126 or 127. A program that
 * is `skipped` may be one that cannot be hooked; it is said.
 */
export async function findProgram(
  name: string,
  path: string,
  skipped: ReadonlySet<string> = new Set(),
): Promise<string> {
  const candidates = name.includes("/")
    ? [name]
    : path.split(":").map((folder) => `${folder || "."}/${name}`);
  let refused: string | undefined;
  for (const candidate of candidates) {
    const state = stat(candidate);
    if (state?.isDirectory && name.includes("/")) refused ??= candidate;
    if (state === null || state.isDirectory) continue;
    if (((state.mode ?? 0) & 0o111) !== 0) {
      try {
        await checkProgram(name, candidate, path);
      } catch (error) {
        if (!(error instanceof MirrordError) || !skipped.has(baseName(candidate))) throw error;
        log.warning(
          `"${candidate}" runs outside the pod, as its name is skipped, and so does what it starts that cannot be hooked either`,
        );
      }
      return candidate;
    }
    refused ??= candidate;
  }
  if (refused !== undefined) throw cannotRun(name, `"${refused}" is not executable`, exitCodes.notExecutable);
  throw cannotRun(
    name,
    "there is no such program",
    exitCodes.notFound,
    "Check its spelling and PATH. No agent was started.",
  );
}

/** Follows scripts to the program that really runs and checks that the dynamic linker will load the layer into it. */
async function checkProgram(name: string, file: string, path: string, depth = 0): Promise<void> {
  const kind = await readProgramKind(file).catch((error) => {
    throw cannotRun(name, `"${file}" cannot be read (${error instanceof Error ? error.message : error})`);
  });
  const state = stat(file);
  if (kind.kind !== "script" && ((state?.mode ?? 0) & setIds) !== 0) {
    throw cannotRun(name, `"${file}" is set-user-ID, the dynamic linker loads nothing into it`);
  }
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
  if (kind.kind === "dynamic") await checkDynamic(name, file, kind);
  if (kind.kind !== "script" || depth >= scriptDepth) return;
  const next = kind.interpreter.endsWith("/env")
    ? (kind.argument.replace(/^-S\s+/, "").split(/\s+/)[0] ?? "")
    : kind.interpreter;
  const found = next.includes("/") ? next : search(next, path);
  if (found === undefined || stat(found) === null) {
    throw cannotRun(name, `its interpreter "${next}" does not exist`, exitCodes.notExecutable);
  }
  await checkProgram(name, found, path, depth + 1);
}

async function checkDynamic(
  name: string,
  file: string,
  kind: ProgramKind & { kind: "dynamic" },
): Promise<void> {
  if (kind.machine !== machines[Deno.build.arch]) {
    throw cannotRun(name, `"${file}" is built for another machine than this one (${Deno.build.arch})`);
  }
  if (kind.interpreter.includes("ld-musl")) {
    throw cannotRun(name, `"${file}" uses the C library musl, the layer needs glibc`);
  }
  const reason = kind.go ? await cannotHookGo(file) : null;
  if (reason !== null) {
    const help = "Build it with CGO_ENABLED=1 and a Go of these days.";
    throw cannotRun(name, `"${file}" ${reason}`, exitCodes.notExecutable, help);
  }
}

function search(name: string, path: string): string | undefined {
  return path.split(":").map((folder) => `${folder || "."}/${name}`).find((file) => stat(file)?.isFile);
}

function stat(path: string): Deno.FileInfo | null {
  try {
    return Deno.statSync(path);
  } catch {
    return null;
  }
}

function cannotRun(
  name: string,
  state: string,
  exitCode: number = exitCodes.notExecutable,
  help?: string,
): MirrordError {
  return new MirrordError(`Cannot run "${name}": ${state}`, {
    exitCode,
    ...(help === undefined ? {} : { help }),
  });
}
