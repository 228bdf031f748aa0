// A process right after its start, read from /proc: the auxiliary vector that the kernel gave it, and its
// mappings. Called by gate.ts.

import { stat } from "../look.ts";
import { layer } from "./layer.ts";

/**
 * Entries of the auxiliary vector, getauxval(3): where the dynamic linker lies, where the program begins,
 * more rights than its starter's.
 */
export const AT_BASE = 7n;
export const AT_ENTRY = 9n;
export const AT_SECURE = 23n;

/** The auxiliary vector of process `pid`; of one that hides from us only AT_SECURE, for no other does. */
export function auxiliary(pid: number): Map<bigint, bigint> {
  let vector: Uint8Array;
  try {
    vector = Deno.readFileSync(`/proc/${pid}/auxv`);
  } catch (error) {
    // proc_pid_auxv(5): by ptrace(2)'s rules, which forbid looking at a process with more rights.
    const hides = error instanceof Deno.errors.PermissionDenied || error instanceof Deno.errors.NotCapable;
    return new Map(hides ? [[AT_SECURE, 1n]] : []);
  }
  const pairs = new DataView(vector.buffer, vector.byteOffset, vector.byteLength);
  const found = new Map<bigint, bigint>();
  for (let at = 0; at + 16 <= vector.length; at += 16) {
    found.set(pairs.getBigUint64(at, true), pairs.getBigUint64(at + 8, true));
  }
  return found;
}

/**
 * Has process `pid` the layer at `layerPath`, or the second beside it, in its memory, to run it
 * (proc_pid_maps(5))? By inode, for a memfd has no path.
 */
export function hasMapped(pid: number, layerPath: string): boolean {
  const paths = [layerPath, layer.preloadOf(layerPath)];
  const inodes = paths.map((path) => String(stat(path)?.ino));
  return programLines(pid).some((line) =>
    inodes.includes(line.split(/ +/)[4] ?? "") || paths.some((path) => line.endsWith(` ${path}`))
  );
}

/** Has process `pid` a C library in its memory? */
export function hasMappedLibc(pid: number): boolean {
  return programLines(pid).some((line) => /\/libc[.-][^/]*$/.test(line));
}

/** The lines of its executable mappings; none for a process that has ended. */
function programLines(pid: number): string[] {
  try {
    return Deno.readTextFileSync(`/proc/${pid}/maps`).split("\n").filter((line) =>
      / ..x. /.test(line.slice(0, 60))
    );
  } catch {
    return [];
  }
}

/** Was process `pid` stopped by a signal (proc_pid_stat(5))? */
export function isStopped(pid: number): boolean {
  try {
    const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
    return /^\) [Tt]/.test(stat.slice(stat.lastIndexOf(")")));
  } catch {
    return false;
  }
}
