// The steps of a pipeline, `mirrord ci …`, in a folder of their own. Used by tests/program/ci_test.ts and
// ci_container_test.ts.

import assert from "node:assert/strict";
import { until } from "../cluster/command.ts";
import { sessionProcesses } from "./local_remains.ts";
import { type Finished, Mirrord } from "./program.ts";

/** The steps of one pipeline, with folders of their own for all that stays. */
export class Pipeline implements AsyncDisposable {
  readonly folder = Deno.makeTempDirSync({ prefix: "mirrord-pipeline-" });
  readonly #env: Record<string, string>;

  constructor(env: Record<string, string> = {}) {
    this.#env = env;
  }

  run(...args: string[]): Promise<Finished> {
    return this.begin(...args).finished();
  }

  /** One step, while it runs. */
  begin(...args: string[]): Mirrord {
    const { folder } = this;
    const env = { HOME: folder, TMPDIR: folder, XDG_RUNTIME_DIR: folder, ...this.#env };
    return new Mirrord(["ci", ...args], { cwd: folder, env });
  }

  /** The value that a step printed as JSON; fails unless it ended with `code`. */
  async json(code: number, ...args: string[]): Promise<Record<string, unknown>> {
    const finished = await this.run(...args);
    assert.equal(finished.code, code, finished.stderr);
    return JSON.parse(finished.stdout);
  }

  /** The files of sessions that were not stopped. */
  states(): string[] {
    return [...Deno.readDirSync(`${this.folder}/.local/state/mirrord/ci`)].map(({ name }) => name).sort();
  }

  /** What programs printed: the names of the folders. */
  outputs(): string[] {
    return [...Deno.readDirSync(this.folder)].map(({ name }) => name)
      .filter((name) => name.startsWith("mirrord-ci-"));
  }

  /** Fails unless no process of a session is left. */
  async isQuiet(): Promise<void> {
    await until("no process is left", async () => {
      const left = [...await sessionProcesses(null, this.folder)];
      return left.length === 0 || left.join("\n");
    }, 20);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const pid of (await sessionProcesses(null, this.folder)).keys()) {
      try {
        Deno.kill(pid, "SIGKILL");
      } catch {
        // It ended meanwhile.
      }
    }
    await this.isQuiet();
    await Deno.remove(this.folder, { recursive: true });
  }
}
