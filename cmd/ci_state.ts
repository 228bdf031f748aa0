// What `mirrord ci start` or `ci container`, its session and `ci stop` know of each other: a file of this
// user's alone (0600) for each name, and a lock that the session's process holds as long as it lives, however
// it ends (flock(2)). Called by ci.ts and ci_session.ts.

import { exitCodes, MirrordError } from "../core/base/errors.ts";
import { within } from "../core/base/pause.ts";
import type { ContainerCommand, ExecCommand } from "./commands.ts";
import { stateFolder } from "./state_folder.ts";

/** One session, from its start to its stop. */
export interface CiState {
  state: "starting" | "running" | "ended" | "failed";
  /** Tells it from another start of the same name at the same moment. */
  id: string;
  /** What is to run. */
  command: ExecCommand | ContainerCommand;
  stdout: string;
  stderr: string;
  /** The process of the session, and of the program. */
  pid?: number;
  programPid?: number;
  /** The engine's id of the container. */
  container?: string;
  /** The session's socket, which every process of the program names in its environment. */
  socketPath?: string;
  /** With which it ended. */
  code?: number;
  /** Why it failed, at its start or later. */
  failure?: { message: string; help?: string };
}

/** A lock that is free is had at once; another process may hold it for this moment only. */
const lockMs = 300;

/** Where the states are; made if it is not there. */
export function ciFolder(): string {
  const state = stateFolder();
  if (state === undefined) {
    throw new MirrordError('Cannot keep the session: neither "XDG_STATE_HOME" nor "HOME" is set', {
      help: "Set one of them to a folder that lasts from ci start to ci stop.",
      exitCode: exitCodes.usage,
    });
  }
  const folder = `${state}/ci`;
  Deno.mkdirSync(folder, { recursive: true, mode: 0o700 });
  const { uid, mode } = Deno.statSync(folder);
  if (uid === Deno.uid() && ((mode ?? 0) & 0o022) === 0) return folder;
  throw new MirrordError(`Cannot keep the session in "${folder}": others may write there`, {
    help: "It names processes that are ended. Make it yours alone: chmod 700.",
    exitCode: exitCodes.permission,
  });
}

/** The files of the session called `name`. */
export function filesOf(folder: string, name: string): { state: string; lock: string } {
  return { state: `${folder}/${name}.json`, lock: `${folder}/${name}.lock` };
}

/** The state in `file`; null: there is none. */
export function readState(file: string): CiState | null {
  try {
    return JSON.parse(Deno.readTextFileSync(file));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

/** Replaces the state in one step, so that nobody reads half of it. */
export function writeState(file: string, state: CiState): void {
  const next = `${file}.${Deno.pid}`;
  Deno.writeTextFileSync(next, JSON.stringify(state), { mode: 0o600 });
  Deno.renameSync(next, file);
}

/** A lock that may be held; disposing gives it up. */
export class SessionLock implements Disposable {
  readonly #file: Deno.FsFile;
  readonly #held: Promise<true>;

  constructor(path: string) {
    this.#file = Deno.openSync(path, { create: true, write: true, mode: 0o600 });
    this.#held = this.#file.lock(true).then(() => true as const);
  }

  /** true: it is held here now, at the latest after `milliseconds`. */
  async taken(milliseconds = lockMs): Promise<boolean> {
    return await within<boolean>(this.#held, milliseconds, false);
  }

  [Symbol.dispose](): void {
    this.#file.close();
  }
}
