// The host name of another process, by its UTS namespace (uts_namespaces(7)). Called by dns/settings.ts.
// setns(2) moves one thread, the one that runs JavaScript, for the time of one call.

import { c, check, cText, K } from "./libc.ts";

/**
 * What gethostname(2) returns to process `pid`. The containers of a pod share one namespace with the agent;
 * another one can be entered by root only, and without that right the file that names the host must do
 * (hostname(5)).
 */
export function hostNameOf(pid: number): string {
  const own = "/proc/thread-self/ns/uts";
  const other = `/proc/${pid}/ns/uts`;
  try {
    if (Deno.readLinkSync(own) === Deno.readLinkSync(other)) return Deno.hostname();
    return inside(own, other, () => Deno.hostname());
  } catch {
    return namedByFile(pid) ?? Deno.hostname();
  }
}

function inside<T>(own: string, other: string, work: () => T): T {
  const back = open(own);
  try {
    const there = open(other);
    try {
      check("setns", c.setns(there, K.CLONE_NEWUTS));
    } finally {
      c.close(there);
    }
    try {
      return work();
    } finally {
      check("setns", c.setns(back, K.CLONE_NEWUTS));
    }
  } finally {
    c.close(back);
  }
}

function open(path: string): number {
  return check("open", c.open(cText(path), K.O_RDONLY | K.O_CLOEXEC, 0));
}

function namedByFile(pid: number): string | null {
  try {
    const root = `/proc/${pid}/root`;
    return Deno.readTextFileSync(`${root}/etc/hostname`).trim() || null;
  } catch {
    return null;
  }
}
