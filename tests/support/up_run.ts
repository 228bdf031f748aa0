// `mirrord up` of the tests, in a folder of its own that holds all that it makes on this machine. Used by
// tests/program/up_test.ts and up_container_test.ts.

import { until } from "../cluster/command.ts";
import { sessionProcesses } from "./local_remains.ts";
import { Mirrord } from "./program.ts";

/** mirrord up in a folder of its own, in a process session of its own, with `services` in its file. */
export class Up extends Mirrord {
  readonly folder: string;

  constructor(
    services: Record<string, unknown>,
    { env = {}, prefix }: { env?: Record<string, string>; prefix?: string[] } = {},
  ) {
    const folder = Deno.makeTempDirSync({ prefix: "mirrord-up-" });
    Deno.writeTextFileSync(`${folder}/mirrord-up.yaml`, JSON.stringify({ services }));
    new Deno.Command("mkfifo", { args: [`${folder}/gate`] }).outputSync();
    super(["up", "--key", "ana"], {
      cwd: folder,
      env: { XDG_RUNTIME_DIR: folder, HOME: folder, ...env },
      prefix: prefix ?? ["setsid"],
      stdin: prefix === undefined ? "null" : "piped",
    });
    this.folder = folder;
  }

  /** Fails unless no process and no folder of it is left. */
  async isGone(): Promise<void> {
    await until("nothing is left on this machine", async () => {
      const folders = [...Deno.readDirSync(this.folder)].filter(({ name, isDirectory }) =>
        isDirectory && name !== "mirrord" // where sessions are found (docs/sessions.md)
      );
      const left = [...await sessionProcesses(this.pid, this.folder), ...folders.map(({ name }) => name)];
      return left.length === 0 || left.join("\n");
    }, 20);
  }

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
    await Deno.remove(this.folder, { recursive: true });
  }
}

/** A service without a target: it runs on this machine, with all that a session is. */
export function alone(script: string, more: Record<string, unknown> = {}): Record<string, unknown> {
  return { target: "none", run: { command: ["sh", "-c", script] }, ...more };
}
