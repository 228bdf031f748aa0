// A file thread: a worker that has the rights of the target's process over files, and answers one request of
// a client after another with the calls of agent/sys. Made by threads.ts; nothing else imports more than its
// types. Calls may block for long (a slow disk, a network file system): no other work runs on this thread.
// The first message names the target's process and is answered with the descriptor of its root; then come
// requests, in which an open file is a descriptor (agent/files.ts looked it up). Each is answered by its
// number; bodies are handed over, not copied. A SystemError is the app's errno.

/// <reference lib="deno.worker" />
import {
  agentMessages,
  type Body,
  encode,
  fileChanges,
  type FileKind,
  fileMoves,
  filePage,
  ownPosition,
} from "../../protocol-wasm/mod.ts";
import * as calls from "../sys/file_calls.ts";
import { F } from "../sys/file_calls.ts";
import { AT_STATX_SYNC_TYPE, modeAndSize } from "../sys/file_status.ts";
import { E, SystemError } from "../sys/libc.ts";
import type { Path } from "../sys/path_bytes.ts";
import { type Spot, TargetRoot } from "../sys/target_root.ts";
import { becomeProcess, innerPid } from "../sys/thread_rights.ts";
import { scan } from "./scan.ts";

type Bytes = Uint8Array<ArrayBuffer>;

type Messages = typeof agentMessages;
/** A request with descriptors for the numbers of open files; a directory that is not one is null. */
type Described<K extends keyof Messages> = {
  [F in keyof Body<Messages[K]>]: F extends "dir" | "fromDir" | "toDir" ? number | null
    : Body<Messages[K]>[F];
};
type Call<K extends keyof Messages> = { call: K } & Described<K>;

/** What a file thread is asked. `open`: `file` is the number that the file will have. */
export type FileCall =
  | { [K in FileKind | "close" | "scan"]: Call<K> }[FileKind | "close" | "scan"]
  | (Call<"open"> & { file: number });

/** A path of the client and the open directory that it starts from. */
type At = Pick<Call<"stat">, "dir" | "path">;

/** The body of the reply; of an open that leaves a file open its descriptor too. */
export interface FileAnswer {
  body: Bytes;
  opened?: { fd: number; isPipe: boolean };
}

/** To the thread: become `pid`, once, or do `order`. */
export type FileOrder = { id: number; pid: number } | { id: number; order: FileCall };

/** From the thread. */
export type FileResult = { id: number } & (FileAnswer | { errno: number; call: string });

/** Most content of one frame, with room for what stands around it: a file's status, too. */
const maxContent = (1 << 20) - 512;
/** How much is read at a time of a file without a size. */
const procSize = 16384;

/** Longer paths and texts of links cannot exist (PATH_MAX). */
const maxPath = 4096;

const nothing = new Uint8Array(0);

const scope = self as unknown as DedicatedWorkerGlobalScope;
let operations: FileOperations | null = null;

scope.onmessage = ({ data }: MessageEvent<FileOrder>) => {
  try {
    const answer = carryOut(data);
    scope.postMessage({ id: data.id, ...answer }, answer.body.length === 0 ? [] : [answer.body.buffer]);
  } catch (error) {
    const refused = error instanceof SystemError;
    const call = error instanceof Error ? error.message : String(error);
    scope.postMessage({ id: data.id, errno: refused ? error.errno : E.EIO, call });
  }
};

function carryOut(order: FileOrder): FileAnswer {
  if ("pid" in order) {
    const inner = innerPid(order.pid);
    const root = becomeProcess(order.pid);
    operations = new FileOperations(new TargetRoot(root, inner), inner);
    return { body: nothing, opened: { fd: root, isPipe: false } };
  }
  if (operations === null) throw new SystemError("files", E.EPERM);
  return operations.perform(order.order);
}

/** Performs calls below `root`; `pid`: what /proc/self means there. */
class FileOperations {
  readonly #root: TargetRoot;
  readonly #pid: number;

  constructor(root: TargetRoot, pid: number) {
    this.#root = root;
    this.#pid = pid;
  }

