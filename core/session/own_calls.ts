// Programs that make system calls of their own, by instructions in their code, past the C library and so past
// the layer: Bun opens files this way, Rust's rustix connects this way (smol, async-io). Called by
// processes.ts.
// It finds the instruction for a system call with the number of a call that matters right before it. Go
// programs do not count: the layer sees their own calls (layer/preload/go_linux.c).

import { Buffer } from "node:buffer";
import { executable, hasGoNote, machines, readElf, readPiece, segmentType } from "../net/elf.ts";

/** What a program does past the C library. */
export interface OwnCalls {
  files: boolean;
  sockets: boolean;
}

/** Which call is made at `at` of `code`, by its number; -1: none, or unknown. */
type ReadNumber = (code: Buffer, at: number) => number;

interface Machine {
  instruction: Buffer;
  number: ReadNumber;
  files: ReadonlySet<number>;
  sockets: ReadonlySet<number>;
}

/** Numbers of open, openat and openat2; of connect, bind and sendto (asm/unistd.h). By e_machine (elf(5)). */
const calls: Record<number, Machine> = {
  [machines.x86_64]: {
    instruction: Buffer.from([0x0f, 0x05]),
    number: numberOnX86,
    files: new Set([2, 257, 437]),
    sockets: new Set([42, 44, 49]),
  },
  [machines.aarch64]: {
    instruction: Buffer.from([0x01, 0x00, 0x00, 0xd4]),
    number: numberOnArm,
    files: new Set([56, 437]),
    sockets: new Set([200, 203, 206]),
  },
};

/** Segments that are looked at: a program has some ten. */
const mostSegments = 64;
const chunkBytes = 1 << 20;
/**
 * How far before the instruction its number is looked for; the next chunk begins so much before the end of
 * the last.
 */
const before = 48;
const none: Readonly<OwnCalls> = { files: false, sockets: false };

/** What the executable at `path` does so; nothing of what cannot be read. */
export async function ownCalls(path: string): Promise<OwnCalls> {
  try {
    if (!(await Deno.stat(path)).isFile) return { ...none }; // a pipe's open would wait for its other end
    using file = await Deno.open(path);
    const elf = await readElf(file);
    const machine = elf === null ? undefined : calls[elf.machine];
    if (elf === null || machine === undefined) return { ...none };
    const found = { ...none };
    for (const { type, flags, offset, size } of elf.segments.slice(0, mostSegments)) {
      if (type === segmentType.note && hasGoNote(await readPiece(file, offset, Math.min(size, chunkBytes)))) {
        return { ...none };
      }
      if (type === segmentType.load && (flags & executable) !== 0) {
        await scan(file, offset, size, machine, found);
      }
    }
    return found;
  } catch {
    return { ...none }; // not readable, not ELF, shorter than it says
  }
}

/** Looks through a segment of code, and adds to `found`. */
async function scan(
  file: Deno.FsFile,
  start: number,
  size: number,
  machine: Machine,
  found: OwnCalls,
): Promise<void> {
  for (let offset = 0; offset < size && !(found.files && found.sockets); offset += chunkBytes - before) {
    const code = await read(file, start + offset, Math.min(chunkBytes, size - offset));
    for (
      let at = code.indexOf(machine.instruction);
      at >= 0;
      at = code.indexOf(machine.instruction, at + 1)
    ) {
      const number = machine.number(code, at);
      found.files ||= machine.files.has(number);
      found.sockets ||= machine.sockets.has(number);
    }
  }
}

/**
 * The nearest number that is put into eax before `syscall`: mov eax, N; mov rax, N; push N, pop rax. The same
 * two bytes stand in jumps and constants too, with a zero behind them as a rule, which no instruction after a
 * system call begins with.
 */
function numberOnX86(code: Buffer, at: number): number {
  if (code[at + 2] === 0) return -1;
  for (let i = at - 1; i >= Math.max(2, at - before); i--) {
    const moves = code[i] === 0xb8 || (code[i] === 0xc0 && code[i - 1] === 0xc7);
    if (moves && i + 5 <= at && code.readUInt32LE(i + 1) < 600) return code.readUInt32LE(i + 1);
    if (code[i] === 0x58 && code[i - 2] === 0x6a) return code[i - 1] ?? -1;
  }
  return -1;
}

/** The nearest `mov w8, N` or `mov x8, N` before `svc 0`; instructions are words. */
function numberOnArm(code: Buffer, at: number): number {
  for (let i = at - 4; i >= Math.max(0, at - before); i -= 4) {
    const word = code.readUInt32LE(i);
    if ((word & 0x7fe0001f) === 0x52800008) return (word >>> 5) & 0xffff;
  }
  return -1;
}

/** `size` bytes from `offset`; RangeError when there are fewer. */
async function read(file: Deno.FsFile, offset: number, size: number): Promise<Buffer> {
  const bytes = new Uint8Array(size);
  await file.seek(offset, Deno.SeekMode.Start);
  for (let filled = 0; filled < size;) {
    const count = await file.read(bytes.subarray(filled));
    if (count === null) throw new RangeError("the file ends early");
    filled += count;
  }
  return Buffer.from(bytes.buffer);
}
