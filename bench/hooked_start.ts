// What hooking adds to the start of a program, with every floor on: the same starter runs the same program
// beside mirrord and in a session whose target is a process of this machine. Called by startup.ts. Needs
// root.

import { ProcessStage } from "../tests/support/process_stage.ts";
import { TextLineStream } from "../tests/support/text_lines.ts";
import { compare } from "./measure.ts";

const starter = decodeURIComponent(new URL("../tests/apps/starter.py", import.meta.url).pathname);
const python = "/usr/bin/python3";
const rounds = 40;

/** A starter as a process; `start` resolves with the milliseconds that a program took. */
class Starter implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #lines: ReadableStreamDefaultReader<string>;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;

  constructor(before: string[]) {
    const [program = "", ...args] = [...before, python, starter];
    this.#child = new Deno.Command(program, { args, stdin: "piped", stdout: "piped", stderr: "null" })
      .spawn();
    this.#lines = this.#child.stdout.pipeThrough(new TextLineStream()).getReader();
    this.#input = this.#child.stdin.getWriter();
  }

  async start(argv: string[]): Promise<number> {
    await this.#input.write(new TextEncoder().encode(`${JSON.stringify(argv)}\n`));
    const { value, done } = await this.#lines.read();
    if (done) throw new Error("the starter ended");
    return Number(value);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#input.close();
    await this.#child.status;
    await this.#lines.cancel();
  }
}

/** Medians of `argv`'s start in a session (ours) and beside it (peer), in milliseconds. */
export async function hookedStarts(
  binary: string,
  programs: string[][],
): Promise<{ ours: number; peer: number }[]> {
  const stage = await ProcessStage.create();
  try {
    await using hooked = new Starter([binary, "exec", ...stage.targetFlags, "--"]);
    await using plain = new Starter([]);
    const results: { ours: number; peer: number }[] = [];
    for (const argv of programs) {
      results.push(await compare(() => hooked.start(argv), () => plain.start(argv), rounds));
    }
    return results;
  } finally {
    await stage[Symbol.asyncDispose]();
  }
}
