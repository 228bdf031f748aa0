// The variables of a process that has written over its own: nginx, redis and PostgreSQL put their title where
// the kernel put the environment, which /proc/PID/environ then shows, and keep the variables elsewhere.
// Called by proc.ts. They are found as the process itself finds them: through the C library's `environ`, or
// the array the kernel passed. Facts: elf(5), environ(7), proc_pid_stat(5). Whatever cannot be read or parsed
// is null, never an error.

import { ProcessMemory } from "./process_memory.ts";

/**
 * More than the kernel lets a process begin with (execve(2), "Limits on size of arguments and environment").
 */
const maxVariables = 1 << 16;
const maxBytes = 4 << 20;
const maxString = 128 << 10;
const programHeaderSize = 56;
const symbolSize = 24;
const [loadSegment, dynamicSegment] = [1, 2];
const [symbolTable, stringTable, gnuHash] = [6n, 5n, 0x6ffffef5n];
/** Its names in glibc and musl; a program that was linked to use it may hold it itself. */
const variable = ["environ", "__environ"];

/** False for what a title was written over: pieces that are no NAME=value, or none where some should be. */
export function isIntact(pairs: Uint8Array): boolean {
  const text = new TextDecoder("latin1").decode(pairs);
  return text === "" || text.replace(/\0$/, "").split("\0").every((pair) => pair.includes("="));
}

/**
 * What /proc/PID/environ would show, for an agent that cannot open that file; null when it cannot be read
 * (fields 50 and 51).
 */
export function readEnvironmentBlock(pid: number): Uint8Array | null {
  try {
    const [start, end] = [statField(pid, 50), statField(pid, 51)];
    if (start === 0n || end < start || end - start > BigInt(maxBytes)) return null;
    return end === start
      ? new Uint8Array()
      : new Uint8Array(new ProcessMemory(pid).read(start, Number(end - start)).buffer);
  } catch {
    return null;
  }
}

/**
 * `NAME=value` pairs out of the memory of process `pid`, each ended by a zero byte; null when they cannot be
 * found.
 */
export function readMovedEnvironment(pid: number): Uint8Array | null {
  try {
    const memory = new ProcessMemory(pid);
    const arrays = [...environPointers(memory, pid), initialArray(memory, pid)];
    for (const at of arrays) {
      const pairs = at === null ? null : readPairs(memory, at);
      if (pairs !== null) return pairs;
    }
  } catch {
    // It ended meanwhile, or is of another word size.
  }
  return null;
}

/** What `environ` points to: in the program itself, then in its C library. */
function* environPointers(memory: ProcessMemory, pid: number): Iterable<bigint | null> {
  const program = Deno.readLinkSync(`/proc/${pid}/exe`);
  const maps = Deno.readTextFileSync(`/proc/${pid}/maps`).split("\n").flatMap((line) => {
    const [, start = "", path = ""] = /^([0-9a-f]+)-\S+ \S+ 0+ \S+ \S+ +(\/.*)$/.exec(line) ?? [];
    return path === "" ? [] : [{ start: BigInt(`0x${start}`), path }];
  });
  const libraries = maps.filter(({ path }) => /\/(libc[.-]|ld-musl)[^/]*$/.test(path));
  for (const { start } of [...maps.filter(({ path }) => path === program), ...libraries]) {
    for (const name of variable) {
      const at = attempt(() => findSymbol(memory, start, name));
      if (at !== null) yield attempt(() => memory.pointer(at));
    }
  }
}

function attempt<T>(read: () => T): T | null {
  try {
    return read();
  } catch {
    return null;
  }
}

