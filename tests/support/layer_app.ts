// Apps under the layer, for tests: compiles the C ones, runs any program as a child of a fake session, and
// speaks with tests/apps/calls.c. A disposed app is ended and reaped, with every process it left behind.

import assert from "node:assert/strict";
import { compileMacApp, isMacLayer, machineOf, macRunner, runnerOf } from "./macho.ts";
import { TextLineStream } from "./text_lines.ts";
import { waitsIn } from "./waits.ts";
import { deadline } from "./deadline.ts";

const root = decodeURIComponent(new URL("../../", import.meta.url).pathname);

/** The layer that the binary embeds for this machine. */
export const builtLayer = `${root}core/launch/layer_linux_${Deno.build.arch}.so`;

/** The dynamic linker of programs with musl, which is their C library too. */
export const muslLoader = `/lib/ld-musl-${Deno.build.arch}.so.1`;

/** Is it what LD_PRELOAD has for the layers of both C libraries (core/launch/linux/layer.ts)? */
const isForBoth = (layer: string) => layer.includes("/$LIB/");

const compiled = new Map<string, Promise<string>>();

/**
 * Compiles tests/apps/NAME.c (once per run) and returns the program's path. as: another name for it, which is
 * as good as the first from then on; flags: more of gcc's.
 */
export function compileApp(
  name: string,
  { as = name, flags = [] }: { as?: string; flags?: string[] } = {},
): Promise<string> {
  const known = compiled.get(as) ?? compile(name, as, flags);
  compiled.set(as, known);
  return known;
}

/**
 * The command that runs tests/apps/NAME.c under `layer`: the program, as `layer` takes it, or for a layer for
 * macOS the loader and the program.
 */
export async function appFor(name: string, layer = builtLayer): Promise<string[]> {
  if (isForBoth(layer)) return [await compileForMusl(name)];
  if (!isMacLayer(layer)) return [await compileApp(name)];
  const machine = machineOf(layer);
  return [...await macRunner(machine), await compileMacApp(name, machine)];
}

/** The same as a library, whose path ends with ".so". */
export function compileLibrary(name: string, flags: string[] = []): Promise<string> {
  const file = `${name}.so`;
  const known = compiled.get(file) ?? compile(name, file, ["-shared", "-fPIC", ...flags]);
  compiled.set(file, known);
  return known;
}

/** The app with musl; the kernel's headers are those of this machine. */
export function compileForMusl(name: string): Promise<string> {
  const file = `${name}.musl`;
  const headers = ["/usr/include", `/usr/include/${Deno.build.arch}-linux-gnu`];
  const known = compiled.get(file) ?? compile(name, file, [
    "-w", // what musl.h declares stands in no other header
    "-include",
    `${root}tests/apps/musl.h`,
    ...headers.flatMap((folder) => ["-idirafter", folder]),
  ], "musl-gcc");
  compiled.set(file, known);
  return known;
}

async function compile(name: string, file: string, more: string[], compiler = "gcc"): Promise<string> {
  const output = `${root}build/apps/${file}`;
  Deno.mkdirSync(`${root}build/apps`, { recursive: true });
  const flags = [
    "-std=gnu11",
    "-D_GNU_SOURCE",
    "-Wall",
    "-Wextra",
    "-Werror",
    "-O1",
    "-pthread",
    "-rdynamic",
  ];
  const part = `${output}.${crypto.randomUUID()}`; // test files may run at the same time
  const { success, stderr } = await new Deno.Command(compiler, {
    args: [...flags, "-o", part, `${root}tests/apps/${name}.c`, ...more],
    stderr: "piped",
  }).output();
  assert.ok(success, new TextDecoder().decode(stderr));
  Deno.renameSync(part, output);
  return output;
}

/** Where an app runs: what it finds in its environment, for the layer to load. */
export interface AppSession {
  env(layer: string): Record<string, string>;
}

export interface RunOptions {
  layer?: string;
  env?: Record<string, string>;
  cwd?: string;
}

/**
 * What a program for macOS finds instead: on macOS the variable that names the layer has another name. The
 * loader must find itself again, and may be told to pass over a hook (withoutHook() of macho.ts).
 */
