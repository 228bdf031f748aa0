// Executable files of Darwin as far as mirrord reads them: fat files, load commands and code signatures
// (<mach-o/fat.h>, <mach-o/loader.h>, xnu's osfmk/kern/cs_blobs.h). Pure. Called by core/launch/darwin, which
// judges and copies programs, by scripts/denort_macho.ts and by tests. What a file places beyond its end
// counts as absent.

/** cputype of 64-bit machines, by the runtime's name of the machine. */
export const cpuTypes = { x86_64: 0x01000007, aarch64: 0x0100000c } as const;
/** cpusubtype of arm64e: pointer authentication, an interface that Apple keeps for itself. */
export const arm64e = 2;
/** LC_… */
export const commands = {
  symbols: 0x2,
  dynamicSymbols: 0xb,
  loadDylib: 0xc,
  segment: 0x19,
  signature: 0x1d,
  segmentSplit: 0x1e,
  reexport: 0x8000001f,
  lazyLoad: 0x20,
  dyldInfo: 0x22,
  dyldInfoOnly: 0x80000022,
  upwardLoad: 0x80000023,
  functionStarts: 0x26,
  codeInfo: 0x29,
  designatedRequirement: 0x2b,
  linkerHint: 0x2e,
  exportsTrie: 0x80000033,
  chainedFixups: 0x80000034,
  weakLoad: 0x80000018,
  runPath: 0x8000001c,
} as const;
/** Flags of a code directory (cs_blobs.h). */
export const codeFlags = { adHoc: 0x2, restrict: 0x800, runtime: 0x10000 } as const;

const magic64 = 0xfeedfacf;
const fatMagic = 0xcafebabe;
const fatMagic64 = 0xcafebabf;
/** Java's class files begin like fat files; they have a version where those have a small count. */
const mostSlices = 32;
const signatureMagic = 0xfade0cc0;
const directoryMagic = 0xfade0c02;
const entitlementsMagic = 0xfade7171;
export const headerBytes = 32;

/** One machine's program within a file. */
export interface Slice {
  cpuType: number;
  /** Without the capability bits. */
  cpuSubtype: number;
  offset: number;
  size: number;
}

export interface Command {
  command: number;
  /** Where it stands, from the begin of the program. */
  at: number;
  size: number;
}

export interface Segment {
  name: string;
  command: Command;
  address: number;
  memorySize: number;
  offset: number;
  size: number;
  sections: { name: string; offset: number }[];
}

/** A code signature as far as it is read. */
export interface Signature {
  flags: number;
  identifier: string;
  /** The property list, as text; "" without one. */
  entitlements: string;
}

/** The programs in `bytes`, one for each machine; empty when it is no 64-bit Mach-O file. */
export function readSlices(bytes: Uint8Array): Slice[] {
  const view = viewOf(bytes);
  if (bytes.length < headerBytes) return [];
  const magic = view.getUint32(0);
  if (magic === fatMagic || magic === fatMagic64) return fatSlices(view, magic === fatMagic64);
  if (view.getUint32(0, true) !== magic64) return [];
  return [{ ...machineOf(view, true), offset: 0, size: bytes.length }];
}

function fatSlices(view: DataView, wide: boolean): Slice[] {
  const count = view.getUint32(4);
  if (count > mostSlices) return [];
  const found: Slice[] = [];
  for (let at = 8, number = 0; number < count; number++, at += wide ? 32 : 20) {
    if (at + (wide ? 32 : 20) > view.byteLength) return [];
    const offset = wide ? Number(view.getBigUint64(at + 8)) : view.getUint32(at + 8);
    const size = wide ? Number(view.getBigUint64(at + 16)) : view.getUint32(at + 12);
    const isWhole = offset + size <= view.byteLength && size >= headerBytes;
    if (isWhole && view.getUint32(offset, true) === magic64) {
      found.push({
        cpuType: view.getUint32(at),
        cpuSubtype: view.getUint32(at + 4) & 0xffffff,
        offset,
        size,
      });
    }
  }
  return found;
}

