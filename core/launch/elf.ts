// Can the layer get into this program? Reads just enough of its first bytes: ELF header and program headers, or a
// script's first line. Called by launch.ts before an agent is deployed, so that nothing runs un-hooked in silence.

/** What a program file is, as far as preloading a library goes (ld.so(8), elf(5), execve(2)). */
export type ProgramKind =
  | { kind: "dynamic"; interpreter: string; machine: number; go: boolean }
  | { kind: "static" }
  | { kind: "script"; interpreter: string; argument: string }
  | { kind: "unknown" };

const headSize = 4096;
const ptInterp = 3;
const ptNote = 4;
/** The largest note segment that is looked at. */
const noteBytes = 4096;
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
  let interpreter: string | undefined;
  let go = false;
  for (let at = 0; at < table.length; at += size) {
    const type = rows.getUint32(at, true);
    if (type !== ptInterp && type !== ptNote) continue;
    const limit = type === ptInterp ? headSize : noteBytes;
    const bytes = new Uint8Array(Math.min(Number(rows.getBigUint64(at + 32, true)), limit));
    await readAt(file, Number(rows.getBigUint64(at + 8, true)), bytes);
    if (type === ptNote) go ||= hasGoNote(new DataView(bytes.buffer));
    else interpreter = new TextDecoder().decode(bytes).replace(/\0.*$/s, "");
  }
  if (interpreter === undefined) return { kind: "static" };
  return { kind: "dynamic", interpreter, machine: header.getUint16(18, true), go };
}

/** Elf64_Nhdr: sizes of name and content, type; then both, each to a multiple of four. Go's linker calls its own "Go". */
function hasGoNote(notes: DataView): boolean {
  const even = (size: number): number => (size + 3) & ~3;
  for (let at = 0; at + 16 <= notes.byteLength;) {
    const name = notes.getUint32(at, true);
    if (name === 4 && notes.getUint32(at + 12, true) === 0x00006f47) return true;
    at += 12 + even(name) + even(notes.getUint32(at + 4, true));
  }
  return false;
}

async function readAt(file: Deno.FsFile, offset: number, into: Uint8Array): Promise<void> {
  await file.seek(offset, Deno.SeekMode.Start);
  for (let filled = 0; filled < into.length;) {
    const count = await file.read(into.subarray(filled));
    if (count === null) return;
    filled += count;
  }
}
