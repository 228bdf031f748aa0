// The programs of sessions, found by a variable in the environment of each, and signals to them. Called where
// a session's own programs are to end, and by the commands that start sessions as processes of their own.

import { within } from "../base/pause.ts";
import { launchPlatform } from "./this_platform.ts";

const { processesWith } = launchPlatform;

/** How long a session may take to end after its programs were killed; container engines take seconds. */
const killedMs = 5000;

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
function killSessionPrograms(sessions: readonly number[]): void {
  for (const pid of sessions) signalAll(processesWith("MIRRORD_SESSION_PID", String(pid)), "SIGKILL");
}

/**
 * Ends these sessions, whose programs did not end when SIGTERM asked: they are killed, so that the sessions
 * end in order; a session for which that takes too long is killed too. `ended`: all have ended.
 */
export async function killInOrder(
  sessions: readonly Deno.ChildProcess[],
  ended: Promise<unknown>,
): Promise<void> {
  const left = new Set(sessions);
  for (const session of sessions) void session.status.then(() => left.delete(session));
  await Promise.resolve(); // those that have ended are out
  killSessionPrograms([...left].map(({ pid }) => pid));
  signalSessions([...left], "SIGTERM"); // the second one: what the programs sent last is given up
  if (await within(ended.then(() => true), killedMs, false)) return;
  killSessions([...left]);
  await ended;
}

/** Kills these sessions with their programs; what they hold in the cluster is left to the agent. */
export function killSessions(sessions: readonly Deno.ChildProcess[]): void {
  killSessionPrograms(sessions.map(({ pid }) => pid));
  signalSessions(sessions, "SIGKILL");
}

export function signalSessions(sessions: readonly Deno.ChildProcess[], signal: Deno.Signal): void {
  for (const session of sessions) {
    try {
      session.kill(signal);
    } catch {
      // It has ended.
    }
  }
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
