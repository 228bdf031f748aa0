// The processes of sessions' apps and the terminal, by ps(1) and kill(2). Called by ../launch.ts,
// ../session_programs.ts and ../last_bytes.ts through platform.ts.

import { kill } from "node:process";
import { linesOf, ps } from "../../net/darwin/tools.ts";

/** Processes of this user, but for this one, whose environment has the variable `name`: ps -E shows it. */
export function processesWith(name: string, value: string): number[] {
  const entry = `${name}=${value}`;
  return linesOf(ps, ["-axww", "-E", "-o", "pid=,command="]).filter((line) =>
    line.split(/\s+/).includes(entry)
  )
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
  const [line = ""] = linesOf(ps, ["-o", "pgid=,tpgid=", "-p", String(Deno.pid)]);
  const [own, foreground] = line.trim().split(/\s+/);
  return own !== undefined && own === foreground;
}
