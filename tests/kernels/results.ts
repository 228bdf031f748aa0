// What a test machine says on its console, read as it comes: its kernel, and how each test ended, in TAP as
// `deno test --reporter=tap` prints it. Used by machine_tests.ts.

/** Lines of the console that an error quotes. */
const quotedLines = 30;

export class Results {
  readonly #ended = new Map<string, PromiseWithResolvers<void>>();
  readonly #lines: string[] = [];
  readonly #log: string;
  readonly #kernel = Promise.withResolvers<string>();
  #file = "";
  /** The test that failed, whose reasons come in the next lines. */
  #failed: { key: string; reasons: string[] } | null = null;
  #off: Error | null = null;
  /** Resolves when the machine is off. */
  readonly over: Promise<void>;

  /** `log`: a file that has the whole console. */
  constructor(lines: AsyncIterable<string>, log: string) {
    this.#log = log;
    Deno.writeTextFileSync(log, "");
    this.#kernel.promise.catch(() => {}); // a machine without a result is told by every test
    this.over = this.#read(lines);
  }

  /** The kernel's own release. */
  get kernel(): Promise<string> {
    return this.#kernel.promise;
  }

  /** The last lines of the console. */
  get tail(): string {
    return this.#lines.slice(-quotedLines).join("\n");
  }

  /** Resolves when the test has passed in the machine; rejects with what it said, or that it did not run. */
  of(file: string, name: string): Promise<void> {
    return this.#result(`${file}\n${name}`).promise;
  }

  #result(key: string): PromiseWithResolvers<void> {
    const known = this.#ended.get(key);
    if (known !== undefined) return known;
    const made = Promise.withResolvers<void>();
    made.promise.catch(() => {}); // nobody may wait for it yet
    this.#ended.set(key, made);
    if (this.#off !== null) made.reject(this.#off);
    return made;
  }

  async #read(lines: AsyncIterable<string>): Promise<void> {
    for await (const raw of lines) {
      const line = raw.replace(/\r$/, "");
      this.#lines.push(line);
      Deno.writeTextFileSync(this.#log, `${line}\n`, { append: true });
      this.#take(line);
    }
    this.#tellFailure();
    this.#off = new Error(`the machine went off without a result of this; its last lines:\n${this.tail}`);
    this.#kernel.reject(this.#off);
    for (const { reject } of this.#ended.values()) reject(this.#off);
  }

  #take(line: string): void {
    const [, kernel] = /^@@ kernel (\S+)/.exec(line) ?? [];
    if (kernel !== undefined) return this.#kernel.resolve(kernel);
    const [, file] = /^# \.\/(tests\/\S+)$/.exec(line) ?? [];
    const [, not, name, skipped] = /^(not )?ok \d+ - (.*?)( # SKIP)?$/.exec(line) ?? [];
    if (this.#failed !== null && file === undefined && name === undefined && !/^1\.\.\d+$/.test(line)) {
      this.#failed.reasons.push(line);
      return;
    }
    this.#tellFailure();
    if (file !== undefined) this.#file = file;
    if (name === undefined) return;
    const key = `${this.#file}\n${name}`;
    if (not !== undefined) this.#failed = { key, reasons: [] };
    else if (skipped !== undefined) this.#result(key).reject(new Error("it was skipped in the machine"));
    else this.#result(key).resolve();
  }

  #tellFailure(): void {
    if (this.#failed === null) return;
    const { key, reasons } = this.#failed;
    this.#failed = null;
    this.#result(key).reject(
      new Error(`it failed in the machine:\n${reasons.join("\n").replaceAll("\\n", "\n")}`),
    );
  }
}
