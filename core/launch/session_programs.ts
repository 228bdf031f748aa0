// The programs of sessions, found by a variable in the environment of each, and signals to them. Called where
// a session's own programs are to end, and by the commands that start sessions as processes of their own.

import { launchPlatform } from "./this_platform.ts";

const { processesWith } = launchPlatform;

/**
 * Asks the processes of a session's app that still run to end: what its first process started beside it (a
 * shell, its jobs), or all that an editor started. SIGKILL ends them unasked.
 */
export function endRemaining(socketPath: string, signal: "SIGTERM" | "SIGKILL" = "SIGTERM"): void {
  signalAll(processesWith("MIRRORD_LAYER_SOCKET", socketPath), signal);
}

/**
 * Kills the programs of these sessions, which are children that this process has not waited for: until then
 * their numbers are theirs.
 */
export function killSessionPrograms(sessions: readonly number[]): void {
  for (const pid of sessions) signalAll(processesWith("MIRRORD_SESSION_PID", String(pid)), "SIGKILL");
}

function signalAll(pids: readonly number[], signal: "SIGTERM" | "SIGKILL"): void {
  for (const pid of pids) {
    try {
      Deno.kill(pid, signal);
    } catch {
      // It has ended, or is another user's.
    }
  }
}
