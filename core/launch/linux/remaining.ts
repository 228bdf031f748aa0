// The app's processes, found by a variable in the environment of each. Called by launch.ts when the app was
// asked to end and its first process has ended, to ask the others too; by last_bytes.ts for those that may
// still send.

/** Processes of this user whose environment names the session's socket (proc_pid_environ(5)). */
export function remainingProcesses(socketPath: string): number[] {
  const entry = `MIRRORD_LAYER_SOCKET=${socketPath}`;
  const found: number[] = [];
  for (const { name } of Deno.readDirSync("/proc")) {
    const pid = Number(name);
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
