// One run of mirrord for the demo: its output (and the app's) line by line, what it said so far, its end.
// Used by demo.ts.

const readyMs = 60_000;

export class LocalProgram {
  readonly #child: Deno.ChildProcess;
  readonly #lines: string[] = [];
  readonly #waiting = new Set<() => void>();
  readonly #reading: Promise<void>[];

  /** Starts `argv`; `show` gets every line of its standard output and error. */
  constructor([program = "", ...args]: string[], show: (line: string) => void) {
    this.#child = new Deno.Command(program, { args, stdin: "null", stdout: "piped", stderr: "piped" })
      .spawn();
    this.#reading = [this.#child.stdout, this.#child.stderr].map((stream) => this.#read(stream, show));
  }

  /**
   * Resolves when a line with `text` was or is printed. Throws when the program ends before, or takes a
   * minute.
   */
  async said(text: string): Promise<void> {
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(() => late.reject(missing(text, "in time")), readyMs);
    const ended = Promise.all(this.#reading).then(() => "ended");
    try {
      while (!this.#lines.some((line) => line.includes(text))) {
        const next = Promise.withResolvers<void>();
        this.#waiting.add(next.resolve);
        const why = await Promise.race([next.promise, ended, late.promise]);
        if (why === "ended" && !this.#lines.some((line) => line.includes(text))) {
          throw missing(text, "before it ended");
        }
      }
    } finally {
      clearTimeout(timer);
    }
  }

  /** Ends it as its terminal would, and waits for it. */
  async end(): Promise<void> {
    try {
      this.#child.kill("SIGTERM");
    } catch (error) {
      if (!(error instanceof TypeError)) throw error; // it has ended by itself
    }
    await this.#child.status;
    await Promise.all(this.#reading);
  }

  async #read(stream: ReadableStream<Uint8Array>, show: (line: string) => void): Promise<void> {
    let rest = "";
    for await (const chunk of stream.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + chunk).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) {
        show(line);
        this.#lines.push(line);
      }
      for (const wake of this.#waiting) wake();
      this.#waiting.clear();
    }
  }
}

function missing(text: string, when: string): Error {
  return new Error(`Cannot go on: mirrord did not say "${text}" ${when}`);
}