/** The address of symbol `name` of the ELF object mapped at `start`. */
function findSymbol(memory: ProcessMemory, start: bigint, name: string): bigint | null {
  const header = memory.read(start, 64);
  if (header.getUint32(0, false) !== 0x7f454c46 || header.getUint8(4) !== 2) return null;
  const count = header.getUint16(56, true);
  const headers = memory.read(start + header.getBigUint64(32, true), count * programHeaderSize);
  const segments = Array.from({ length: count }, (_, index) => {
    const at = index * programHeaderSize;
    return {
      type: headers.getUint32(at, true),
      address: headers.getBigUint64(at + 16, true),
      size: Number(headers.getBigUint64(at + 40, true)),
    };
  });
  const first = segments.find(({ type }) => type === loadSegment);
  const dynamic = segments.find(({ type }) => type === dynamicSegment);
  if (first === undefined || dynamic === undefined) return null;
  const bias = start - (first.address & ~4095n);
  const entries = memory.read(bias + dynamic.address, Math.min(dynamic.size, 4096));
  const tables = new Map<bigint, bigint>();
  for (let at = 0; at + 16 <= entries.byteLength; at += 16) {
    const value = entries.getBigUint64(at + 8, true);
    // glibc's dynamic linker has added the bias already, musl's has not.
    tables.set(entries.getBigUint64(at, true), value < bias ? value + bias : value);
  }
  const [symbols, strings, hash] = [symbolTable, stringTable, gnuHash].map((tag) => tables.get(tag));
  if (symbols === undefined || strings === undefined || hash === undefined) return null;
  const index = lookUp(memory, hash, name, (candidate) => {
    const nameAt = memory.read(symbols + BigInt(candidate * symbolSize), 4).getUint32(0, true);
    return new TextDecoder().decode(memory.string(strings + BigInt(nameAt), maxString)) === name;
  });
  if (index === null) return null;
  const symbol = memory.read(symbols + BigInt(index * symbolSize), symbolSize);
  const value = symbol.getBigUint64(8, true);
  return symbol.getUint16(6, true) === 0 || value === 0n ? null : bias + value; // section 0: defined elsewhere
}

/**
 * The symbol's index by the table DT_GNU_HASH: buckets of first indexes, chains of hashes whose last has bit
 * 0 set.
 */
function lookUp(
  memory: ProcessMemory,
  table: bigint,
  name: string,
  matches: (index: number) => boolean,
): number | null {
  const head = memory.read(table, 16);
  const [buckets = 0, first = 0, bloom = 0] = [0, 4, 8].map((at) => head.getUint32(at, true));
  let hash = 5381;
  for (const character of name) hash = (Math.imul(hash, 33) + character.charCodeAt(0)) >>> 0;
  const bucketsAt = table + 16n + BigInt(bloom * 8);
  let index = memory.read(bucketsAt + BigInt(hash % buckets * 4), 4).getUint32(0, true);
  if (index < first) return null;
  for (let steps = 0; steps < maxVariables; steps++, index++) {
    const chained = memory.read(bucketsAt + BigInt((buckets + index - first) * 4), 4).getUint32(0, true);
    if ((chained | 1) >>> 0 === (hash | 1) >>> 0 && matches(index)) return index;
    if ((chained & 1) === 1) return null;
  }
  return null;
}

/**
 * The array that the kernel passed: after argc, the arguments and a zero, at the bottom of the first stack
 * (field 28).
 */
function initialArray(memory: ProcessMemory, pid: number): bigint | null {
  const at = statField(pid, 28);
  if (at === 0n) return null;
  const argc = memory.pointer(at);
  return argc > BigInt(maxVariables) ? null : at + 8n * (argc + 2n);
}

/**
 * A number of /proc/PID/stat, which every user may open; addresses are 0 for a reader without the right to
 * inspect the process.
 */
function statField(pid: number, field: number): bigint {
  const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
  return BigInt(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[field - 3] ?? 0);
}

/** The strings that the array at `at` points to, if they look like variables. */
function readPairs(memory: ProcessMemory, at: bigint): Uint8Array | null {
  const parts: Uint8Array[] = [];
  let size = 0;
  for (let index = 0; index < maxVariables && size < maxBytes; index++) {
    const pointer = attempt(() => memory.pointer(at + BigInt(index * 8)));
    if (pointer === null) return null;
    if (pointer === 0n) break;
    const pair = attempt(() => memory.string(pointer, maxString));
    if (pair === null || !pair.includes(0x3d)) return null;
    parts.push(pair, Uint8Array.of(0));
    size += pair.length + 1;
  }
  if (parts.length === 0) return null;
  const pairs = new Uint8Array(size);
  let offset = 0;
  for (const part of parts) {
    pairs.set(part, offset);
    offset += part.length;
  }
  return pairs;
}
