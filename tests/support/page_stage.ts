// A session whose app does what `mirrord ui` shows, and the page's server as a user starts it. Used by
// tests/program/process_ui_test.ts and tests/browser/ui_test.ts.

import assert from "node:assert/strict";
import { localApp, SessionRun } from "./session_run.ts";
import type { Stage } from "./stage.ts";
import { TextLineStream } from "./text_lines.ts";
import { deadline } from "./deadline.ts";
import { binary, userPath } from "./program.ts";
import { whenKilled } from "./when_killed.ts";

/** Serves the stolen port; for each line that it gets it asks for a path, a name and a connection. */
const asking = `
import runpy, socket, sys, threading
def ask():
    for line in sys.stdin:
        for path in ("/etc/hostname-of-the-target", "/data/shop.db"):
            try: open(path)
            except OSError: pass
        try: socket.getaddrinfo("db.shop.test", 5432)
        except OSError: pass
        try: socket.create_connection(("192.0.2.9", 5432), 0.2)
        except OSError: pass
        print("asked", file=sys.stderr, flush=True)
threading.Thread(target=ask, daemon=True).start()
runpy.run_path("${localApp[1]}", run_name="__main__")
`;

/** A session on `stage` that steals port 80. */
export async function askingSession(stage: Stage): Promise<SessionRun> {
  const config = {
    feature: { network: { incoming: "steal", outgoing: { filter: { local: ["198.51.100.0/24"] } } } },
  };
  return await SessionRun.listening(stage, { app: ["python3", "-c", asking], config, stdin: "piped" });
}

/** `mirrord ui` for the user of `run`. */
export class PageRun implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #end: AsyncDisposable;
  readonly address: string;

  private constructor(child: Deno.ChildProcess, end: AsyncDisposable, address: string) {
    this.#child = child;
    this.#end = end;
    this.address = address;
  }

  static async start({ folder }: { folder: string }): Promise<PageRun> {
    const child = new Deno.Command(binary, {
      args: ["ui"],
      clearEnv: true,
      env: { PATH: userPath(), XDG_RUNTIME_DIR: folder, HOME: folder, NO_COLOR: "1" },
      stdin: "null",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    const end = whenKilled(["kill", String(child.pid)]);
    const lines = child.stdout.pipeThrough(new TextLineStream());
    for await (const line of lines) {
      assert.match(line, /^http:\/\/127\.0\.0\.1:\d+\/#[\w-]{32}$/);
      return new PageRun(child, end, line);
    }
    throw new Error("mirrord ui ended without an address");
  }

  /** Ends it as Ctrl-C does; resolves with its exit code. */
  async stop(): Promise<number> {
    this.#child.kill("SIGINT");
    const { code } = await deadline(this.#child.status, "mirrord ui ends");
    return code;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGTERM");
    } catch {
      // It has ended.
    }
    await this.#child.status;
    await this.#end[Symbol.asyncDispose]();
  }
}
