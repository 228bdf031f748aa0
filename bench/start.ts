// What a user pays at every start: `mirrord --version` against an empty compiled program, in time and in
// size; what hooking adds to the start of Python and Node (root); a whole session's start, with the agent's
// image on the node and with the agent sent, against `kubectl debug`; the image's size; and what the target
// pays, the agent's memory. Last line: `start exec_ms=… exec_sent_ms=… debug_ms=…`, each from the command to
// the first instruction, then ratios, sizes, `hooked_added_ms=…`, the larger of the two, and the memory.

import { runtimeVariables } from "../scripts/denort.ts";
import { agentMemory } from "./agent_memory.ts";
import { execStart } from "./exec_start.ts";
import { hookedStarts } from "./hooked_start.ts";
import { imageSize } from "./image_size.ts";
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

/** Node itself, not a script of a version manager's. */
async function nodePath(): Promise<string> {
  const { stdout } = await new Deno.Command("node", { args: ["-p", "process.execPath"] }).output();
  return new TextDecoder().decode(stdout).trim();
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
  const programs = [["/usr/bin/python3", "-c", "pass"], [await nodePath(), "-e", "0"]];
  const starts = await hookedStarts(binary, programs);
  for (const [index, { ours, peer }] of starts.entries()) {
    const name = programs[index]?.join(" ");
    report(`hooked: ${name} ${ours.toFixed(1)} ms, without mirrord ${peer.toFixed(1)} ms`);
  }
  const added = Math.max(...starts.map(({ ours, peer }) => ours - peer));
  const exec = await execStart();
  const ms = (value: number | null) => value === null ? "none" : value.toFixed(0);
  report(
    `exec: ${ms(exec.ms)} ms from the command to the app's first instruction, ${
      ms(exec.sentMs)
    } ms with the agent sent, target ${exec.target}; kubectl debug ${ms(exec.debugMs)} ms`,
  );
  const image = await imageSize();
  const memory = await agentMemory(binary);
  report(
    `agent: ${memory.idleMiB.toFixed(0)} MiB resident at rest, ${
      memory.idleAnonMiB.toFixed(0)
    } of them not the program's own file; ${memory.peakMiB.toFixed(0)} at most`,
  );
  report(
    `start exec_ms=${ms(exec.ms)} exec_sent_ms=${ms(exec.sentMs)} debug_ms=${
      ms(exec.debugMs)
    } version_ratio=${start.ratio.toFixed(2)} size_ratio=${(ours / peer).toFixed(3)} image_mb=${
      (image / 1e6).toFixed(1)
    } hooked_added_ms=${added.toFixed(1)} agent_idle_mib=${memory.idleMiB.toFixed(0)} agent_peak_mib=${
      memory.peakMiB.toFixed(0)
    }`,
  );
} finally {
  Deno.removeSync(folder, { recursive: true });
}
