// Takes an exported symbol out of a shared object, so that a test can show what is missing without it.
// Nothing else changes: a symbol whose value is 0 in no section is one that the dynamic linker looks for
// elsewhere (elf(5)).

const dynsym = 11;
const symbolBytes = 24;

/** A copy of the shared object at `path` that does not export `name`; rejects if it never did. */
export async function withoutSymbol(path: string, name: string, output: string): Promise<void> {
  const bytes = await Deno.readFile(path);
  const view = new DataView(bytes.buffer);
  const table = sectionOf(view, (type) => type === dynsym);
  const strings = sectionAt(view, table.link);
  for (let at = table.offset; at < table.offset + table.size; at += symbolBytes) {
    if (text(bytes, strings.offset + view.getUint32(at, true)) !== name) continue;
    // st_shndx and st_value of an Elf64_Sym.
    view.setUint16(at + 6, 0, true);
    view.setBigUint64(at + 8, 0n, true);
    return await Deno.writeFile(output, bytes);
  }
  throw new Error(`${path} does not export ${name}`);
}

/** What the shared object at `path` exports. */
export async function exportedNames(path: string): Promise<Set<string>> {
  const bytes = await Deno.readFile(path);
  const view = new DataView(bytes.buffer);
  const table = sectionOf(view, (type) => type === dynsym);
  const strings = sectionAt(view, table.link);
  const names = new Set<string>();
  for (let at = table.offset; at < table.offset + table.size; at += symbolBytes) {
    if (view.getUint16(at + 6, true) === 0) continue; // SHN_UNDEF: it needs this one
    names.add(text(bytes, strings.offset + view.getUint32(at, true)));
  }
  return names;
}

interface Section {
  type: number;
  offset: number;
  size: number;
  link: number;
}

/** An Elf64_Shdr by its number. */
function sectionAt(view: DataView, number: number): Section {
  const at = Number(view.getBigUint64(40, true)) + number * view.getUint16(58, true);
  return {
    type: view.getUint32(at + 4, true),
    offset: Number(view.getBigUint64(at + 24, true)),
    size: Number(view.getBigUint64(at + 32, true)),
    link: view.getUint32(at + 40, true),
  };
}

function sectionOf(view: DataView, fits: (type: number) => boolean): Section {
  for (let number = 0; number < view.getUint16(60, true); number++) {
    const section = sectionAt(view, number);
    if (fits(section.type)) return section;
  }
  throw new Error("no such section");
}

function text(bytes: Uint8Array, at: number): string {
  return new TextDecoder().decode(bytes.subarray(at, bytes.indexOf(0, at)));
}
