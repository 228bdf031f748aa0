// The process of `mirrord ci start` that stays: a `mirrord exec` that notes in its state how far it is and
// with what it ended. It is started by ci.ts, in a process session of its own. The invariant: while it lives
// it holds the lock, and what is noted when that is free is final.

import { exitCodes, MirrordError } from "../core/base/errors.ts";
import { filesOf, readState, SessionLock, writeState } from "./ci_state.ts";
import type { CiSessionCommand } from "./commands.ts";

/** Another start of the same moment may hold the lock until it sees that. */
const lockMs = 5000;

/** Runs the session to its end; failures are printed by the caller, too. */
export async function ciSession({ folder, session, id }: CiSessionCommand): Promise<number> {
  const files = filesOf(folder, session);
  const lock = new SessionLock(files.lock);
  const isTaken = await lock.taken(lockMs);
  const state = readState(files.state);
  if (!isTaken || state?.id !== id) {
    throw new MirrordError(`Cannot start "${session}": another session took its name`, {
      exitCode: exitCodes.conflict,
    });
  }
  const note = (change: Partial<typeof state>) => writeState(files.state, Object.assign(state, change));
  note({ pid: Deno.pid });
  try {
    const { exec } = await import("./exec.ts");
    const code = await exec(
      state.command,
      (programPid, socketPath) => note({ state: "running", programPid, socketPath }),
    );
    note({ state: "ended", code });
    return code;
  } catch (error) {
    const known = error instanceof MirrordError;
    note({
      state: "failed",
      code: known ? error.exitCode : exitCodes.bug,
      failure: {
        message: known ? error.message : `Cannot go on: this is a bug in mirrord\n${error}`,
        ...(known && error.help !== undefined ? { help: error.help } : {}),
      },
    });
    throw error;
  }
}
