// The processes of sessions' apps, found by a variable in the environment of each. Called by
// session_programs.ts for those that are to end, and by last_bytes.ts for those that may still send.

/**
 * Processes of this user, but for this one, whose environment has the variable `name` with this value
 * (proc_pid_environ(5)).
 */
export function processesWith(name: string, value: string): number[] {
  const entry = `${name}=${value}`;
  const found: number[] = [];
  for (const { name: number } of Deno.readDirSync("/proc")) {
    const pid = Number(number);
    if (Number.isInteger(pid) && pid !== Deno.pid && environment(pid).includes(entry)) found.push(pid);
  }
  return found;
}

/** Does process `pid` run? One that nobody has waited for yet does not. */
export function isAlive(pid: number): boolean {
  try {
    const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
    return !/^\) [ZX]/.test(stat.slice(stat.lastIndexOf(")")));
  } catch {
    return false;
  }
}

function environment(pid: number): string[] {
  try {
    return Deno.readTextFileSync(`/proc/${pid}/environ`).split("\0");
  } catch {
    return []; // it has ended, or is none of this user's
  }
}
