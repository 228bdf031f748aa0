// One request of a client on files, performed with the calls of agent/sys: what a file thread (worker.ts) does. Which open
// file is meant was looked up before (agent/files.ts); here it is a descriptor. Throws SystemError for the app's errno.

import { agentMessages, encode, fileChanges, fileMoves } from "../../protocol-wasm/mod.ts";
import * as calls from "../sys/file_calls.ts";
import { F, type Place } from "../sys/file_calls.ts";
import { E, SystemError } from "../sys/libc.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** A path of the client and what it is relative to: a descriptor, or null. */
export interface RelativePath {
  fd: number | null;
  path: Uint8Array;
}

/** What a file thread is asked. */
export type FileCall =
  | {
    call: "open";
    at: RelativePath;
    flags: number;
    mode: number;
    whole: number;
    ahead: number;
    file: number;
  }
  | { call: "close"; fd: number }
  | { call: "stat"; at: RelativePath; flags: number }
  | { call: "access"; at: RelativePath; mode: number; flags: number }
  | { call: "readLink"; at: RelativePath }
  | { call: "statfs"; at: RelativePath }
  | { call: "enter"; at: RelativePath }
  | { call: "list"; fd: number; cursor: bigint }
  | { call: "read"; fd: number; offset: bigint | null; count: number }
  | { call: "write"; fd: number; offset: bigint | null; content: Uint8Array }
  | { call: "seek"; fd: number; offset: bigint; whence: number }
  | { call: "change"; what: number; at: RelativePath; flags: number; numbers: bigint[] }
  | { call: "move"; what: number; from: RelativePath; to: RelativePath; flags: number };

/** The body of the reply; of an open that leaves a file open its descriptor too. */
export interface FileAnswer {
  body: Bytes;
  opened?: { fd: number; isPipe: boolean };
}

/** Bytes of one page of a directory's list. */
const pageSize = 1 << 18;
/** Most content of one frame, with room for what stands around it. */
export const maxContent = (1 << 20) - 64;
/** What is read at a time of a file that does not tell its size. */
const procSize = 16384;

const nothing = new Uint8Array(0);

/** Performs calls in the root that the thread is in; `pid`: what /proc/self means there. */
export class FileOperations {
  readonly #pid: number;

  constructor(pid: number) {
    this.#pid = pid;
  }

