// `mirrord exec` on a stage, with a directory of its own for what it makes on this machine and a process
// session of its own (setsid(2)), so that postcondition.ts can tell what it left.

import assert from "node:assert/strict";
import { sessionProcesses } from "./local_remains.ts";
import { Mirrord, type MirrordOptions } from "./program.ts";
import type { Stage } from "./stage.ts";

const root = decodeURIComponent(new URL("../../", import.meta.url).pathname);

/** tests/apps/local.py, which answers as "local" and says on standard error when it listens. */
export const localApp: string[] = ["python3", `${root}tests/apps/local.py`];

export interface RunOptions {
  /** Flags that name the target; the stage's own unless given. */
  targetFlags?: string[];
  /** Flags of `mirrord exec` beside the target's; `["--steal"]` unless given. */
  flags?: string[];
  /** The app; `localApp` unless given. */
  app?: string[];
  /** The command that runs it; `exec` unless given. */
  command?: string;
  /** The configuration file's content; mirrord reads it from a file in the run's directory. */
  config?: unknown;
  env?: Record<string, string>;
  /** Put before mirrord, after the stage's own, such as `setpriv …`. */
  prefix?: string[];
  cwd?: string;
  stdin?: "null" | "piped";
  /** Another mirrord than the built one. */
  program?: string;
  /** Whose the run's directory is; `prefix` makes mirrord that user's. */
  user?: number;
}

/** A running `mirrord exec`. Disposing ends it; `assertClean` of postcondition.ts looks at what it left. */
export class SessionRun extends Mirrord {
  readonly stage: Stage;
  /** Its XDG_RUNTIME_DIR: the session's own directory appears in there. */
  readonly folder: string;
  interrupted = false;

  constructor(stage: Stage, options: RunOptions = {}) {
    const folder = Deno.makeTempDirSync({ prefix: "mirrord-run-" });
    const flags = [...(options.targetFlags ?? stage.targetFlags), ...(options.flags ?? ["--steal"])];
    if (options.config !== undefined) {
      Deno.writeTextFileSync(`${folder}/config.json`, JSON.stringify(options.config));
      flags.push("--config-file", `${folder}/config.json`);
    }
    if (options.user !== undefined) Deno.chownSync(folder, options.user, options.user);
    const settings: MirrordOptions = {
      env: { XDG_RUNTIME_DIR: folder, ...options.env },
      prefix: ["setsid", ...stage.prefix, ...(options.prefix ?? [])],
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      ...(options.stdin === undefined ? {} : { stdin: options.stdin }),
      ...(options.program === undefined ? {} : { program: options.program }),
    };
    super([options.command ?? "exec", ...flags, "--", ...(options.app ?? localApp)], settings);
    this.stage = stage;
    this.folder = folder;
  }

  /** The session directories in its folder: one while it runs. Control sockets lie in one of all sessions. */
  directories(): string[] {
    return [...Deno.readDirSync(this.folder)].filter(({ name, isDirectory }) =>
      isDirectory && name !== "mirrord"
    ).map(({ name }) => name);
  }

  /** What Ctrl-C at a terminal does: every process of the group is interrupted, not mirrord alone. */
  interrupt(): void {
    this.interrupted = true;
    Deno.kill(-this.pid, "SIGINT");
  }

  /** Starts it and waits until the local app listens on the stolen port. */
  static async listening(stage: Stage, options: RunOptions = {}): Promise<SessionRun> {
    const run = new SessionRun(stage, options);
    try {
      await run.until(/^listening /);
      assert.equal(run.directories().length, 1, "the session's directory is not where its end is looked for");
      return run;
    } catch (error) {
      await run[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Ends it; kills what is left: nothing, unless the case failed or meant it. */
  override async [Symbol.asyncDispose](): Promise<void> {
    await this.end();
    for (const pid of (await sessionProcesses(this.pid, this.folder)).keys()) {
      try {
        Deno.kill(pid, "SIGKILL");
      } catch {
        // It ended meanwhile.
      }
    }
    await this.finished();
    Deno.removeSync(this.folder, { recursive: true });
  }
}
