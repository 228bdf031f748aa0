// Fetches the pinned tools that no system package brings, into the cache beside Deno (see ./dev). Called by
// the build steps. A tool is keyed by its version and appears in the cache whole or not at all.

import { exists, say } from "./step.ts";

const zigVersion = "0.15.2";

/** Path of the zig program: a C compiler and the C libraries of every target, as the Python package `ziglang`. */
export async function zig(): Promise<string> {
  const home = `${toolsFolder()}/zig-${zigVersion}`;
  const program = `${home}/ziglang/zig`;
  if (exists(program)) return program;
  const started = performance.now();
  await unpackWheel(`ziglang==${zigVersion}`, home);
  Deno.chmodSync(program, 0o755);
  say(`zig ${zigVersion}: fetched in ${((performance.now() - started) / 1000).toFixed(1)} s`);
  return program;
}

/** Where tools lie: outside the repository. */
export function toolsFolder(): string {
  const cache = Deno.env.get("MIRRORD_CACHE") ?? `${Deno.env.get("HOME") ?? "/root"}/.cache/mirrord-dev`;
  return `${cache}/tools`;
}

/** Downloads a package of the Python registry and unpacks it as `folder`; `tags` name another machine than this one. */
export async function unpackWheel(requirement: string, folder: string, tags: string[] = []): Promise<void> {
  Deno.mkdirSync(toolsFolder(), { recursive: true });
  const platforms = tags.flatMap((tag) => ["--platform", tag]);
  const work = await Deno.makeTempDir({ dir: toolsFolder(), prefix: "wheel." });
  try {
    await python([
      "-m",
      "pip",
      "download",
      "--quiet",
      "--no-deps",
      "--only-binary",
      ":all:",
      "--dest",
      work,
      ...platforms,
      requirement,
    ]);
    const wheel = [...Deno.readDirSync(work)].find((entry) => entry.name.endsWith(".whl"));
    if (wheel === undefined) throw new Error(`Cannot fetch "${requirement}": pip left no wheel`);
    await python(["-m", "zipfile", "-e", `${work}/${wheel.name}`, `${work}/unpacked`]);
    try {
      await Deno.rename(`${work}/unpacked`, folder);
    } catch (error) {
      if (!exists(folder)) throw error; // else another build was faster
    }
  } finally {
    await Deno.remove(work, { recursive: true });
  }
}

async function python(args: string[]): Promise<void> {
  const output = await new Deno.Command("python3", { args, stdout: "null", stderr: "piped" }).output();
  if (output.success) return;
  Deno.stderr.writeSync(output.stderr);
  throw new Error(`Cannot run "python3 ${args.slice(0, 3).join(" ")}": it ended with code ${output.code}`);
}
