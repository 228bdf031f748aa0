// The app's processes and the terminal, by ps(1) and kill(2). Called by ../launch.ts and ../last_bytes.ts
// through platform.ts.

import { kill } from "node:process";

/** Processes of this user whose environment names the session's socket: ps -E shows it. */
export function remainingProcesses(socketPath: string): number[] {
  const entry = `MIRRORD_LAYER_SOCKET=${socketPath}`;
  return ps(["-axww", "-E", "-o", "pid=,command="]).filter((line) => line.split(/\s+/).includes(entry))
    .map((line) => Number.parseInt(line, 10)).filter((pid) => pid !== Deno.pid);
}

/** Does process `pid` run? */
export function isAlive(pid: number): boolean {
  try {
    return kill(pid, 0);
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM"; // another user's
  }
}

/** Is this process's group the terminal's foreground one? Then a Ctrl-C reached the app already. */
export function inForeground(): boolean {
  const [line = ""] = ps(["-o", "pgid=,tpgid=", "-p", String(Deno.pid)]);
  const [own, foreground] = line.trim().split(/\s+/);
  return own !== undefined && own === foreground;
}

function ps(args: string[]): string[] {
  const { stdout } = new Deno.Command("/bin/ps", { args, stdin: "null", stderr: "null" }).outputSync();
  return new TextDecoder().decode(stdout).split("\n").filter((line) => line.trim() !== "");
}
