// How much memory this process may lock. Kernels before 5.11 count BPF programs and maps as such memory, of
// all processes of a user together, and refuse more with EPERM (bpf(2), getrlimit(2): RLIMIT_MEMLOCK). Called
// by bpf.ts and incoming/requirements.ts.

import { c } from "./libc.ts";
import { kernelAtLeast, kernelRelease } from "./proc.ts";

const RLIMIT_MEMLOCK = 8;
const unlimited = (1n << 64n) - 1n;

/** Does this kernel count BPF maps as locked memory? */
export function countsMapsAsLocked(release = kernelRelease()): boolean {
  return !kernelAtLeast(release, 5, 11);
}

/** How many bytes may be locked now; Infinity without a limit (proc_pid_limits(5)). */
export function lockedMemoryLimit(): number {
  return limits().now;
}

/**
 * Raises the limit as far as this process may: away with SYS_RESOURCE, to the hard one without. Whether it is
 * higher than before.
 */
export function raiseLockedMemory(): boolean {
  const before = limits();
  if (before.now === Infinity) return false;
  if (set(unlimited, unlimited)) return true;
  const most = before.most === Infinity ? unlimited : BigInt(before.most);
  return before.most > before.now && set(most, most);
}

function set(now: bigint, most: bigint): boolean {
  return c.setrlimit(RLIMIT_MEMLOCK, new Uint8Array(new BigUint64Array([now, most]).buffer)) === 0;
}

function limits(): { now: number; most: number } {
  const line = /^Max locked memory\s+(\S+)\s+(\S+)/m.exec(Deno.readTextFileSync("/proc/self/limits"));
  const [now = Infinity, most = Infinity] = (line ?? []).slice(1).map((word) =>
    word === "unlimited" ? Infinity : Number(word)
  );
  return { now, most };
}
