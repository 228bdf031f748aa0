// The compiled binary as a user runs it: on a PATH that holds neither Deno nor Node, everything it prints
// read line by line. A disposed run is ended and reaped.

import assert from "node:assert/strict";
import { deadline } from "./deadline.ts";
import { TextLineStream } from "./text_lines.ts";
import { waitsOfSession } from "./waits.ts";
import { whenKilled } from "./when_killed.ts";

const root = decodeURIComponent(new URL("../../", import.meta.url).pathname);

/** dist/mirrord-linux-<this machine>. */
export const binary = `${root}dist/mirrord-linux-${Deno.build.arch}`;

const programs = [
  "sh",
  "env",
  "cat",
  "rm",
  "python3",
  "sleep",
  "true",
  "false",
  "id",
  "nginx",
  "redis-server",
  "setsid",
  "setpriv",
  "nsenter",
  "nohup",
];
let path: string | undefined;

/** A PATH of links to a few programs of the system; made once, removed with the test process. */
export function userPath(): string {
  if (path !== undefined) return path;
  const folder = Deno.makeTempDirSync({ prefix: "mirrord-path-" });
  Deno.chmodSync(folder, 0o755);
  for (const name of programs) {
    const found = ["/usr/bin", "/bin", "/usr/sbin"].map((place) => `${place}/${name}`).find(isFile);
    if (found !== undefined) Deno.symlinkSync(found, `${folder}/${name}`);
  }
  globalThis.addEventListener("unload", () => Deno.removeSync(folder, { recursive: true }));
  path = folder;
  return folder;
}

function isFile(file: string): boolean {
  try {
    return Deno.statSync(file).isFile;
  } catch {
    return false;
  }
}

export interface MirrordOptions {
  /** The whole environment but for PATH, HOME and NO_COLOR. */
  env?: Record<string, string>;
  /** Command line that runs another where it belongs, such as in a network namespace. */
  prefix?: string[];
  cwd?: string;
  stdin?: "null" | "piped";
  /** Another mirrord than the built one. */
  program?: string;
}

/** What a finished run said. */
export interface Finished {
  code: number;
  stdout: string;
  stderr: string;
}

/** A running mirrord. */
export class Mirrord implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #end: AsyncDisposable;
  readonly #stdout: Promise<string>;
  readonly #lines: string[] = [];
  readonly #reading: Promise<void>;
  #wake = Promise.withResolvers<void>();
  #over = false;
  #stdin: WritableStreamDefaultWriter<Uint8Array> | undefined;

  constructor(args: string[], options: MirrordOptions = {}) {
    const [program = "", ...rest] = [...(options.prefix ?? []), options.program ?? binary, ...args];
    this.#child = new Deno.Command(program, {
      args: rest,
      clearEnv: true,
      env: { PATH: userPath(), HOME: Deno.env.get("HOME") ?? "/", NO_COLOR: "1", ...options.env },
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      stdin: options.stdin ?? "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#end = whenKilled(["kill", String(this.#child.pid)]);
    this.#stdout = new Response(this.#child.stdout).text();
    this.#reading = this.#read();
  }

  async #read(): Promise<void> {
    for await (const line of this.#child.stderr.pipeThrough(new TextLineStream())) {
      this.#lines.push(line);
      this.#wake.resolve();
      this.#wake = Promise.withResolvers();
    }
    this.#over = true;
    this.#wake.resolve();
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** The app's own process id, once mirrord has a child. */
  async appPid(): Promise<number> {
    const children = await Deno.readTextFile(`/proc/${this.pid}/task/${this.pid}/children`);
    for (const child of children.trim().split(" ").map(Number)) {
      const environ = await Deno.readTextFile(`/proc/${child}/environ`);
      if (environ.includes("MIRRORD_LAYER_SOCKET=")) return child;
    }
    throw new Error("mirrord runs no app");
  }

  /** Waits until standard error has a line that fits and returns it; fails when mirrord ends first. */
  async until(pattern: RegExp, limitMs?: number): Promise<string> {
    const find = async (): Promise<string> => {
      for (;;) {
        const line = this.#lines.find((one) => pattern.test(one));
        if (line !== undefined) return line;
        assert.ok(!this.#over, `mirrord ended without saying ${pattern}:\n${this.#lines.join("\n")}`);
        await this.#wake.promise;
      }
    };
    return await deadline(find(), `mirrord says ${pattern}; so far:\n${this.#lines.join("\n")}`, limitMs);
  }

  /** The lines of standard error so far. */
  said(): string[] {
    return [...this.#lines];
  }

  kill(signal: Deno.Signal): void {
    this.#child.kill(signal);
  }

  /** Writes to the app's standard input; needs `stdin: "piped"`. */
  async type(text: string): Promise<void> {
    this.#stdin ??= this.#child.stdin.getWriter();
    await this.#stdin.write(new TextEncoder().encode(text));
  }

  /** Waits for its end, which `limitMs` allows to be far away. */
  async finished(limitMs?: number): Promise<Finished> {
    const { code } = await deadline(this.#child.status, "mirrord ends", limitMs).catch(async (error) => {
      const waits = await waitsOfSession(this.#child.pid);
      throw new Error(`${error.message}\n${this.#lines.join("\n")}\n${waits}`);
    });
    await this.#end[Symbol.asyncDispose]();
    await this.#stdin?.close().catch(() => {}); // the app need not have read all
    const stdout = await deadline(this.#stdout, "the app's last process closes standard output");
    await deadline(this.#reading, "the app's last process closes standard error");
    return { code, stdout, stderr: this.#lines.join("\n") };
  }

  /** Asks it to end, unless it has, and waits for that; its app's processes may live on. */
  async end(): Promise<void> {
    try {
      this.#child.kill("SIGTERM");
    } catch {
      // It ended already.
    }
    await deadline(this.#child.status, "mirrord ends");
    await this.#end[Symbol.asyncDispose]();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end();
    await this.finished();
  }
}

/** Runs mirrord to its end. */
export async function runMirrord(args: string[], options: MirrordOptions = {}): Promise<Finished> {
  return await new Mirrord(args, options).finished();
}
