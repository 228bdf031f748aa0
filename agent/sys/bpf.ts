// Loads and steers the sk_lookup program (agent/bpf/steal.bpf.c) with bpf(2) alone. Called by
// incoming/subscriptions.ts. Everything hangs on descriptors of this process, nothing is pinned: however the
// process ends, the kernel drops the program and the original answers again.

import { addressBytes, type Endpoint } from "../../core/net/address.ts";
import { type ProgramFile, readProgramFile } from "./bpf_file.ts";
import { c, E, errno, SYS_BPF, SystemError } from "./libc.ts";
import type { Listener } from "../../core/net/socket.ts";
import { openOwnNetns } from "./netns.ts";

// Commands of bpf(2), <linux/bpf.h>.
const mapCreate = 0, mapUpdate = 2, mapDelete = 3, progLoad = 5, linkCreate = 28;
const attrSize = 128;
const logSize = 65536;
const zero = word(0);

/** Listeners of this agent, one for each family the network namespace has. */
export interface StealListeners {
  ipv4: Listener;
  ipv6: Listener | null;
}

/** The attached program and its maps. `close` gives every port back. */
export class StealProgram {
  readonly #fds: number[] = [];
  readonly #ports: number;
  readonly #bypasses: number;

  /** Loads the program and attaches it to this thread's network namespace. Throws BpfError. */
  constructor(listeners: StealListeners) {
    try {
      const file = readProgramFile(Deno.readFileSync(new URL("./steal.bpf.bin", import.meta.url)));
      const maps = new Map(file.maps.map((shape) => [shape.name, this.#keep(createMap(shape))]));
      const fdOf = (name: string) => maps.get(name) ?? -1;
      this.#ports = fdOf("ports");
      this.#bypasses = fdOf("bypasses");
      updateMap(fdOf("sockets"), word(0), long(listeners.ipv4.fd));
      if (listeners.ipv6 !== null) updateMap(fdOf("sockets"), word(1), long(listeners.ipv6.fd));
      const program = this.#keep(loadProgram(file, [...maps.values()]));
      const netns = this.#keep(openOwnNetns());
      this.#keep(attach(program, netns, file.attach));
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** From now on new connections for `port` come to the listeners. */
  steal(port: number): void {
    updateMap(this.#ports, word(port), zero);
  }

  /** From now on new connections for `port` go to the original. */
  release(port: number): void {
    deleteFromMap(this.#ports, word(port));
  }

  /** Lets connections from `source`, an address and port of this agent, pass to the original. */
  addBypass(source: Endpoint): void {
    updateMap(this.#bypasses, bypassKey(source), zero);
  }

  /** Ends `addBypass`. */
  removeBypass(source: Endpoint): void {
    deleteFromMap(this.#bypasses, bypassKey(source));
  }

  /** Detaches and frees all; may be called twice. */
  close(): void {
    for (const fd of this.#fds.splice(0).reverse()) c.close(fd);
  }

  #keep(fd: number): number {
    this.#fds.push(fd);
    return fd;
  }
}

/** A refused bpf(2) call; `log` is the verifier's, when it had something to say. */
export class BpfError extends SystemError {
  readonly log: string;

  constructor(call: string, code: number, log = "") {
    super(call, code);
    this.log = log;
  }
}

/** `struct bypass_key` of the program: 16 address bytes, then the port in network order in the low half of a u32. */
export function bypassKey(source: Endpoint): Uint8Array<ArrayBuffer> {
  const key = new Uint8Array(20);
  key.set(addressBytes(source.address));
  new DataView(key.buffer).setUint16(16, source.port);
  return key;
}

function createMap(shape: ProgramFile["maps"][number]): number {
  const { bytes, view } = attr();
  [shape.type, shape.keySize, shape.valueSize, shape.maxEntries].forEach((value, i) =>
    view.setUint32(i * 4, value, true)
  );
  bytes.set(new TextEncoder().encode(shape.name), 28);
  return bpf("BPF_MAP_CREATE", mapCreate, bytes);
}

function updateMap(map: number, key: Uint8Array<ArrayBuffer>, value: Uint8Array<ArrayBuffer>): void {
  const { bytes, view } = attr();
  view.setUint32(0, map, true);
  view.setBigUint64(8, addressOf(key), true);
  view.setBigUint64(16, addressOf(value), true);
  bpf("BPF_MAP_UPDATE_ELEM", mapUpdate, bytes, key, value);
}

function deleteFromMap(map: number, key: Uint8Array<ArrayBuffer>): void {
  const { bytes, view } = attr();
  view.setUint32(0, map, true);
  view.setBigUint64(8, addressOf(key), true);
  try {
    bpf("BPF_MAP_DELETE_ELEM", mapDelete, bytes, key);
  } catch (error) {
    if (!(error instanceof BpfError && error.errno === E.ENOENT)) throw error;
  }
}

function loadProgram(file: ProgramFile, maps: number[]): number {
  const code = file.instructions.slice();
  const codeView = new DataView(code.buffer);
  for (const { map, instruction } of file.relocations) {
    // The source register field says that the constant is a map's descriptor: BPF_PSEUDO_MAP_FD.
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

function attach(program: number, netns: number, attachType: number): number {
  const { bytes, view } = attr();
  [program, netns, attachType].forEach((value, i) => view.setUint32(i * 4, value, true));
  return bpf("BPF_LINK_CREATE", linkCreate, bytes);
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
  const code = result < 0 ? errno() : 0;
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

function word(value: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(new Uint32Array([value]).buffer);
}

function long(value: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(new BigUint64Array([BigInt(value)]).buffer);
}
