// What was packed once for a program, in the user's cache folder: reading, hashing and compressing the whole
// program takes a second of a processor, and longer on a busy one. Called by payload.ts. A file for each
// machine: the SHA-256 of what follows, a line of JSON, the packed bytes. It counts only for the very file it
// was made from, in a folder that nobody else can write to; the container checks what it gets all the same.

import { log } from "../base/log.ts";
import { variable } from "../base/variables.ts";

const hashLength = 64;

/** The file at `path` as the kernel tells it from any other and from what it was before; null without one. */
export async function identityOf(path: string): Promise<string | null> {
  try {
    const { dev, ino, size, mtime, ctime } = await Deno.stat(path);
    return [dev, ino, size, mtime?.getTime(), ctime?.getTime()].join(" ");
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

/** Where it lies: in XDG_CACHE_HOME, or where that is by default; undefined without a home. */
export function packFolder(): string | undefined {
  const [cache, home] = ["XDG_CACHE_HOME", "HOME"].map(variable);
  if (cache?.startsWith("/")) return `${cache}/mirrord`;
  return home?.startsWith("/") ? `${home}/.cache/mirrord` : undefined;
}

/** What was kept for `machine` and the file of that identity; null: nothing, or it cannot be trusted. */
export async function readKept<Facts>(
  machine: string,
  identity: string,
  folder: string | undefined = packFolder(),
): Promise<{ facts: Facts; bytes: Uint8Array } | null> {
  if (folder === undefined) return null;
  const path = fileOf(folder, machine);
  try {
    if (!await isOwn(folder) || !await isOwn(path)) return null;
    const file = await Deno.readFile(path);
    const rest = file.subarray(hashLength + 1);
    if (new TextDecoder().decode(file.subarray(0, hashLength)) !== await hexOf(rest)) return null;
    const end = rest.indexOf(0x0a);
    const kept = JSON.parse(new TextDecoder().decode(rest.subarray(0, end))) as {
      identity: string;
      facts: Facts;
    };
    return kept.identity === identity ? { facts: kept.facts, bytes: rest.subarray(end + 1) } : null;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) log.debug(`Nothing is read from "${path}": ${error}`);
    return null;
  }
}

/** Keeps it, best effort: whole or not at all. */
export async function keep<Facts>(
  machine: string,
  identity: string,
  { facts, chunks }: { facts: Facts; chunks: readonly Uint8Array[] },
  folder: string | undefined = packFolder(),
): Promise<void> {
  if (folder === undefined) return;
  const path = fileOf(folder, machine);
  try {
    await Deno.mkdir(folder, { recursive: true, mode: 0o700 });
    if (!await isOwn(folder)) return;
    const line = new TextEncoder().encode(`${JSON.stringify({ identity, facts })}\n`);
    const parts = [line, ...chunks] as Uint8Array<ArrayBuffer>[];
    const rest = new Uint8Array(await new Blob(parts).arrayBuffer());
    const head = new TextEncoder().encode(`${await hexOf(rest)}\n`);
    await Deno.writeFile(`${path}.part`, new Blob([head, rest]).stream(), { mode: 0o600 });
    await Deno.rename(`${path}.part`, path);
  } catch (error) {
    log.debug(`The packed agent is not kept as "${path}": ${error}`);
  }
}

function fileOf(folder: string, machine: string): string {
  return `${folder}/agent-${machine}.pack`;
}

/** This user's, and no other's to write. */
async function isOwn(path: string): Promise<boolean> {
  const { uid, mode } = await Deno.lstat(path);
  return uid === Deno.uid() && mode !== null && (mode & 0o022) === 0;
}

async function hexOf(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}
