// What a user pays at every start: `mirrord --version` against an empty compiled program, in time and in size.

import { runtimeVariables } from "../scripts/denort.ts";
import { compare, report, timed } from "./measure.ts";

const root = decodeURIComponent(new URL("../", import.meta.url).pathname);
const binary = `${root}dist/mirrord-linux-${Deno.build.arch}`;
const folder = Deno.makeTempDirSync();
const empty = `${folder}/empty`;

async function run(argv: string[], env: Record<string, string> = {}): Promise<void> {
  const [program = "", ...args] = argv;
  const { success, stderr } = await new Deno.Command(program, {
    args,
    env,
    cwd: folder,
    stdout: "null",
    stderr: "piped",
  }).output();
  if (!success) throw new Error(`Cannot run "${argv.join(" ")}": ${new TextDecoder().decode(stderr)}`);
}

try {
  Deno.writeTextFileSync(`${folder}/empty.ts`, "export {};\n");
  await run(
    [Deno.execPath(), "compile", "--quiet", "--no-config", "--no-code-cache", "--output", empty, "empty.ts"],
    await runtimeVariables(),
  );
  const start = await compare(
    () => timed(() => run([binary, "--version"])),
    () => timed(() => run([empty])),
    20,
  );
  report(
    `start: mirrord --version ${start.ours.toFixed(0)} ms, empty program ${start.peer.toFixed(0)} ms, ratio ${
      start.ratio.toFixed(2)
    }`,
  );
  const [ours, peer] = [Deno.statSync(binary).size, Deno.statSync(empty).size];
  report(
    `size: mirrord ${(ours / 1e6).toFixed(1)} MB, empty program ${(peer / 1e6).toFixed(1)} MB, ratio ${
      (ours / peer).toFixed(3)
    }`,
  );
} finally {
  Deno.removeSync(folder, { recursive: true });
}
