// Running programs, waiting for conditions and telling the user about it: the
// small floor that the other files of the test cluster stand on.

import { patience } from "../support/deadline.ts";

export interface RunOptions {
  stdin?: string;
  env?: Record<string, string>;
  cwd?: string;
}

export interface Finished {
  code: number;
  stdout: string;
  stderr: string;
}

const sbin = "/usr/local/sbin:/usr/sbin:/sbin";

/** PATH of everything we start: Debian keeps half of the tools in sbin. */
export function searchPath(): string {
  return `${Deno.env.get("PATH") ?? "/usr/local/bin:/usr/bin:/bin"}:${sbin}`;
}

export async function attempt(argv: readonly string[], options: RunOptions = {}): Promise<Finished> {
  const [program, ...args] = argv;
  if (program === undefined) throw new TypeError("An empty command");
  const child = new Deno.Command(program, {
    args,
    env: { PATH: searchPath(), ...options.env },
    stdin: options.stdin === undefined ? "null" : "piped",
    stdout: "piped",
    stderr: "piped",
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  }).spawn();
  const output = child.output();
  if (options.stdin !== undefined) await feed(child.stdin, options.stdin);
  const { code, stdout, stderr } = await output;
  const text = new TextDecoder();
  return { code, stdout: text.decode(stdout), stderr: text.decode(stderr) };
}

async function feed(stdin: WritableStream<Uint8Array>, content: string): Promise<void> {
  try {
    const writer = stdin.getWriter();
    await writer.write(new TextEncoder().encode(content));
    await writer.close();
  } catch (error) {
    // The program ended without reading it all; its exit code tells why.
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
  }
}

/** Runs to the end and returns what it printed; a failure carries its stderr. */
export async function run(argv: readonly string[], options: RunOptions = {}): Promise<string> {
  const { code, stdout, stderr } = await attempt(argv, options);
  if (code !== 0) {
    throw new Error(`Cannot run "${argv.join(" ")}": exit code ${code}\n${stderr.trim() || stdout.trim()}`);
  }
  return stdout;
}

export function print(text: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(text + "\n"));
}

/** Says on stderr what is done, and when it is done, how long it took. */
export async function step<T>(title: string, work: () => Promise<T>): Promise<T> {
  const start = performance.now();
  let result: T;
  try {
    result = await work();
  } catch (error) {
    report(`${seconds(start)}  ${title}: failed`);
    throw error;
  }
  report(`${seconds(start)}  ${title}`);
  return result;
}

export function report(line: string): void {
  Deno.stderr.writeSync(new TextEncoder().encode(line + "\n"));
}

export function seconds(start: number): string {
  return `${((performance.now() - start) / 1000).toFixed(1).padStart(6)} s`;
}

/**
 * Asks again and again until the answer is yes. `check` returns true, or says
 * what is still missing; that is reported when the time is up.
 */
export async function until(
  condition: string,
  check: () => Promise<true | string>,
  limitSeconds = 60,
): Promise<void> {
  const deadline = performance.now() + limitSeconds * 1000 * patience;
  for (;;) {
    const answer = await check();
    if (answer === true) return;
    if (performance.now() > deadline) {
      throw new Error(
        `Cannot wait any longer for "${condition}": ${limitSeconds * patience} s are over\n${answer.trim()}`,
      );
    }
    await pollInterval();
  }
}

/** The processes waited for have no event to wait on: they are asked ten times a second. */
function pollInterval(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  setTimeout(() => resolve(), 100);
  return promise;
}

export async function exists(path: string): Promise<boolean> {
  try {
    await Deno.lstat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

export async function findProgram(name: string): Promise<string | null> {
  for (const dir of searchPath().split(":")) {
    if (dir !== "" && await exists(`${dir}/${name}`)) return `${dir}/${name}`;
  }
  return null;
}

/** A short content key, for names in the cache. */
export async function contentKey(parts: readonly string[]): Promise<string> {
  const bytes = new TextEncoder().encode(parts.map((part) => `${part.length}:${part}`).join(""));
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return [...digest.subarray(0, 8)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
