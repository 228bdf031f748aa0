// Files and places by the runtime's own calls: names that are not UTF-8 cannot be made on Darwin's file
// systems (APFS, HFS+). Called by core/session and core/launch through ../this_platform.ts.

import type { Reached } from "../platform.ts";

const setUserId = 0o4000;
const setGroupId = 0o2000;

/**
 * The folders of macOS's root, but for those that Linux has too (hier(7)); /etc, /tmp and /var lie in
 * /private.
 */
export const systemTrees: readonly string[] = [
  "/Applications",
  "/Library",
  "/Network",
  "/System",
  "/Users",
  "/Volumes",
  "/cores",
  "/private",
  "/var/db",
  "/var/folders",
  "/var/select",
];

/** Where a symbolic link points; null for anything else. */
export function readLink(path: string): string | null {
  try {
    return Deno.readLinkSync(path);
  } catch {
    return null;
  }
}

/** The working directory; "/" when it is gone. */
export function workingDirectory(): string {
  try {
    return Deno.cwd();
  } catch {
    return "/";
  }
}

/** The file at `path`, by its own name. */
export function reach(path: string): Reached {
  return { path, [Symbol.dispose]() {} };
}

/**
 * dyld loads nothing that a variable names into a program with another user's or group's rights (dyld(1)).
 */
export function secureReason(_path: string, { mode, uid, gid }: Deno.FileInfo): string | null {
  const bits = mode ?? 0;
  const isSet = ((bits & setUserId) !== 0 && uid !== Deno.uid()) ||
    ((bits & setGroupId) !== 0 && gid !== Deno.gid());
  return isSet ? "is set-user-ID" : null;
}

/** Folders of a user's are not mounted noexec on a Mac. */
export function mayMapThere(): boolean {
  return true;
}

/** dyld itself reports a library that it cannot map. */
export function canMap(): boolean {
  return true;
}

/** Darwin has no files in memory. */
export function memoryFile(): string | null {
  return null;
}
