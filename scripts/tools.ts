// Fetches the pinned tools that no system package brings, into the cache outside the repository. Called by
// the build steps. scripts/pins.py checks a tool against its pin before it unpacks it; a folder is named
// after that pin, and appears whole or not at all.

import { exists, root, say } from "./step.ts";

export const zigVersion = "0.15.2";
const pins = `${root}scripts/pins.py`;

/**
 * Path of the zig program: a C compiler and the C libraries of every target, as the Python package `ziglang`.
 */
export async function zig(): Promise<string> {
  const requirement = `ziglang==${zigVersion}`;
  const home = `${toolsFolder()}/zig-${zigVersion}-${await pinKey([requirement])}`;
  if (!exists(home)) {
    const started = performance.now();
    await unpackWheel(requirement, home);
    Deno.chmodSync(`${home}/ziglang/zig`, 0o755);
    say(`zig ${zigVersion}: fetched in ${((performance.now() - started) / 1000).toFixed(1)} s`);
  }
  return `${home}/ziglang/zig`;
}

/** Where tools lie: outside the repository. */
export function toolsFolder(): string {
  const cache = Deno.env.get("MIRRORD_CACHE") ?? `${Deno.env.get("HOME") ?? "/root"}/.cache/mirrord-dev`;
  return `${cache}/tools`;
}

/** A short key of what is pinned for these packages: another pin, another folder. */
export async function pinKey(requirements: string[]): Promise<string> {
  return (await runPins(["key", ...requirements])).trim();
}

/** Unpacks a pinned package of the Python registry as `folder`, for this machine or another. */
export async function unpackWheel(requirement: string, folder: string, machine?: string): Promise<void> {
  await runPins(["unpack", requirement, folder, ...(machine === undefined ? [] : [machine])]);
}

/** Checks files against the SHA-256 that each must have; the first other one is the error. */
export async function checkFiles(files: Iterable<{ path: string; sha256: string }>): Promise<void> {
  await runPins(["check"], [...files].map(({ path, sha256 }) => `${sha256}  ${path}\n`).join(""));
}

/** Runs scripts/pins.py by `python` and returns what it printed. Its refusal is the error's text. */
export async function runPins(args: string[], input = "", python = "python3"): Promise<string> {
  const child = new Deno.Command(python, {
    args: [pins, ...args],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const output = child.output();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(input));
  await writer.close();
  const { success, stdout, stderr } = await output;
  if (!success) throw new Error(new TextDecoder().decode(stderr).trim());
  return new TextDecoder().decode(stdout);
}
