// The app's processes, found by what every one of them has in its environment. Called by launch.ts when the app was asked
// to end and its first process did: what a shell started beside it is asked too.

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

function environment(pid: number): string[] {
  try {
    return Deno.readTextFileSync(`/proc/${pid}/environ`).split("\0");
  } catch {
    return []; // it has ended, or is none of this user's
  }
}
