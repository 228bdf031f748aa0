// tests/apps/sink.py where a test's peers are: what came over each connection, and how it ended.

import assert from "node:assert/strict";
import { deadline } from "./deadline.ts";
import { TextLineStream } from "./text_lines.ts";

const script = new URL("../apps/sink.py", import.meta.url);

/** What one connection gave. */
export interface Sunk {
  bytes: number;
  sha256: string;
  end: string;
}

export class Sink implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #lines: ReadableStreamDefaultReader<string>;

  private constructor(prefix: string[], args: string[]) {
    const [program = "", ...rest] = [...prefix, "python3", "-u", "-", ...args];
    this.#child = new Deno.Command(program, { args: rest, stdin: "piped", stdout: "piped" }).spawn();
    this.#lines = this.#child.stdout.pipeThrough(new TextLineStream()).getReader();
  }

  /** `prefix` brings a program to where the sink is to be. */
  static async start(prefix: string[], ...args: string[]): Promise<Sink> {
    const sink = new Sink(prefix, args);
    const writer = sink.#child.stdin.getWriter();
    await writer.write(await Deno.readFile(script)); // no image holds it
    await writer.close();
    if (args[0] !== "dial") assert.equal(await sink.#line(), "listening");
    return sink;
  }

  /** The next connection that ended. */
  async next(): Promise<Sunk> {
    return JSON.parse(await this.#line()) as Sunk;
  }

  /** The datagrams so far; `end` sends one more that says "end". */
  async datagrams(end: () => Promise<unknown>): Promise<string[]> {
    await end();
    return JSON.parse(await this.#line()) as string[];
  }

  async #line(): Promise<string> {
    const { value } = await deadline(this.#lines.read(), "the sink says something");
    assert.ok(value !== undefined, "the sink ended");
    return value;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // It ended by itself.
    }
    await this.#lines.cancel();
    await this.#child.status;
  }
}
