// Unpacks the layer that this binary carries to where the app's dynamic linker may map it: the session's
// private directory, or memory where that directory's mount forbids execution. Called by cmd/exec.ts before
// anything is deployed; the directory's owner removes it.

import { exitCodes, MirrordError } from "../base/errors.ts";
import { log } from "../base/log.ts";
import { platform } from "../net/this_platform.ts";
import { launchPlatform } from "./this_platform.ts";

const { canMap, memoryFile } = await platform.files();

/**
 * Writes the layer for this machine below `folder` (mode 0700: core/net/linux/traced.ts runs it) and returns
 * its path; `open`: for every user who gets to the folder. Throws MirrordError (126).
 */
export function unpackLayer(folder: string, { open = false }: { open?: boolean } = {}): string {
  const { embedded, unpacked } = launchPlatform.layer;
  const bytes = read(embedded);
  const path = `${folder}/${unpacked}`;
  const why = write(path, bytes, open) ?? writeSecond(path, open);
  if (why === null && canMap(path)) return path;
  // A file in memory has no name that a container could be given.
  const inMemory = open ? null : memoryFile("mirrord-layer", bytes);
  log.debug(`The layer is kept in memory: ${why ?? `nothing in ${folder} may be run`}`);
  if (inMemory !== null && canMap(inMemory)) return inMemory;
  throw new MirrordError(
    `Cannot load mirrord's library into programs: ${why ?? `nothing in "${folder}" may be run`}${
      open ? "" : ", nor a file in memory"
    }`,
    {
      exitCode: exitCodes.notExecutable,
      help: "Set TMPDIR to a folder on a file system that is not mounted noexec.",
    },
  );
}

function read(embedded: string): Uint8Array {
  return Deno.readFileSync(new URL(`./${embedded}`, import.meta.url));
}

/** Why the second layer cannot be written beside the one at `path`; null when it was, or there is none. */
function writeSecond(path: string, open: boolean): string | null {
  const { preloadOf, second } = launchPlatform.layer;
  if (second === undefined) return null;
  const beside = preloadOf(path);
  const folder = path.slice(0, path.lastIndexOf("/"));
  try {
    Deno.mkdirSync(beside.slice(0, beside.lastIndexOf("/")), { mode: open ? 0o755 : 0o700 });
    for (const name of second.folders) Deno.symlinkSync(".", `${folder}/${name}`);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  return write(beside, read(second.embedded), open);
}

/** Why it cannot be written; null when it was. */
function write(path: string, bytes: Uint8Array, open: boolean): string | null {
  try {
    Deno.writeFileSync(path, bytes, { mode: 0o700, createNew: true });
    if (open) Deno.chmodSync(path, 0o755);
    return null;
  } catch (error) {
    try {
      Deno.removeSync(path); // half of it
    } catch {
      // There was no room for its name either.
    }
    return error instanceof Error ? error.message : String(error);
  }
}
