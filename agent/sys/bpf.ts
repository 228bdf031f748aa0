// Loads BPF programs and writes their maps with bpf(2) alone: the only file that does. Called by
// steal_program.ts and packet_tap.ts. Everything belongs to descriptors of this process, nothing is pinned:
// however the process ends, the kernel drops program and maps.

import { type ProgramFile, readProgramFile } from "./bpf_file.ts";
import { c, E, lastErrno, SYS_BPF, SystemError } from "./libc.ts";
import { countsMapsAsLocked, lockedMemoryLimit, raiseLockedMemory } from "./locked_memory.ts";

// Commands of bpf(2), <linux/bpf.h>.
const mapCreate = 0, mapLookup = 1, mapUpdate = 2, mapDelete = 3, progLoad = 5, linkCreate = 28;
const attrSize = 128;
const logSize = 65536;
/** BPF_MAP_TYPE_HASH; a long one has its entries made when they come (BPF_F_NO_PREALLOC). */
const hashType = 1, noPreallocation = 1, longMap = 1024;
/**
 * Where maps count as locked memory: what an entry of a long one takes at most (struct htab_elem and struct
 * bucket of the kernel), what the program and its other maps take, and the fewest entries that are of use.
 */
const entryBytes = 112, otherBytes = 48 << 10, fewestEntries = 64;

/** A loaded program and its maps, by their names in its source. */
export class BpfObject {
  readonly #fds: number[] = [];
  readonly #maps = new Map<string, { fd: number; entries: number }>();
  readonly #attachType: number;
  /** The program's descriptor. */
  readonly program: number;

