// Finds the app's program as the shell would and refuses, before anything is deployed, one that is missing,
// not executable, or cannot be hooked by its platform's word. Called by cmd/exec.ts.

import { exitCodes, MirrordError } from "../base/errors.ts";
import { log } from "../base/log.ts";
import { cannotRun, places, stat } from "./look.ts";
import type { Programs } from "./platform.ts";
import { baseName } from "./skip.ts";
import { launchPlatform } from "./this_platform.ts";

/** What is to be run, as the developer wrote it: texts of core/base/os_text.ts. */
export interface ProgramCall {
  name: string;
  args: readonly string[];
  /** mirrord's own variables. */
  variables: Readonly<Record<string, string>>;
  /** Programs that may be such that cannot be hooked. */
  skipped?: ReadonlySet<string>;
  /** Makes what is started in its place. */
  programs?: Programs;
}

/**
 * The file that the program runs as: by path, or searched in PATH (execvp(3)). Throws with exit code 126 or
 * 127. A program that is skipped may be one that cannot be hooked; that is reported.
 */
export async function findProgram(
  { name, args, variables, skipped = new Set(), programs }: ProgramCall,
): Promise<string> {
  const candidates = name.includes("/") ? [name] : places(name, variables["PATH"] ?? "");
  let refused: string | undefined;
  for (const candidate of candidates) {
    const state = stat(candidate);
    if (state?.isDirectory && name.includes("/")) refused ??= candidate;
    if (state === null || state.isDirectory) continue;
    if (((state.mode ?? 0) & 0o111) !== 0) {
      try {
        await launchPlatform.checkProgram(name, { file: candidate, args, variables, depth: 0 });
        await programs?.prepare(candidate);
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
    `${programHint(name)} No agent was started.`,
  );
}

/** A command line in one word, as a shell would take it, is no program. */
function programHint(name: string): string {
  if (/^\w+=/.test(name)) return `Set variables by env: mirrord exec -- env ${name} PROGRAM.`;
  if (/\s/.test(name)) {
    return `Write it without the quotes, or let a shell read it: mirrord exec -- sh -c '${name}'.`;
  }
  return "Check its spelling and PATH.";
}