function inserted(env: Record<string, string>, argv: string[]): Record<string, string> {
  const { LD_PRELOAD: named = "", ...rest } = env;
  if (!isMacLayer(named)) return env;
  const [layer = "", without] = named.split("?");
  return {
    ...rest,
    DYLD_INSERT_LIBRARIES: layer,
    MACHO_RUN: runnerOf(argv).join(" "),
    ...(without === undefined ? {} : { MACHO_WITHOUT: without }),
  };
}

/** A running program of the app; `lines` are those of its standard output. */
export class App implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #lines: ReadableStreamDefaultReader<string>;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #errors: Promise<string>;
  #written = "";

  /** Runs `argv` in `session`, or without any layer when that is null. In a process group of its own. */
  constructor(session: AppSession | null, argv: string[], options: RunOptions = {}) {
    const [program, ...args] = argv;
    assert.ok(program !== undefined);
    this.#child = new Deno.Command("setsid", {
      args: [program, ...args],
      env: { ...options.env },
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
      ...(session === null
        ? {}
        : { env: { ...options.env, ...inserted(session.env(options.layer ?? builtLayer), argv) } }),
    }).spawn();
    this.#lines = this.#child.stdout.pipeThrough(new TextLineStream()).getReader();
    this.#input = this.#child.stdin.getWriter();
    this.#errors = new Response(this.#child.stderr).text();
  }

  get pid(): number {
    return this.#child.pid;
  }

  get status(): Promise<Deno.CommandStatus> {
    return this.#child.status;
  }

  /** What it wrote to standard error, once it ended. */
  get errors(): Promise<string> {
    return this.#errors;
  }

  /** The next line of its output; fails at the end. */
  async line(): Promise<string> {
    const { value, done } = await deadline(this.#lines.read(), "the app prints a line")
      .catch((error) => {
        throw new Error(`${error.message} after "${this.#written}"; it waits in ${waitsIn(this.pid)}`);
      });
    if (done) throw new Error(`the app ended: ${await this.#errors}`);
    return value;
  }

  /** The next line of its output that fits. */
  async lineLike(pattern: RegExp): Promise<string> {
    for (;;) {
      const line = await this.line();
      if (pattern.test(line)) return line;
    }
  }

  /** All further lines, once it has no more to print. */
  async rest(): Promise<string[]> {
    const lines: string[] = [];
    for (;;) {
      const { value, done } = await deadline(this.#lines.read(), "the app prints a line, or ends");
      if (done) return lines;
      lines.push(value);
    }
  }

  /** Writes a line to its input. */
  async write(line: string): Promise<void> {
    this.#written = line;
    await this.#input.write(new TextEncoder().encode(`${line}\n`));
  }

  /** Sends `signal` to all processes of the app. */
  kill(signal: Deno.Signal = "SIGKILL"): void {
    try {
      Deno.kill(-this.#child.pid, signal);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound) && !/ESRCH/.test(String(error))) throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.kill();
    await this.#input.abort().catch(() => {});
    await this.#lines.cancel().catch(() => {});
    await this.#child.status;
    await this.#errors;
  }
}

/** tests/apps/calls.c, or another of its kind: makes libc calls one by one. */
export class Calls implements AsyncDisposable {
  readonly #app: App;

  private constructor(app: App) {
    this.#app = app;
  }

  static async start(session: AppSession | null, options: RunOptions = {}, name = "calls"): Promise<Calls> {
    const calls = new Calls(new App(session, await appFor(name, options.layer), options));
    assert.equal(await calls.#app.line(), "0");
    return calls;
  }

  /** Makes one call, such as "bind 3 0.0.0.0 80"; resolves with the line it prints. */
  async do(call: string): Promise<string> {
    await this.#app.write(call);
    return await this.#app.line();
  }

  /** Starts a call whose result is read later. */
  begin(call: string): Promise<void> {
    return this.#app.write(call);
  }

  result(): Promise<string> {
    return this.#app.line();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#app[Symbol.asyncDispose]();
  }
}