  perform(order: FileCall): FileAnswer {
    switch (order.call) {
      case "open":
        return this.#open(order);
      case "close":
        calls.close(order.fd);
        return { body: nothing };
      case "stat": {
        const status = calls.status(this.#place(order.at), order.flags);
        return { body: bytes(encode(agentMessages.statReply, { status })) };
      }
      case "access":
        calls.access(this.#place(order.at), order.mode, order.flags);
        return { body: nothing };
      case "readLink": {
        const target = calls.readLink(this.#place(order.at));
        return { body: bytes(encode(agentMessages.readLinkReply, { target })) };
      }
      case "statfs": {
        const status = calls.fileSystem(this.#place(order.at));
        return { body: bytes(encode(agentMessages.statfsReply, { status })) };
      }
      case "enter": {
        const physical = calls.enter(this.#place(order.at));
        return { body: bytes(encode(agentMessages.enterReply, { physical })) };
      }
      case "list":
        return { body: bytes(encode(agentMessages.listReply, page(order.fd, order.cursor))) };
      case "read":
        return { body: readBody(order.fd, order.offset, order.count) };
      case "write":
        return { body: writeBody(order.fd, order.offset, bytes(order.content)) };
      case "seek": {
        const offset = calls.seek(order.fd, order.offset, order.whence);
        return { body: bytes(encode(agentMessages.seekReply, { offset })) };
      }
      case "change":
        this.#change(order);
        return { body: nothing };
      case "move":
        this.#move(order);
        return { body: nothing };
    }
  }

  /** The place of a path; /proc/self is the target's process, not this thread. */
  #place({ fd, path }: RelativePath): Place {
    const text = path.length < 64 && path[1] === 0x70 ? new TextDecoder().decode(path) : "";
    const own = /^\/proc\/(?:thread-)?self(?=\/|$)/.exec(text);
    const seen = own === null
      ? path
      : new TextEncoder().encode(`/proc/${this.#pid}${text.slice(own[0].length)}`);
    return { fd: fd ?? F.AT_FDCWD, path: calls.cPath(seen) };
  }

  #open(order: Extract<FileCall, { call: "open" }>): FileAnswer {
    const { flags, mode, whole, ahead, file } = order;
    const place = this.#place(order.at);
    const fd = openOrWait(place, flags, mode);
    let kept = false;
    try {
      const status = calls.status({ fd, path: calls.cPath(nothing) }, 0);
      const found = calls.modeAndSize(status);
      const type = found.mode & F.S_IFMT;
      const readable = (flags & F.O_ACCMODE) !== F.O_WRONLY && (flags & F.O_PATH) === 0;
      if (type === F.S_IFREG && readable && whole > 0 && found.size <= whole) {
        const content = readWhole(fd, found.size, whole);
        if (content !== null) {
          return { body: bytes(encode(agentMessages.openReply, { file: 0, end: true, status, content })) };
        }
      }
      const first = type === F.S_IFDIR && readable
        ? page(fd, 0n)
        : type === F.S_IFREG && readable && ahead > 0
        ? { end: false, entries: readSome(fd, Math.min(ahead, maxContent), 0n) }
        : { end: false, entries: nothing };
      const reply = { file, end: first.end, status, content: first.entries };
      kept = true;
      const isPipe = type !== F.S_IFREG && type !== F.S_IFDIR;
      return { body: bytes(encode(agentMessages.openReply, reply)), opened: { fd, isPipe } };
    } finally {
      if (!kept) calls.close(fd);
    }
  }

  #change({ what, at, flags, numbers }: Extract<FileCall, { call: "change" }>): void {
    const place = this.#place(at);
    const [first = 0n, second = 0n, third = 0n] = numbers;
    switch (what) {
      case fileChanges.mkdir:
        return calls.makeDirectory(place, Number(first));
      case fileChanges.remove:
        return calls.remove(place, flags);
      case fileChanges.chmod:
        return calls.changeMode(place, Number(first), flags);
      case fileChanges.chown:
        return calls.changeOwner(place, Number(first), Number(second), flags);
      case fileChanges.utimens:
        return calls.changeTimes(place, numbers, flags);
      case fileChanges.truncate:
        return calls.truncate(place, first);
      case fileChanges.sync:
        return calls.sync(place.fd, first === 1n);
      case fileChanges.allocate:
        return calls.allocate(place.fd, Number(first), second, third);
      case fileChanges.mknod:
        return calls.makeNode(place, Number(first), second);
    }
    throw new SystemError("change", E.EINVAL);
  }

  #move({ what, from, to, flags }: Extract<FileCall, { call: "move" }>): void {
    const target = this.#place(to);
    if (what === fileMoves.symlink) return calls.symlink(calls.cPath(from.path), target);
    if (what === fileMoves.rename) return calls.rename(this.#place(from), target, flags);
    if (what === fileMoves.link) return calls.link(this.#place(from), target, flags);
    throw new SystemError("move", E.EINVAL);
  }
}

/** EAGAIN instead of ENXIO for a pipe that nobody reads yet: whoever opens it for writing waits (fifo(7)). */
function openOrWait(place: Place, flags: number, mode: number): number {
  try {
    return calls.open(place, flags, mode);
  } catch (error) {
    const waits = (flags & F.O_NONBLOCK) === 0;
    if (!waits || !(error instanceof SystemError) || error.errno !== E.ENXIO) throw error;
    const { mode: found } = calls.modeAndSize(calls.status(place, 0));
    throw (found & F.S_IFMT) === F.S_IFIFO ? new SystemError("openat", E.EAGAIN) : error;
  }
}

/** The content up to its end; null when it is longer than `most`. Files of procfs say that they have no size. */
function readWhole(fd: number, size: number, most: number): Bytes | null {
  let into = new Uint8Array(size === 0 ? Math.min(procSize, most + 1) : size + 1);
  for (let length = 0;;) {
    const count = calls.read(fd, into.subarray(length), BigInt(length));
    length += count;
    if (length > most) return null;
    if (count === 0) return into.subarray(0, length);
    if (length < into.length) continue;
    const longer = new Uint8Array(Math.min(into.length * 2, most + 1));
    longer.set(into);
    into = longer;
  }
}

/** `count` bytes from `offset`, fewer at the end only; of what has no positions, what is there. */
function readSome(fd: number, count: number, offset: bigint | null): Bytes {
  const into = new Uint8Array(count);
  return into.subarray(0, fill(fd, into, offset));
}

function fill(fd: number, into: Bytes, offset: bigint | null): number {
  if (offset === null) return calls.read(fd, into, null);
  for (let length = 0;;) {
    const count = calls.read(fd, into.subarray(length), offset + BigInt(length));
    length += count;
    if (count === 0 || length === into.length) return length;
  }
}

/** The body of a readReply, read in place. */
function readBody(fd: number, offset: bigint | null, count: number): Bytes {
  const body = new Uint8Array(4 + Math.min(count, maxContent));
  const length = count === 0 ? 0 : fill(fd, body.subarray(4), offset);
  new DataView(body.buffer).setUint32(0, length, true);
  return length === body.length - 4 ? body : body.slice(0, 4 + length);
}

function writeBody(fd: number, offset: bigint | null, content: Bytes): Bytes {
  const count = calls.write(fd, content, offset);
  const isAtEnd = offset === null;
  // What has no positions has none to tell (lseek(2): ESPIPE).
  const after = isAtEnd ? positionOf(fd) : offset + BigInt(count);
  return bytes(encode(agentMessages.writeReply, { count, offset: after }));
}

function positionOf(fd: number): bigint {
  try {
    return calls.seek(fd, 0n, F.SEEK_CUR);
  } catch {
    return 0n;
  }
}

function page(fd: number, cursor: bigint): { end: boolean; entries: Bytes } {
  const into = new Uint8Array(pageSize);
  const { length, end } = calls.list(fd, cursor, into);
  return { end, entries: into.subarray(0, length) };
}

/** Every array here has a buffer of its own kind: messages between threads are copied, never shared. */
function bytes(array: Uint8Array): Bytes {
  return array as Bytes;
}
