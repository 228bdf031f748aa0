// neighbour.py, wherever a test runs it: in a namespace of this machine, or in a sidecar of a pod.

import assert from "node:assert/strict";
import { deadline } from "../support/deadline.ts";
import { TextLineStream } from "../support/text_lines.ts";

// As text: a user of few rights need not be able to read the repository.
const script = Deno.readTextFileSync(new URL("./neighbour.py", import.meta.url));

/** A running neighbour. `python` is the command line of its interpreter, `args` its mode. */
export class Neighbour implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #lines: ReadableStreamDefaultReader<string>;

  constructor(python: string[], args: string[]) {
    const [program = "", ...rest] = [...python, "-c", script, ...args];
    this.#child = new Deno.Command(program, {
      args: rest,
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    })
      .spawn();
    this.#lines = this.#child.stdout.pipeThrough(new TextLineStream()).getReader();
  }

  /** What it says next. */
  async says(): Promise<Record<string, unknown> & { state: string }> {
    const { value, done } = await deadline(this.#lines.read(), "the neighbour says something", 120_000);
    assert.ok(!done, "the neighbour ended");
    return JSON.parse(value);
  }

  /** Tells it to come to its end. */
  async finish(): Promise<void> {
    await this.#child.stdin.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // It ended already.
    }
    await this.#lines.cancel();
    await this.#child.stdin.close().catch(() => {});
    await this.#child.status;
  }
}
