// `mirrord port-forward` on a stage, the clients that use its ports, and the program of this machine that a
// port of the target leads to. Used by cases_forward.ts and the tests of the command.

import assert from "node:assert/strict";
import { attempt, type Finished } from "../cluster/command.ts";
import { deadline } from "./deadline.ts";
import { Mirrord } from "./program.ts";
import { localApp } from "./session_run.ts";
import type { Stage } from "./stage.ts";
import { TextLineStream } from "./text_lines.ts";

const curl = ["curl", "--silent", "--show-error", "--noproxy", "*"];

/** A running `mirrord port-forward`. */
export class ForwardRun extends Mirrord {
  readonly stage: Stage;

  constructor(stage: Stage, flags: string[], env: Record<string, string> = {}) {
    super(["port-forward", ...stage.targetFlags, ...flags], { prefix: stage.prefix, env });
    this.stage = stage;
  }

  /** Starts it and waits until it forwards; `ports` has the ports of this machine, in the order of `-L`. */
  static async ready(
    stage: Stage,
    flags: string[],
    env: Record<string, string> = {},
  ): Promise<ForwardRun & { ports: number[] }> {
    const run = new ForwardRun(stage, flags, env);
    try {
      const count = flags.filter((flag) => flag === "-L" || flag === "-R").length;
      const lines: string[] = [];
      while (lines.length < count) {
        lines.push(
          await run.until(new RegExp(`^(?!${lines.map(escaped).join("|") || "$"}).*Forwarding \\S`)),
        );
      }
      const ports = lines.flatMap((line) => /Forwarding \S+:(\d+) to /.exec(line)?.[1] ?? []).map(Number);
      return Object.assign(run, { ports });
    } catch (error) {
      await run[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Runs a client program of this machine where the forwards' ports are. */
  async client(argv: string[]): Promise<Finished> {
    return await attempt([...this.stage.prefix, ...argv]);
  }

  /** curl's exit code, and who answered. */
  async asks(port: number | undefined, path = "/", host = "127.0.0.1"): Promise<[code: number, by: string]> {
    const { code, stdout } = await this.client([...curl, `http://${host}:${port}${path}`]);
    return [code, code === 0 ? (JSON.parse(stdout) as { by: string }).by : ""];
  }
}

function escaped(line: string): string {
  return line.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

/** tests/apps/local.py at a free port of `host`, where mirrord runs. */
export class LocalServer implements AsyncDisposable {
  readonly port: number;
  readonly #child: Deno.ChildProcess;
  readonly #lines: ReadableStreamDefaultReader<string>;

  private constructor(
    child: Deno.ChildProcess,
    lines: ReadableStreamDefaultReader<string>,
    port: number,
  ) {
    this.#child = child;
    this.#lines = lines;
    this.port = port;
  }

  static async start(stage: Stage, host = "127.0.0.1"): Promise<LocalServer> {
    const [program = "", ...args] = [...stage.prefix, ...localApp];
    const child = new Deno.Command(program, {
      args,
      env: { PORT: "0", LISTEN: host },
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).spawn();
    const lines = child.stderr.pipeThrough(new TextLineStream()).getReader();
    const { value = "" } = await deadline(lines.read(), "the local program listens");
    const port = Number(/^listening \S+ (\d+)/.exec(value)?.[1]);
    assert.ok(port > 0, value);
    return new LocalServer(child, lines, port);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // A case ended it.
    }
    await this.#lines.cancel();
    await this.#child.status;
  }
}