  perform(order: FileCall): FileAnswer {
    switch (order.call) {
      case "open":
        return this.#open(order);
      case "close":
        calls.close(order.file);
        return { body: nothing };
      case "stat": {
        const status = this.#status(order);
        return { body: bytes(encode(agentMessages.statReply, { status })) };
      }
      case "access": {
        using spot = this.#found(order, order.flags);
        calls.access(spot, order.mode, order.flags);
        return { body: nothing };
      }
      case "readLink": {
        using spot = this.#root.found(this.#path(order), false);
        const target = this.#root.linkText(spot);
        return { body: bytes(encode(agentMessages.readLinkReply, { target })) };
      }
      case "statfs": {
        using spot = this.#found(order, 0);
        const status = calls.fileSystem(spot.fd);
        return { body: bytes(encode(agentMessages.statfsReply, { status })) };
      }
      case "enter": {
        using spot = this.#found(order, 0);
        const physical = calls.enter(this.#root, spot);
        return { body: bytes(encode(agentMessages.enterReply, { physical })) };
      }
      case "list":
        return { body: bytes(encode(agentMessages.listReply, page(order.file, order.cursor))) };
      case "scan":
        return { body: bytes(encode(agentMessages.scanReply, scan(this.#root, this.#path(order), order))) };
      case "read":
        return { body: readBody(order.file, placeOf(order.offset), order.count) };
      case "write":
        return { body: writeBody(order.file, placeOf(order.offset), bytes(order.content)) };
      case "seek": {
        const offset = calls.seek(order.file, BigInt.asIntN(64, order.offset), order.whence);
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

  /** /proc/self, and /proc/net which leads there, are the target's process, not this thread. */
  #path({ dir: fd, path }: At): Path {
    if (path.length > maxPath) throw new SystemError("files", E.ENAMETOOLONG);
    const text = path.length < 64 && path[1] === 0x70 ? new TextDecoder().decode(path) : "";
    const [own, net = ""] = /^\/proc(?:\/(?:thread-)?self|(\/net))(?=\/|$)/.exec(text) ?? [];
    if (own === undefined) return { fd, path };
    return { fd, path: new TextEncoder().encode(`/proc/${this.#pid}${net}${text.slice(own.length)}`) };
  }

  #found(at: At, flags: number): Spot {
    return this.#root.found(this.#path(at), (flags & F.AT_SYMLINK_NOFOLLOW) === 0);
  }

  /** Opening looks at the file anyway: that is the answer, unless it is asked for by other rules of time. */
  #status(order: Call<"stat">): Bytes {
    if ((order.flags & AT_STATX_SYNC_TYPE) === 0) {
      return this.#root.status(this.#path(order), (order.flags & F.AT_SYMLINK_NOFOLLOW) === 0);
    }
    using spot = this.#found(order, order.flags);
    return calls.status(spot, order.flags);
  }

  #open(order: Call<"open"> & { file: number }): FileAnswer {
    const { flags, mode, whole, ahead, file } = order;
    const { fd, status } = this.#openOrWait(this.#path(order), flags, mode);
    let kept = false;
    try {
      const found = modeAndSize(status);
      const type = found.mode & F.S_IFMT;
      const readable = (flags & F.O_ACCMODE) !== F.O_WRONLY && (flags & F.O_PATH) === 0;
      // What is asked for may be any number: no more is read than an answer can hold.
      const most = Math.min(whole, maxContent);
      if (type === F.S_IFREG && readable && most > 0 && found.size <= most) {
        const content = readWhole(fd, found.size, most);
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

  /**
   * EAGAIN instead of ENXIO for a pipe without a reader yet: a process that opens it for writing waits
   * (fifo(7)).
   */
  #openOrWait(path: Path, flags: number, mode: number): { fd: number; status: Bytes } {
    try {
      return calls.open(this.#root, path, flags, mode);
    } catch (error) {
      const waits = (flags & F.O_NONBLOCK) === 0;
      if (!waits || !(error instanceof SystemError) || error.errno !== E.ENXIO) throw error;
      const { mode: found } = modeAndSize(this.#root.status(path, true));
      throw (found & F.S_IFMT) === F.S_IFIFO ? new SystemError("openat", E.EAGAIN) : error;
    }
  }

  #change({ what, flags, first, second, third, fourth, ...at }: Call<"change">): void {
    switch (what) {
      case fileChanges.mkdir:
        return this.#naming(at, (spot) => calls.makeDirectory(spot, Number(first)));
      case fileChanges.remove:
        return this.#naming(at, (spot) => calls.remove(spot, flags));
      case fileChanges.mknod:
        return this.#naming(at, (spot) => calls.makeNode(spot, Number(first), second));
      case fileChanges.truncate:
        return this.#truncate(at, first);
      case fileChanges.sync:
        return calls.sync(descriptor(at), first === 1n);
      case fileChanges.allocate:
        return calls.allocate(descriptor(at), Number(first), second, third);
      case fileChanges.flags:
        return calls.setFlags(descriptor(at), Number(first));
    }
    using spot = this.#found(at, flags);
    switch (what) {
      case fileChanges.chmod:
        return calls.changeMode(spot, Number(first), flags);
      case fileChanges.chown:
        return calls.changeOwner(spot, Number(first), Number(second), flags);
      case fileChanges.utimens:
        return calls.changeTimes(spot, [first, second, third, fourth], flags);
    }
    throw new SystemError("change", E.EINVAL);
  }

  #naming(at: At, call: (spot: Spot) => void): void {
    using spot = this.#root.named(this.#path(at));
    call(spot);
  }

  #truncate(at: At, length: bigint): void {
    if (at.path.length === 0) return calls.truncate(descriptor(at), length);
    const { fd } = calls.open(this.#root, this.#path(at), F.O_WRONLY, 0);
    try {
      calls.truncate(fd, length);
    } finally {
      calls.close(fd);
    }
  }

  #move({ what, fromDir, from: path, toDir, to, flags }: Call<"move">): void {
    if (path.length > maxPath) throw new SystemError("files", E.ENAMETOOLONG);
    using target = this.#root.named(this.#path({ dir: toDir, path: to }));
    if (what === fileMoves.symlink) return calls.symlink(calls.cPath(path), target);
    const from = { dir: fromDir, path };
    if (what === fileMoves.rename) {
      using source = this.#root.named(this.#path(from));
      return calls.rename(source, target, flags);
    }
    if (what === fileMoves.link) {
      using source = this.#root.found(this.#path(from), (flags & F.AT_SYMLINK_FOLLOW) !== 0);
      return calls.link(source, target);
    }
    throw new SystemError("move", E.EINVAL);
  }
}

/** Of a call that has no path. */
function descriptor({ dir }: At): number {
  if (dir === null) throw new SystemError("files", E.EBADF);
  return dir;
}

/** null: where the file itself is. */
function placeOf(offset: bigint): bigint | null {
  return offset === ownPosition ? null : offset;
}

/** The content up to its end; null when it is longer than `most`. Files of procfs report a size of zero. */
function readWhole(fd: number, size: number, most: number): Bytes | null {
  let into = new Uint8Array(size === 0 ? Math.min(procSize, most + 1) : size + 1);
  for (let length = 0;;) {
    const count = calls.read(fd, into.subarray(length), BigInt(length));
    length += count;
    if (length > most) return null;
    // Less than there was room for, and all that the file had when it was opened: its end (read(2)).
    if (count === 0 || (length === size && length < into.length)) return into.subarray(0, length);
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
  // A file without positions has none to report (lseek(2): ESPIPE).
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
  const into = new Uint8Array(filePage);
  const { length, end } = calls.list(fd, cursor, into);
  return { end, entries: into.subarray(0, length) };
}

/** Every array here has a buffer of its own kind: messages between threads are copied, never shared. */
function bytes(array: Uint8Array): Bytes {
  return array as Bytes;
}
