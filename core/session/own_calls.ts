// Programs that open files by system calls of their own, past the C library and so past the layer. Called by processes.ts.
// Known so far: Bun (seen with 1.3: its file calls are inlined, its sockets and names go through libc), also as `bun build
// --compile` copies it.

const headerBytes = 64;
const sectionBytes = 64;
/** Most bytes of a table that are read: a program has some dozens of sections. */
const tableBytes = 1 << 16;
/** In this section Bun keeps the program that was compiled into it. */
const marks = [".bun"];

/** Whether the executable at `path` does so; false of what cannot be read. elf(5): Elf64_Ehdr and Elf64_Shdr, little-endian. */
export function opensFilesItself(path: string): boolean {
  try {
    using file = Deno.openSync(path);
    const header = view(file, 0, headerBytes);
    if (header.getUint32(0) !== 0x7f454c46 || header.getUint16(58, true) !== sectionBytes) return false;
    const sections = view(file, header.getBigUint64(40, true), header.getUint16(60, true) * sectionBytes);
    const names = header.getUint16(62, true) * sectionBytes;
    const size = Number(sections.getBigUint64(names + 32, true));
    const text = new TextDecoder("latin1").decode(view(file, sections.getBigUint64(names + 24, true), size));
    return marks.some((mark) => text.includes(`\0${mark}\0`));
  } catch {
    return false; // not readable, not ELF, no sections
  }
}

/** `size` bytes from `offset`; RangeError when there are fewer. */
function view(file: Deno.FsFile, offset: number | bigint, size: number): DataView {
  const bytes = new Uint8Array(Math.min(size, tableBytes));
  file.seekSync(offset, Deno.SeekMode.Start);
  for (let filled = 0; filled < bytes.length;) {
    const count = file.readSync(bytes.subarray(filled));
    if (count === null) throw new RangeError("the file ends early");
    filled += count;
  }
  return new DataView(bytes.buffer);
}
