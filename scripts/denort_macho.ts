// The runtime that `deno compile` puts into a program of Darwin, out of a compiled one: what that program
// brought is cut off. Called by denort.ts. On arm64 it is a segment `__SUI` before __LINKEDIT; on x86_64 it
// stands behind a mark at the end of __LINKEDIT, with a signature behind it. Pure.

import {
  type Command,
  commands,
  headerBytes,
  readCommands,
  type Segment,
  segmentsOf,
  viewOf,
} from "../core/net/macho.ts";

const encoder = new TextEncoder();
/** What the runtime looks for in itself (libsui); the last one counts. */
const mark = new Uint8Array([...encoder.encode("<~sui-data~>"), 0xef, 0xbe, 0xad, 0xde]);
/** Where commands hold offsets of the file: 32-bit words from the begin of each. */
const offsetFields: Partial<Record<number, number[]>> = {
  [commands.symbols]: [8, 16],
  [commands.dynamicSymbols]: [32, 40, 48, 56, 64, 72],
  [commands.dyldInfo]: [8, 16, 24, 32, 40],
  [commands.dyldInfoOnly]: [8, 16, 24, 32, 40],
  ...Object.fromEntries(
    [
      commands.signature,
      commands.segmentSplit,
      commands.functionStarts,
      commands.codeInfo,
      commands.designatedRequirement,
      commands.linkerHint,
      commands.exportsTrie,
      commands.chainedFixups,
    ].map((command) => [command, [8]]),
  ),
};

/** The runtime within `program`. Throws Error when it holds none that is known. */
export function runtimeOf(program: Uint8Array): Uint8Array<ArrayBuffer> {
  const all = readCommands(program);
  const segments = segmentsOf(program, all);
  const payload = segments.find(({ name }) => name === "__SUI");
  const linkEdit = segments.find(({ name }) => name === "__LINKEDIT");
  if (linkEdit === undefined) throw new Error("the program has no segment __LINKEDIT");
  return payload === undefined
    ? withoutTail(program, all, linkEdit)
    : withoutSegment(program, { all, payload, linkEdit });
}

function withoutSegment(
  program: Uint8Array,
  { all, payload, linkEdit }: { all: readonly Command[]; payload: Segment; linkEdit: Segment },
): Uint8Array<ArrayBuffer> {
  const made = program.slice();
  const view = viewOf(made);
  const end = payload.offset + payload.size;
  const shift = (at: number) => {
    const offset = view.getUint32(at, true);
    if (offset >= end) view.setUint32(at, offset - payload.size, true);
  };
  for (const { command, at } of all) for (const field of offsetFields[command] ?? []) shift(at + field);
  const own = linkEdit.command.at;
  view.setBigUint64(own + 24, BigInt(linkEdit.address - payload.memorySize), true);
  view.setBigUint64(own + 40, BigInt(linkEdit.offset - payload.size), true);
  removeCommand(made, payload.command, all.length);
  return joined(made.subarray(0, payload.offset), made.subarray(end));
}

function withoutTail(
  program: Uint8Array,
  all: readonly Command[],
  linkEdit: Segment,
): Uint8Array<ArrayBuffer> {
  const end = lastIndexOf(program, mark);
  if (end < linkEdit.offset) throw new Error("the program carries nothing behind a mark");
  const made = program.slice(0, end);
  const view = viewOf(made);
  const symbols = all.find(({ command }) => command === commands.symbols);
  if (symbols !== undefined) {
    view.setUint32(symbols.at + 20, end - view.getUint32(symbols.at + 16, true), true);
  }
  const size = end - linkEdit.offset;
  view.setBigUint64(linkEdit.command.at + 32, BigInt(Math.ceil(size / 0x1000) * 0x1000), true);
  view.setBigUint64(linkEdit.command.at + 48, BigInt(size), true);
  const signature = all.find(({ command }) => command === commands.signature);
  if (signature !== undefined) removeCommand(made, signature, all.length);
  return made;
}

function removeCommand(program: Uint8Array, { at, size }: Command, count: number): void {
  const view = viewOf(program);
  const length = view.getUint32(20, true);
  const end = headerBytes + length;
  program.copyWithin(at, at + size, end);
  program.fill(0, end - size, end);
  view.setUint32(16, count - 1, true);
  view.setUint32(20, length - size, true);
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array<ArrayBuffer> {
  const made = new Uint8Array(a.length + b.length);
  made.set(a);
  made.set(b, a.length);
  return made;
}

function lastIndexOf(bytes: Uint8Array, wanted: Uint8Array): number {
  for (
    let at = bytes.lastIndexOf(wanted[0] ?? 0);
    at >= 0;
    at = at === 0 ? -1 : bytes.lastIndexOf(wanted[0] ?? 0, at - 1)
  ) {
    if (wanted.every((byte, index) => bytes[at + index] === byte)) return at;
  }
  return -1;
}
