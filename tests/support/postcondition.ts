// What must hold after every session, however it ended: the target answers by itself and was not restarted,
// and nothing of the session is left, neither at the target nor on this machine. Called at the end of every
// end-to-end case.

import assert from "node:assert/strict";
import { until } from "../cluster/command.ts";
import { untilBy, type Where } from "./client.ts";
import { sessionProcesses } from "./local_remains.ts";
import type { SessionRun } from "./session_run.ts";
import type { Stage } from "./stage.ts";

export interface CleanOptions {
  /** Where the original is asked; null: it cannot be asked from outside. */
  ask?: Where | null;
  /** How long remains may take to go, in seconds: longer where the agent must first miss its client. */
  within?: number;
}

/** Fails unless the ended `run` left its stage as `identity` (of before) describes it. */
export async function assertClean(
  run: Pick<SessionRun, "directories" | "folder" | "pid" | "stage">,
  identity: string,
  options: CleanOptions = {},
): Promise<void> {
  await until("nothing of the session is left on this machine", async () => {
    const processes = [...await sessionProcesses(run.pid, run.folder)];
    const left = [
      ...run.directories().map((name) => `directory ${name}`),
      ...processes.map(([pid, line]) => `process ${pid}: ${line}`),
    ];
    return left.length === 0 || left.join("\n");
  }, options.within ?? 15);
  await assertTargetClean(run.stage, identity, options);
}

/** The target's half of it, for runs that never became a session. */
export async function assertTargetClean(
  stage: Stage,
  identity: string,
  options: CleanOptions = {},
): Promise<void> {
  if (options.ask !== null) await untilBy(stage, "original", options.ask ?? {});
  await until("nothing of the session is left at the target", async () => {
    const left = await stage.remains();
    return left.length === 0 || left.join("\n");
  }, options.within ?? 15);
  assert.equal(await stage.identity(), identity, "the target was restarted");
}

/**
 * Runs `work` with a session on `stage`, ends the session with SIGTERM if it lives and was not interrupted,
 * and checks what is left. A second signal right after the first is one that some programs hang by (uvicorn's
 * reloader does, in one of twelve).
 */
export async function withSession(
  stage: Stage,
  start: () => Promise<SessionRun>,
  work: (run: SessionRun) => Promise<void>,
  options: CleanOptions = {},
): Promise<void> {
  const identity = await stage.identity();
  await using run = await start();
  await work(run);
  try {
    if (!run.interrupted) run.kill("SIGTERM");
  } catch {
    // The case ended it.
  }
  await run.finished();
  await assertClean(run, identity, options);
}