function machineOf(view: DataView, little: boolean): { cpuType: number; cpuSubtype: number } {
  return { cpuType: view.getUint32(4, little), cpuSubtype: view.getUint32(8, little) & 0xffffff };
}

/** The load commands of a program. Throws RangeError when they are broken. */
export function readCommands(program: Uint8Array): Command[] {
  const view = viewOf(program);
  const count = view.getUint32(16, true);
  const end = headerBytes + view.getUint32(20, true);
  if (end > program.length) throw new RangeError("the load commands are longer than the file");
  const found: Command[] = [];
  for (let at = headerBytes; found.length < count;) {
    if (at + 8 > end) throw new RangeError("there are fewer load commands than counted");
    const size = view.getUint32(at + 4, true);
    if (size < 8 || at + size > end) throw new RangeError("a load command is longer than all");
    found.push({ command: view.getUint32(at, true), at, size });
    at += size;
  }
  return found;
}

/** The segments among `all`, the load commands of `program`. */
export function segmentsOf(program: Uint8Array, all: readonly Command[]): Segment[] {
  const view = viewOf(program);
  const number = (at: number) => Number(view.getBigUint64(at, true));
  return all.filter(({ command }) => command === commands.segment).map((command) => {
    const { at, size } = command;
    if (size < 72) throw new RangeError("a segment's command is too short");
    const count = Math.min(view.getUint32(at + 64, true), Math.floor((size - 72) / 80));
    const sections = Array.from({ length: count }, (_, index) => {
      const start = at + 72 + 80 * index;
      return { name: fixedText(program, start, 16), offset: view.getUint32(start + 48, true) };
    });
    return {
      name: fixedText(program, at + 8, 16),
      command,
      address: number(at + 24),
      memorySize: number(at + 32),
      offset: number(at + 40),
      size: number(at + 48),
      sections,
    };
  });
}

/** The string of a command that holds one offset of one at byte 8 (LC_LOAD_DYLIB, LC_RPATH, …). */
export function commandText(program: Uint8Array, { at, size }: Command): string {
  const start = viewOf(program).getUint32(at + 8, true);
  return start >= size ? "" : fixedText(program, at + start, size - start);
}

/** The signature of a program; null without one, or when it is broken. */
export function readSignature(program: Uint8Array): Signature | null {
  const place = readCommands(program).find(({ command }) => command === commands.signature);
  if (place === undefined) return null;
  const whole = viewOf(program);
  const offset = whole.getUint32(place.at + 8, true);
  const size = whole.getUint32(place.at + 12, true);
  if (offset + size > program.length || size < 12) return null;
  const bytes = program.subarray(offset, offset + size);
  const view = viewOf(bytes);
  if (view.getUint32(0) !== signatureMagic) return null;
  let found: Signature | null = null;
  let entitlements = "";
  const count = Math.min(view.getUint32(8), Math.floor((size - 12) / 8));
  for (let index = 0; index < count; index++) {
    const at = view.getUint32(12 + 8 * index + 4);
    if (at + 44 > size && at + 8 > size) continue;
    const magic = view.getUint32(at);
    const length = view.getUint32(at + 4);
    if (at + length > size) continue;
    if (magic === entitlementsMagic) {
      entitlements = new TextDecoder().decode(bytes.subarray(at + 8, at + length));
    }
    if (magic === directoryMagic && length >= 44 && found === null) {
      const name = at + view.getUint32(at + 20);
      const identifier = name < at + length ? fixedText(bytes, name, at + length - name) : "";
      found = { flags: view.getUint32(at + 12), identifier, entitlements: "" };
    }
  }
  return found === null ? null : { ...found, entitlements };
}

/** Text in a field of `size` bytes, which a zero may end. */
export function fixedText(bytes: Uint8Array, at: number, size: number): string {
  const field = bytes.subarray(at, at + size);
  const end = field.indexOf(0);
  return new TextDecoder().decode(end < 0 ? field : field.subarray(0, end));
}

/** A view of just these bytes. */
export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
