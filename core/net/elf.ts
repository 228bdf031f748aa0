// Executable files as far as mirrord reads them: the ELF header and the program headers (elf(5)), of 64-bit
// little-endian machines. Called by core/launch/elf.ts, which judges whether the layer gets into a program,
// and core/session/own_calls.ts, which looks through its code. The layer has its own reader
// (layer/sys/program_linux.c): tests/layer/obstacles_test.ts compares them.

/** e_machine, by the runtime's name of the machine. */
export const machines = { x86_64: 62, aarch64: 183 } as const;
/** p_type of the segments that are read. */
export const segmentType = { load: 1, interpreter: 3, note: 4 } as const;
/** Of p_flags. */
export const executable = 1;

/** What of an Elf64_Phdr is used: where the segment lies in the file. */
export interface Segment {
  type: number;
  flags: number;
  offset: number;
  size: number;
}

export interface ElfFile {
  machine: number;
  segments: Segment[];
}

const headerBytes = 64;
/** Size of an Elf64_Phdr. */
const segmentBytes = 56;

/**
 * The headers of `file`; null when it is no 64-bit ELF file. What its table places beyond the file's end is
 * zero.
 */
export async function readElf(file: Deno.FsFile): Promise<ElfFile | null> {
  const bytes = await readPiece(file, 0, headerBytes);
  const header = new DataView(bytes.buffer);
  if (header.getUint32(0) !== 0x7f454c46 || header.getUint8(4) !== 2) return null;
  // e_phentsize at 54, e_phoff at 32, e_phnum at 56, e_machine at 18.
  if (header.getUint16(54, true) !== segmentBytes) return null;
  const size = segmentBytes * header.getUint16(56, true);
  const table = await readPiece(file, Number(header.getBigUint64(32, true)), size);
  const rows = new DataView(table.buffer);
  const segments: Segment[] = [];
  for (let at = 0; at < size; at += segmentBytes) {
    segments.push({
      type: rows.getUint32(at, true),
      flags: rows.getUint32(at + 4, true),
      offset: Number(rows.getBigUint64(at + 8, true)),
      size: Number(rows.getBigUint64(at + 32, true)),
    });
  }
  return { machine: header.getUint16(18, true), segments };
}

/**
 * Elf64_Nhdr: sizes of name and content, type; then both, each to a multiple of four. Go's linker calls its
 * own "Go".
 */
export function hasGoNote(bytes: Uint8Array): boolean {
  const notes = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const even = (size: number): number => (size + 3) & ~3;
  for (let at = 0; at + 16 <= notes.byteLength;) {
    const name = notes.getUint32(at, true);
    if (name === 4 && notes.getUint32(at + 12, true) === 0x00006f47) return true;
    at += 12 + even(name) + even(notes.getUint32(at + 4, true));
  }
  return false;
}

/** `size` bytes from `offset`; those beyond the file's end are zero. */
export async function readPiece(
  file: Deno.FsFile,
  offset: number,
  size: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const into = new Uint8Array(size);
  await file.seek(offset, Deno.SeekMode.Start);
  for (let filled = 0; filled < size;) {
    const count = await file.read(into.subarray(filled));
    if (count === null) break;
    filled += count;
  }
  return into;
}
