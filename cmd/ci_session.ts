// The process of `mirrord ci start` and `ci container` that stays: a `mirrord exec` or `mirrord container`
// that notes in its state how far it is and with what it ended. It is started by ci.ts, in a process session
// of its own. The invariant: while it lives it holds the lock, and what is noted when that is free is final.

import { exitCodes, MirrordError } from "../core/base/errors.ts";
import { type CiState, filesOf, readState, SessionLock, writeState } from "./ci_state.ts";
import type { CiSessionCommand } from "./commands.ts";
import type { Begun } from "./exec.ts";

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
    const code = await run(state.command, (app) => note({ state: "running", ...app }));
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

async function run(command: CiState["command"], began: (app: Begun) => void): Promise<number> {
  if (command.name === "container") {
    const { container } = await import("./container.ts");
    return await container(command, began);
  }
  const { exec } = await import("./exec.ts");
  return await exec(command, began);
}
