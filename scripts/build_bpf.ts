// The build step of the BPF programs: agent/bpf/NAME.bpf.c → agent/sys/NAME.bpf.bin. Called by build.ts.
// The compiler's ELF file is read here, once, so that the agent needs no libbpf: what it loads is a small
// file of our own (layout: see `packProgram`; its reader is agent/sys/bpf_file.ts).

import { command, root, runStep } from "./step.ts";

/** The programs with the numbers <linux/bpf.h> gives their type and attach type. */
const programs = [
  { name: "steal", section: { name: "sk_lookup", type: 30, attach: 36 } }, // BPF_PROG_TYPE_SK_LOOKUP, BPF_SK_LOOKUP
  { name: "mirror", section: { name: "socket", type: 1, attach: 0 } }, // BPF_PROG_TYPE_SOCKET_FILTER
];

function outputOf(name: string): string {
  return `agent/sys/${name}.bpf.bin`;
}

/** Compiles the programs with clang and writes the files the agent embeds. */
export async function buildBpf(): Promise<void> {
  await runStep({
    name: "bpf",
    inputs: ["agent/bpf", "scripts/build_bpf.ts"],
    outputs: programs.map(({ name }) => outputOf(name)),
    run: async () => {
      for (const { name, section } of programs) await compile(name, section);
    },
  });
}

async function compile(name: string, section: ProgramSection): Promise<void> {
  const object = await Deno.makeTempFile({ suffix: ".o" });
  try {
    await command([
      "clang",
      "-target",
      "bpf",
      "-O2",
      "-g0",
      "-Wall",
      "-Wextra",
      "-Werror",
      `-I/usr/include/${Deno.build.arch}-linux-gnu`,
      "-c",
      `agent/bpf/${name}.bpf.c`,
      "-o",
      object,
    ]);
    Deno.writeFileSync(root + outputOf(name), packProgram(Deno.readFileSync(object), section));
  } finally {
    await Deno.remove(object);
  }
}

/** Which section holds the program, and the numbers <linux/bpf.h> gives its type and attach type. */
export interface ProgramSection {
  name: string;
  type: number;
  attach: number;
}

/**
 * ELF → our file, all little-endian u32 unless said otherwise: "MBPF", version 1, counts of maps, relocations
 * and instructions, program type, attach type, 16 bytes program name, 16 bytes licence; for each map: type,
 * key size, value size, max entries, 16 bytes name; for each relocation: map index, instruction index; then
 * the instructions, 8 bytes each. Throws on anything the agent could not load.
 */
export function packProgram(elf: Uint8Array<ArrayBuffer>, section: ProgramSection): Uint8Array<ArrayBuffer> {
  const object = readElf(elf);
  const code = object.section(section.name);
  const maps = object.symbols.filter((symbol) => symbol.section === object.index("maps"))
    .sort((a, b) => a.value - b.value);
  const entry = object.symbols.find((symbol) =>
    symbol.section === object.index(section.name) && symbol.type === 2
  );
  if (entry === undefined) throw new Error(`Cannot pack the BPF program: no function in "${section.name}"`);
  const relocations = object.relocations(`.rel${section.name}`).map(({ offset, symbol }) => {
    const map = maps.findIndex((each) => each.name === symbol.name);
    if (map < 0) throw new Error(`Cannot pack the BPF program: "${symbol.name}" is not a map`);
    return [map, offset / 8] as const;
  });

  const words = (values: readonly number[]) => new Uint8Array(new Uint32Array(values).buffer);
  const parts = [
    new TextEncoder().encode("MBPF"),
    words([1, maps.length, relocations.length, code.length / 8, section.type, section.attach]),
    fixed(entry.name),
    fixed(cString(object.section("license"), 0)),
  ];
  for (const map of maps) {
    parts.push(object.section("maps").slice(map.value, map.value + 16), fixed(map.name));
  }
  for (const relocation of relocations) parts.push(words(relocation));
  parts.push(code);
  return new Uint8Array(parts.flatMap((part) => [...part]));
}

interface ElfSymbol {
  name: string;
  section: number;
  value: number;
  type: number;
}

/** The few things of a 64-bit little-endian ELF object this step needs (elf(5)). */
function readElf(bytes: Uint8Array<ArrayBuffer>) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const tableOffset = Number(view.getBigUint64(0x28, true));
  const headers = Array.from({ length: view.getUint16(0x3c, true) }, (_, i) => {
    const at = tableOffset + i * 64;
    const offset = Number(view.getBigUint64(at + 24, true));
    const size = Number(view.getBigUint64(at + 32, true));
    return { nameAt: view.getUint32(at, true), content: bytes.slice(offset, offset + size) };
  });
  const names = headers[view.getUint16(0x3e, true)]?.content ?? new Uint8Array();
  const index = (name: string) => headers.findIndex((header) => cString(names, header.nameAt) === name);
  const section = (name: string) => {
    const found = headers[index(name)];
    if (found === undefined) throw new Error(`Cannot pack the BPF program: no section "${name}"`);
    return found.content;
  };
  const symbolNames = section(".strtab");
  const symbols = entries(section(".symtab"), 24).map((entry): ElfSymbol => ({
    name: cString(symbolNames, entry.getUint32(0, true)),
    type: entry.getUint8(4) & 15,
    section: entry.getUint16(6, true),
    value: Number(entry.getBigUint64(8, true)),
  }));
  const relocations = (name: string) =>
    (index(name) < 0 ? [] : entries(section(name), 16)).map((entry) => {
      const symbol = symbols[entry.getUint32(12, true)];
      const isMapReference = entry.getUint32(8, true) === 1; // R_BPF_64_64
      if (symbol === undefined || !isMapReference) {
        throw new Error("Cannot pack the BPF program: odd relocation");
      }
      return { offset: Number(entry.getBigUint64(0, true)), symbol };
    });
  return { index, section, symbols, relocations };
}

function entries(content: Uint8Array<ArrayBuffer>, size: number): DataView[] {
  return Array.from(
    { length: content.length / size },
    (_, i) => new DataView(content.buffer, i * size, size),
  );
}

function cString(bytes: Uint8Array, at: number): string {
  return new TextDecoder().decode(bytes.subarray(at, bytes.indexOf(0, at)));
}

/** 16 bytes, zero-terminated: the size of a BPF object's name in the kernel. */
function fixed(text: string): Uint8Array {
  const bytes = new Uint8Array(16);
  const { read } = new TextEncoder().encodeInto(text, bytes.subarray(0, 15));
  if (read !== text.length) {
    throw new Error(`Cannot pack the BPF program: the name "${text}" is over 15 bytes`);
  }
  return bytes;
}

if (import.meta.main) await buildBpf();
