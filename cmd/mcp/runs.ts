// The programs that coding agents run as a target: each is a `mirrord exec` of its own. Called by tools.ts.
// Invariant: what is kept of an output is bounded, and no program outlives `mirrord mcp`.

import { MirrordError } from "../../core/base/errors.ts";
import { within } from "../../core/base/pause.ts";
import { variables } from "../../core/base/variables.ts";
import { killInOrder, signalSessions } from "../../core/launch/session_programs.ts";

/** Characters of each output that are kept, the last ones. */
const mostOutput = 65_536;
/** How long a program may take to end after SIGTERM. */
const graceMs = 10_000;
/** Programs that run at a time. */
const mostRunning = 16;
/** Runs that have ended and are kept. */
const mostEnded = 20;

/** What there is of a run. */
export interface RunReport {
  run: number;
  /** The process of its session, as `sessions` lists it. */
  pid: number;
  /** null: it runs. 128 + n: signal n ended it. */
  exitCode: number | null;
  /** It was ended because its time was up. */
  timedOut: boolean;
  stdout: string;
  /** The program's, with mirrord's warnings and errors. */
  stderr: string;
}

/** The end of an output. */
class Tail {
  #text = "";
  #isCut = false;
  readonly done: Promise<void>;

  constructor(stream: ReadableStream<Uint8Array<ArrayBuffer>>) {
    this.done = this.#read(stream);
  }

  get text(): string {
    return (this.#isCut ? "(the beginning is left out)\n" : "") + this.#text;
  }

  async #read(stream: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<void> {
    for await (const piece of stream.pipeThrough(new TextDecoderStream())) {
      const all = this.#text + piece;
      this.#isCut ||= all.length > mostOutput;
      this.#text = all.slice(-mostOutput);
    }
  }
}

export class Run {
  readonly number: number;
  readonly #child: Deno.ChildProcess;
  readonly #stdout: Tail;
  readonly #stderr: Tail;
  /** Resolves when the program has ended and its output is read. */
  readonly ended: Promise<void>;
  #exitCode: number | null = null;
  #timedOut = false;

  constructor(number: number, argv: readonly string[], directory: string | undefined) {
    const [program = "", ...args] = argv;
    this.number = number;
    this.#child = new Deno.Command(program, {
      args,
      clearEnv: true,
      env: { ...variables(), MIRRORD_PROGRESS_MODE: "off" },
      ...(directory === undefined ? {} : { cwd: directory }),
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#stdout = new Tail(this.#child.stdout);
    this.#stderr = new Tail(this.#child.stderr);
    this.ended = this.#child.status.then(async ({ code }) => {
      // A process that it left behind may hold its output open.
      await within(Promise.all([this.#stdout.done, this.#stderr.done]).then(() => {}), 1000, undefined);
      this.#exitCode = code;
    });
  }

  get pid(): number {
    return this.#child.pid;
  }

  get report(): RunReport {
    return {
      run: this.number,
      pid: this.pid,
      exitCode: this.#exitCode,
      timedOut: this.#timedOut,
      stdout: this.#stdout.text,
      stderr: this.#stderr.text,
    };
  }

  /** Waits for its end, and ends it when that takes longer. */
  async within(milliseconds: number): Promise<void> {
    if (await within(this.ended.then(() => true), milliseconds, false)) return;
    this.#timedOut = true;
    await this.end();
  }

  /** Ends it in order: SIGTERM, and where that is not enough its program is killed, then its session. */
  async end(): Promise<void> {
    signalSessions([this.#child], "SIGTERM");
    if (await within(this.ended.then(() => true), graceMs, false)) return;
    await killInOrder([this.#child], this.ended);
  }
}

export class Runs implements AsyncDisposable {
  readonly #runs = new Map<number, Run>();
  #last = 0;

  /** Throws MirrordError where too many run, or it cannot be started. */
  start(argv: readonly string[], directory: string | undefined): Run {
    const running = [...this.#runs.values()].filter(({ report }) => report.exitCode === null);
    if (running.length >= mostRunning) {
      throw new MirrordError(`Cannot run another program: ${mostRunning} run already`, {
        help: "End one with stop.",
      });
    }
    const run = new Run(++this.#last, argv, directory);
    this.#runs.set(run.number, run);
    const ended = [...this.#runs.values()].filter(({ report }) => report.exitCode !== null);
    for (const { number } of ended.slice(0, -mostEnded)) this.#runs.delete(number);
    return run;
  }

  of(number: number): Run | undefined {
    return this.#runs.get(number);
  }

  /** The processes of all that are kept. */
  get pids(): number[] {
    return [...this.#runs.values()].map(({ pid }) => pid);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#runs.values()].map((run) => run.end()));
  }
}
