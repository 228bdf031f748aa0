// Puts scripts/entry.c before the runtime of a compiled binary: its code, compiled to one section, becomes
// one more piece of the ELF file, and the file starts there. Called by build_binary.ts. Facts: elf(5). What
// `deno compile` appended stays the end of the file, from where the runtime reads it.

import { command, root } from "./step.ts";
import { zig } from "./tools.ts";

const headerBytes = 64;
const rowBytes = 56;
const sectionBytes = 64;
const symbolBytes = 24;
const types = { load: 1, note: 4, sections: { symbols: 2, relocations: 4 } } as const;
const readAndRun = 5;
/** The largest page of either machine. */
const pageBytes = 65536;

/** Code without relocations, and where in it something stands. */
interface Code {
  bytes: Uint8Array;
  entry: number;
  displacement: number;
}

/** Makes the compiled program at `path`, for `machine`, start at scripts/entry.c. */
export async function addEntry(path: string, machine: string): Promise<void> {
  const code = await compileEntry(machine);
  const { mode } = await Deno.stat(path);
  await Deno.writeFile(path, withEntry(await Deno.readFile(path), code), { mode: mode ?? 0o755 });
}

async function compileEntry(machine: string): Promise<Code> {
  const object = `build/entry-${machine}.o`;
  await command([
    await zig(),
    "cc",
    "-target",
    `${machine}-linux-gnu`,
    ...["-std=gnu11", "-Wall", "-Wextra", "-Werror", "-Os", "-g0", "-fPIC", "-ffreestanding", "-fno-builtin"],
    ...[
      "-fno-stack-protector",
      "-fno-sanitize=all",
      "-fno-jump-tables",
      "-fno-asynchronous-unwind-tables",
      "-fno-unwind-tables",
    ],
    ...["-fno-vectorize", "-fno-slp-vectorize", "-c", "-o", object, "scripts/entry.c"],
  ]);
  return readCode(await Deno.readFile(root + object));
}

/** The section .text of an object file, which must need nothing else. */
export function readCode(file: Uint8Array): Code {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const sections = rows(view, Number(view.getBigUint64(40, true)), view.getUint16(60, true), sectionBytes);
  const texts = sections[view.getUint16(62, true)];
  const nameOf = (table: DataView | undefined, at: number): string => {
    const start = (table === undefined ? 0 : Number(table.getBigUint64(24, true))) + at;
    return new TextDecoder().decode(file.subarray(start, file.indexOf(0, start)));
  };
  const sectionName = (section: DataView) => nameOf(texts, section.getUint32(0, true));
  const text = sections.find((section) => sectionName(section) === ".text");
  if (text === undefined) throw new Error("the entry has no code");
  const needy = sections.filter((one) =>
    one.getUint32(4, true) === types.sections.relocations && one.getBigUint64(32, true) > 0n
  );
  if (needy.length > 0) throw new Error(`the entry's code needs ${needy.map(sectionName).join(", ")}`);
  const symbols = sections.find((one) => one.getUint32(4, true) === types.sections.symbols);
  if (symbols === undefined) throw new Error("the entry has no symbols");
  const start = Number(symbols.getBigUint64(24, true));
  const count = Number(symbols.getBigUint64(32, true)) / symbolBytes;
  const places = new Map(
    rows(view, start, count, symbolBytes).map((symbol) => [
      nameOf(sections[symbols.getUint32(40, true)], symbol.getUint32(0, true)),
      Number(symbol.getBigUint64(8, true)),
    ]),
  );
  const [entry, displacement] = ["entry", "displacement"].map((name) => places.get(name));
  if (entry === undefined || displacement === undefined) throw new Error("the entry has not its names");
  const at = Number(text.getBigUint64(24, true));
  return { bytes: file.slice(at, at + Number(text.getBigUint64(32, true))), entry, displacement };
}

/** `file` with `code` where it starts. A note's place in the table of programs is what it costs. */
export function withEntry(file: Uint8Array, code: Code): Uint8Array {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const table = Number(view.getBigUint64(32, true));
  const count = view.getUint16(56, true);
  const all = rows(view, table, count, rowBytes).map((row) =>
    new Uint8Array(row.buffer.slice(row.byteOffset, row.byteOffset + rowBytes))
  );
  const typeOf = (row: Uint8Array) => new DataView(row.buffer).getUint32(0, true);
  const note = all.findLastIndex((row) => typeOf(row) === types.note);
  if (note < 0) throw new Error("the runtime has no note whose place could be had");
  all.splice(note, 1);
  const last = all.findLastIndex((row) => typeOf(row) === types.load);
  const ends = all.filter((row) => typeOf(row) === types.load).map((row) => {
    const loaded = new DataView(row.buffer);
    return Number(loaded.getBigUint64(16, true)) + Number(loaded.getBigUint64(40, true));
  });
  const elfEnd = Number(view.getBigUint64(40, true)) + view.getUint16(58, true) * view.getUint16(60, true);
  const offset = aligned(elfEnd);
  const address = aligned(Math.max(...ends));
  all.splice(last + 1, 0, loadRow(offset, address, code.bytes.length));

  const result = new Uint8Array(offset + code.bytes.length + file.length - elfEnd);
  result.set(file.subarray(0, elfEnd));
  for (const [index, row] of all.entries()) result.set(row, table + index * rowBytes);
  result.set(code.bytes, offset);
  result.set(file.subarray(elfEnd), offset + code.bytes.length);
  const written = new DataView(result.buffer);
  const before = view.getBigUint64(24, true);
  written.setBigUint64(24, BigInt(address + code.entry), true);
  written.setBigInt64(offset + code.displacement, before - BigInt(address + code.entry), true);
  return result;
}

/** Elf64_Phdr of a piece that is read and run. */
function loadRow(offset: number, address: number, size: number): Uint8Array {
  const row = new DataView(new ArrayBuffer(rowBytes));
  row.setUint32(0, types.load, true);
  row.setUint32(4, readAndRun, true);
  for (
    const [at, value] of [[8, offset], [16, address], [24, address], [32, size], [40, size], [48, pageBytes]]
  ) {
    row.setBigUint64(at ?? 0, BigInt(value ?? 0), true);
  }
  return new Uint8Array(row.buffer);
}

function rows(view: DataView, start: number, count: number, size: number): DataView[] {
  if (start < headerBytes) throw new Error("this is no ELF file");
  return Array.from(
    { length: count },
    (_, index) => new DataView(view.buffer, view.byteOffset + start + index * size, size),
  );
}

function aligned(value: number): number {
  return Math.ceil(value / pageBytes) * pageBytes;
}
