// What looking for a program and looking at it share: the places of a name, a file's state, the refusal.
// Called by program.ts, each platform's hookable.ts and container/.

import { exitCodes, MirrordError } from "../base/errors.ts";
import { platform } from "../net/this_platform.ts";

const { reach } = await platform.files();

/** So many scripts may be each other's interpreters (execve(2)). */
export const scriptDepth = 4;

/** The files that `name` may be by `path` (execvp(3)). */
export function places(name: string, path: string): string[] {
  return path.split(":").map((folder) => `${folder || "."}/${name}`);
}

/** The state of a file; null when it cannot be had. */
export function stat(path: string): Deno.FileInfo | null {
  using reached = reach(path);
  try {
    return Deno.statSync(reached.path);
  } catch {
    return null;
  }
}

/** The error of program `name`. */
export function cannotRun(
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
