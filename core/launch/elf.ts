// Can the layer get into this program? Reads just enough of its first bytes: ELF header and program headers, or a
// script's first line. Called by launch.ts before an agent is deployed, so that nothing runs un-hooked in silence.

/** What a program file is, as far as preloading a library goes (ld.so(8), elf(5), execve(2)). */
export type ProgramKind =
  | { kind: "dynamic"; interpreter: string; machine: number }
  | { kind: "static" }
  | { kind: "script"; interpreter: string; argument: string }
  | { kind: "unknown" };

const headSize = 4096;
const ptInterp = 3;
/** Size of an Elf64_Phdr. */
const phdrBytes = 56;

/** Reads the head of `path`. Rejects with Deno's own errors when it cannot be opened. */
export async function readProgramKind(path: string): Promise<ProgramKind> {
  using file = await Deno.open(path);
  const head = new Uint8Array(headSize);
  const bytes = head.subarray(0, await file.read(head) ?? 0);
  if (bytes[0] === 0x23 && bytes[1] === 0x21) return script(bytes);
  if (bytes.length < 64 || new TextDecoder().decode(bytes.subarray(1, 4)) !== "ELF" || bytes[4] !== 2) {
    return { kind: "unknown" };
  }
  return await elf(file, new DataView(bytes.buffer, 0, bytes.length));
}

function script(bytes: Uint8Array): ProgramKind {
  const end = bytes.indexOf(0x0a);
  const line = new TextDecoder().decode(bytes.subarray(2, end < 0 ? bytes.length : end)).trim();
  const [, interpreter = "", argument = ""] = line.match(/^(\S+)\s*(.*)$/) ?? [];
  return interpreter === "" ? { kind: "unknown" } : { kind: "script", interpreter, argument };
}

/** Elf64_Ehdr: e_machine at 18, e_phoff at 32, e_phentsize at 54, e_phnum at 56; little-endian machines only. */
async function elf(file: Deno.FsFile, header: DataView): Promise<ProgramKind> {
  const size = header.getUint16(54, true);
  if (size !== phdrBytes) return { kind: "unknown" };
  const table = new Uint8Array(size * header.getUint16(56, true));
  await readAt(file, Number(header.getBigUint64(32, true)), table);
  const rows = new DataView(table.buffer);
  for (let at = 0; at < table.length; at += size) {
    if (rows.getUint32(at, true) !== ptInterp) continue;
    const interpreter = new Uint8Array(Math.min(Number(rows.getBigUint64(at + 32, true)), headSize));
    await readAt(file, Number(rows.getBigUint64(at + 8, true)), interpreter);
    const text = new TextDecoder().decode(interpreter).replace(/\0.*$/s, "");
    return { kind: "dynamic", interpreter: text, machine: header.getUint16(18, true) };
  }
  return { kind: "static" };
}

async function readAt(file: Deno.FsFile, offset: number, into: Uint8Array): Promise<void> {
  await file.seek(offset, Deno.SeekMode.Start);
  for (let filled = 0; filled < into.length;) {
    const count = await file.read(into.subarray(filled));
    if (count === null) return;
    filled += count;
  }
}