  /** Makes the maps and loads the program of the embedded `NAME.bpf.bin`. Throws BpfError. */
  constructor(name: "steal" | "mirror") {
    try {
      const file = readProgramFile(Deno.readFileSync(new URL(`./${name}.bpf.bin`, import.meta.url)));
      this.#attachType = file.attach;
      // The long ones last: they make do with what is left.
      for (const shape of file.maps.toSorted((a, b) => a.maxEntries - b.maxEntries)) {
        const { fd, entries } = createMapThatFits(shape);
        this.#maps.set(shape.name, { fd: this.#keep(fd), entries });
      }
      this.program = this.#keep(loadProgram(file, file.maps.map(({ name }) => this.#fdOf(name))));
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /**
   * Attaches the program to what `target`, a descriptor, stands for; `close` detaches it. Throws BpfError.
   */
  attach(target: number): void {
    const { bytes, view } = attr();
    [this.program, target, this.#attachType].forEach((value, i) => view.setUint32(i * 4, value, true));
    this.#keep(bpf("BPF_LINK_CREATE", linkCreate, bytes));
  }

  /** How many entries a map has room for: fewer than its source says where memory is short. */
  room(map: string): number {
    return this.#maps.get(map)?.entries ?? 0;
  }

  /** Puts an entry into a map. Throws BpfError. */
  set(map: string, key: Uint8Array<ArrayBuffer>, value: Uint8Array<ArrayBuffer>): void {
    const { bytes, view } = attr();
    view.setUint32(0, this.#fdOf(map), true);
    view.setBigUint64(8, addressOf(key), true);
    view.setBigUint64(16, addressOf(value), true);
    bpf("BPF_MAP_UPDATE_ELEM", mapUpdate, bytes, key, value);
  }

  /** The value of an entry, `size` bytes. Throws BpfError when there is none. */
  get(map: string, key: Uint8Array<ArrayBuffer>, size: number): Uint8Array<ArrayBuffer> {
    const { bytes, view } = attr();
    const value = new Uint8Array(size);
    view.setUint32(0, this.#fdOf(map), true);
    view.setBigUint64(8, addressOf(key), true);
    view.setBigUint64(16, addressOf(value), true);
    bpf("BPF_MAP_LOOKUP_ELEM", mapLookup, bytes, key, value);
    return value;
  }

  /** Takes an entry out of a map, if it is there. */
  remove(map: string, key: Uint8Array<ArrayBuffer>): void {
    const { bytes, view } = attr();
    view.setUint32(0, this.#fdOf(map), true);
    view.setBigUint64(8, addressOf(key), true);
    try {
      bpf("BPF_MAP_DELETE_ELEM", mapDelete, bytes, key);
    } catch (error) {
      if (!(error instanceof BpfError && error.errno === E.ENOENT)) throw error;
    }
  }

  /** Detaches and frees all; may be called twice. */
  close(): void {
    for (const fd of this.#fds.splice(0).reverse()) c.close(fd);
  }

  #keep(fd: number): number {
    this.#fds.push(fd);
    return fd;
  }

  #fdOf(map: string): number {
    return this.#maps.get(map)?.fd ?? -1;
  }
}

/** A refused bpf(2) call; `log` is the verifier's, when it wrote one. */
export class BpfError extends SystemError {
  readonly log: string;

  constructor(call: string, code: number, log = "") {
    super(call, code);
    this.log = log;
  }
}

type Shape = ProgramFile["maps"][number];

/** A map with as many entries as `shape` says or, if it is long, as the limit of locked memory allows. */
function createMapThatFits(shape: Shape): { fd: number; entries: number } {
  try {
    return { fd: createMap(shape), entries: shape.maxEntries };
  } catch (error) {
    if (!(error instanceof BpfError && error.errno === E.EPERM) || !countsMapsAsLocked()) throw error;
    if (raiseLockedMemory()) return createMapThatFits(shape);
    const entries = Math.floor((lockedMemoryLimit() - otherBytes) / entryBytes);
    if (shape.maxEntries <= longMap || entries >= shape.maxEntries || entries < fewestEntries) throw error;
    return { fd: createMap({ ...shape, maxEntries: entries }), entries };
  }
}

function createMap(shape: Shape): number {
  const { bytes, view } = attr();
  [shape.type, shape.keySize, shape.valueSize, shape.maxEntries].forEach((value, i) =>
    view.setUint32(i * 4, value, true)
  );
  if (shape.type === hashType && shape.maxEntries > longMap) view.setUint32(16, noPreallocation, true);
  bytes.set(new TextEncoder().encode(shape.name), 28);
  return bpf("BPF_MAP_CREATE", mapCreate, bytes);
}

function loadProgram(file: ProgramFile, maps: number[]): number {
  const code = file.instructions.slice();
  const codeView = new DataView(code.buffer);
  for (const { map, instruction } of file.relocations) {
    // The source register field marks the constant as a map's descriptor: BPF_PSEUDO_MAP_FD.
    codeView.setUint8(instruction * 8 + 1, (codeView.getUint8(instruction * 8 + 1) & 0x0f) | 0x10);
    codeView.setInt32(instruction * 8 + 4, maps[map] ?? -1, true);
  }
  const licence = new TextEncoder().encode(file.licence + "\0");
  const { bytes, view } = attr();
  view.setUint32(0, file.type, true);
  view.setUint32(4, code.length / 8, true);
  view.setBigUint64(8, addressOf(code), true);
  view.setBigUint64(16, addressOf(licence), true);
  bytes.set(new TextEncoder().encode(file.name), 48);
  view.setUint32(68, file.attach, true);
  try {
    return bpf("BPF_PROG_LOAD", progLoad, bytes, code, licence);
  } catch (error) {
    if (!(error instanceof BpfError) || error.errno === E.EPERM) throw error;
    // Once more, for the verifier's reasons.
    const log = new Uint8Array(logSize);
    view.setUint32(24, 1, true);
    view.setUint32(28, log.length, true);
    view.setBigUint64(32, addressOf(log), true);
    try {
      return bpf("BPF_PROG_LOAD", progLoad, bytes, code, licence, log);
    } catch {
      const text = new TextDecoder().decode(log.subarray(0, log.indexOf(0)));
      throw new BpfError("BPF_PROG_LOAD", error.errno, text.trim());
    }
  }
}

// The attributes hold bare addresses: what they point to must outlive the call.
let pointedTo: Uint8Array[] = [];

function bpf(
  name: string,
  command: number,
  attributes: Uint8Array<ArrayBuffer>,
  ...held: Uint8Array[]
): number {
  pointedTo = held;
  const result = Number(c.syscall(BigInt(SYS_BPF), BigInt(command), attributes, BigInt(attrSize), 0n));
  const code = result < 0 ? lastErrno() : 0;
  pointedTo.length = 0;
  if (code !== 0) throw new BpfError(name, code);
  return result;
}

function attr(): { bytes: Uint8Array<ArrayBuffer>; view: DataView } {
  const bytes = new Uint8Array(attrSize);
  return { bytes, view: new DataView(bytes.buffer) };
}

function addressOf(bytes: Uint8Array<ArrayBuffer>): bigint {
  return BigInt(Deno.UnsafePointer.value(Deno.UnsafePointer.of(bytes)));
}

/** A 32-bit key or value, little-endian as both machines are. */
export function word(value: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(new Uint32Array([value]).buffer);
}

/** As `word`, of 64 bits. */
export function long(value: number | bigint): Uint8Array<ArrayBuffer> {
  return new Uint8Array(new BigUint64Array([BigInt(value)]).buffer);
}
