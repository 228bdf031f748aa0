// The programs of other mirrords' sessions. Called by the commands that start sessions as processes of their
// own, for programs that do not end when asked.

import { platform } from "../net/this_platform.ts";

const { allProcesses, environmentOf } = await platform.processes();

/** Kills the programs of these sessions: each has the process of its session in its environment. */
export function killSessionPrograms(sessions: readonly number[]): void {
  for (const pid of allProcesses()) {
    const variables = `\0${environmentOf(pid)}`;
    if (!sessions.some((one) => variables.includes(`\0MIRRORD_SESSION_PID=${one}\0`))) continue;
    try {
      Deno.kill(pid, "SIGKILL");
    } catch {
      // It has ended, or is another user's.
    }
  }
}
