// Whether a program can load the layer, by its program headers (core/net/elf.ts) or a script's first line.
// Called by program.ts before an agent is deployed, so that no program runs without hooks in silence.

import { osText } from "../base/os_text.ts";
import { hasGoNote, readElf, readPiece, segmentType } from "../net/elf.ts";

/** What a program file is, as far as preloading a library goes (ld.so(8), elf(5), execve(2)). */
export type ProgramKind =
  | { kind: "dynamic"; interpreter: string; machine: number; go: boolean }
  | { kind: "static" }
  | { kind: "script"; interpreter: string; argument: string }
  | { kind: "unknown" };

/** The longest name of an interpreter, and the largest note segment, that is looked at. */
const pieceBytes = 4096;
/** What the kernel looks at of a script's first line (BINPRM_BUF_SIZE). */
const lineSize = 256;

/** Reads the head of `path`. Rejects with Deno's own errors when it cannot be opened. */
export async function readProgramKind(path: string): Promise<ProgramKind> {
  using file = await Deno.open(path);
  const line = await readPiece(file, 0, lineSize);
  if (line[0] === 0x23 && line[1] === 0x21) return script(line);
  return await program(file);
}

function script(seen: Uint8Array): ProgramKind {
  const end = seen.indexOf(0x0a);
  const line = osText(seen.subarray(2, end < 0 ? seen.length : end)).replace(/\0.*$/s, "").replace(
    /^[ \t]+|[ \t]+$/g,
    "",
  );
  const [, interpreter = "", argument = ""] = line.match(/^([^ \t]+)[ \t]*(.*)$/s) ?? [];
  return interpreter === "" ? { kind: "unknown" } : { kind: "script", interpreter, argument };
}

async function program(file: Deno.FsFile): Promise<ProgramKind> {
  const elf = await readElf(file);
  if (elf === null) return { kind: "unknown" };
  let interpreter: string | undefined;
  let go = false;
  for (const { type, offset, size } of elf.segments) {
    if (type !== segmentType.interpreter && type !== segmentType.note) continue;
    const bytes = await readPiece(file, offset, Math.min(size, pieceBytes));
    if (type === segmentType.note) go ||= hasGoNote(bytes);
    else interpreter = new TextDecoder().decode(bytes).replace(/\0.*$/s, "");
  }
  if (interpreter === undefined) return { kind: "static" };
  return { kind: "dynamic", interpreter, machine: elf.machine, go };
}
