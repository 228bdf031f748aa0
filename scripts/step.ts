// A build step: a thing made from files, skipped when its inputs are unchanged. Called by every build_*.ts.
// The key, a hash over the input files, lies in build/keys/.

import { createHash } from "node:crypto";

export const root = decodeURIComponent(new URL("../", import.meta.url).pathname);

/** One thing to build: the files it is made from (folders are walked), what it makes, and how. */
export interface Step {
  name: string;
  inputs: string[];
  outputs: string[];
  /** Other inputs that decide what is made. */
  given?: string;
  run: () => Promise<void>;
}

const made: string[] = [];

/** Prints what the steps so far have made, with sizes. */
export function sayMade(): void {
  const width = Math.max(...made.map((path) => path.length));
  for (const path of made) {
    const { size } = Deno.statSync(root + path);
    const amount = size < 1e6 ? `${(size / 1e3).toFixed(1)} kB` : `${(size / 1e6).toFixed(1)} MB`;
    say(`  ${path.padEnd(width)}  ${amount}`);
  }
}

/** Runs `step` unless its outputs exist and its inputs are as they were; prints what it did and how long. */
export async function runStep(step: Step): Promise<void> {
  const started = performance.now();
  const keyFile = `${root}build/keys/${step.name}`;
  const key = hashInputs(step.inputs, step.given ?? "");
  const current = readIfThere(keyFile) === key && step.outputs.every((path) => exists(root + path));
  if (!current) {
    await step.run();
    Deno.mkdirSync(`${root}build/keys`, { recursive: true });
    Deno.writeTextFileSync(keyFile, key);
  }
  made.push(...step.outputs.filter((path) => exists(root + path)));
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  say(`${step.name}: ${current ? "up to date" : `built in ${seconds} s`}`);
}

/** Runs a command in the repository's root; its output is shown only when it fails. */
export async function command(argv: string[], options: { env?: Record<string, string> } = {}): Promise<void> {
  const [program, ...args] = argv;
  if (program === undefined) throw new Error("a command needs a program");
  const child = new Deno.Command(program, {
    args,
    cwd: root,
    env: options.env ?? {},
    stdout: "piped",
    stderr: "piped",
  });
  const output = await child.output();
  if (output.success) return;
  Deno.stderr.writeSync(output.stdout);
  Deno.stderr.writeSync(output.stderr);
  throw new Error(`Cannot build with "${argv.slice(0, 3).join(" ")}": it ended with code ${output.code}`);
}

/** Prints one line of progress. */
export function say(text: string): void {
  Deno.stderr.writeSync(new TextEncoder().encode(text + "\n"));
}

function hashInputs(paths: string[], given: string): string {
  const hash = createHash("sha256").update(given);
  for (const path of paths.flatMap((path) => walk(root + path)).sort()) {
    hash.update(path.slice(root.length) + "\0").update(Deno.readFileSync(path));
  }
  return hash.digest("hex");
}

function walk(path: string): string[] {
  if (!Deno.statSync(path).isDirectory) return [path];
  return [...Deno.readDirSync(path)].filter((entry) => !/_test\.\w+$/.test(entry.name)).flatMap((entry) =>
    walk(`${path.replace(/\/$/, "")}/${entry.name}`)
  );
}

/** Is there anything at `path`? */
export function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}

function readIfThere(path: string): string | null {
  return exists(path) ? Deno.readTextFileSync(path) : null;
}
