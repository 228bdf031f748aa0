// Paths as the target's process means them, resolved below one descriptor of its root: links, absolute ones
// too, and ".." never lead out of it. Called by agent/files on the file threads. The kernel does it in one
// call (openat2(2), RESOLVE_IN_ROOT and RESOLVE_BENEATH), with three exceptions that are walked here, name by
// name: a path from an open folder that leaves it, links of procfs that lead anywhere (proc(5), "magic"), and
// folders that are being renamed.
// Invariant: nothing of procfs that is the agent's own is opened; the target's process stands in its place.

import { fileStatusBytes, fileSystemBytes } from "../../protocol-wasm/mod.ts";
import { byteText } from "../../core/net/byte_text.ts";
import { AT_EMPTY_PATH, look, statusAt } from "./file_status.ts";
import { check, cText, E, lastErrno, SystemError } from "./libc.ts";
import { bytesOf, ended, isDots, names, type Path, slash, split, zeroEnded } from "./path_bytes.ts";

const i32 = "i32";
const buffer = "buffer";
const { symbols: f } = Deno.dlopen("libc.so.6", {
  openat: { parameters: [i32, buffer, i32, "u32"], result: i32 },
  close: { parameters: [i32], result: i32 },
  readlinkat: { parameters: [i32, buffer, buffer, "usize"], result: i32 },
  fstatfs: { parameters: [i32, buffer], result: i32 },
  openat2: { name: "syscall", parameters: ["i64", i32, buffer, buffer, "usize"], result: i32 },
});

/** syscalls(2). */
const numbers = { openat2: 437n };

type Bytes = Uint8Array<ArrayBuffer>;

/** What a call gets instead of a path: a descriptor, and a name in it or nothing. */
export interface Spot extends Disposable {
  fd: number;
  /** Ends in a zero byte; only that: the descriptor itself. */
  path: Bytes;
  /** The descriptor was opened for this call, with O_PATH. */
  isOwn: boolean;
}

const arm = Deno.build.arch === "aarch64";
/** <fcntl.h> of this machine. */
const O = {
  CREAT: 0o100,
  EXCL: 0o200,
  PATH: 0o10000000,
  CLOEXEC: 0o2000000,
  DIRECTORY: arm ? 0o40000 : 0o200000,
  NOFOLLOW: arm ? 0o100000 : 0o400000,
  /** With O_DIRECTORY's bit it is O_TMPFILE. */
  TMPFILE: 0o20000000,
} as const;
/** What openat(2) takes; it passes over the rest, which openat2(2) refuses. */
const knownFlags = 0o3 | O.CREAT | O.EXCL | 0o400 | 0o1000 | 0o2000 | 0o4000 | 0o10000 | 0o20000 | 0o4000000 |
  0o1000000 | O.CLOEXEC | O.DIRECTORY | O.NOFOLLOW | O.PATH | O.TMPFILE;
const pathFlags = O.PATH | O.CLOEXEC | O.DIRECTORY | O.NOFOLLOW;
/** <linux/openat2.h> */
const resolve = { noMagicLinks: 0x02, beneath: 0x08, inRoot: 0x10 } as const;

const PROC_SUPER_MAGIC = 0x9fa0n;
const AT_FDCWD = -100;
const maxPath = 4096;
/** Links of procfs that lead where their text says. */
const plainLinks = ["self", "thread-self", "mounts", "net"];
/** path_resolution(7). */
const mostLinks = 40;
/**
 * A rename anywhere makes the kernel give up a path with "..": so often it is asked before the path is walked
 * here.
 */
const mostTries = 16;
const dot = 0x2e;
const zero = Uint8Array.of(0);
/** Of every call on this thread: none outlives it. */
const howWords = new Uint32Array(6);
const howBytes = new Uint8Array(howWords.buffer);
const howSize = BigInt(howBytes.length);
/** struct statx of what was opened last. */
const seen = new Uint8Array(fileStatusBytes);
const seenView = new DataView(seen.buffer);
const statfsWords = new BigUint64Array(fileSystemBytes / 8);
const statfsBytes = new Uint8Array(statfsWords.buffer);

/** The root directory of one process, for one thread. */
export class TargetRoot implements Disposable {
  readonly #fd: number;
  /** The prefix of paths that the kernel reports for files below; "" where the root is that of its mounts. */
  readonly #prefix: string;
  /** The target's process, as it numbers itself. */
  readonly #pid: number;
  /** The number of its file system, where that has no device of its own; -1 otherwise. */
  readonly #device: number;
  /** The kernel (before 5.6), or a seccomp profile, has no openat2(2): every path is walked here. */
  readonly #walks: boolean;
  #hasSeen = false;

  /** `fd`: its root directory; it is kept. */
  constructor(fd: number, pid: number) {
    this.#fd = fd;
    this.#pid = pid;
    const here = this.#ask(fd, zeroEnded(Uint8Array.of(dot)), O.PATH, { resolve: resolve.inRoot });
    this.#walks = here < 0;
    if (here >= 0) f.close(here);
    this.#prefix = placeOf(fd).replace(/\/$/, "");
    const isAnonymous = look(fd, zero, AT_EMPTY_PATH, seen) && deviceMajor() === 0 && !isProc(fd);
    this.#device = isAnonymous ? deviceMinor() : -1;
  }

  [Symbol.dispose](): void {
    f.close(this.#fd);
  }

  /** open(2), close-on-exec, and struct statx of what was opened. `flags` are this machine's. */
  open(path: Path, flags: number, mode: number): { fd: number; status: Bytes } {
    if (path.path.length === 0) throw new SystemError("open", E.ENOENT);
    const opened = own(this.#open(path, flags, mode, { looks: true }), zero);
    try {
      return { fd: opened.fd, status: this.#status(opened.fd) };
    } catch (error) {
      opened[Symbol.dispose]();
      throw error;
    }
  }

  /** struct statx of a path: by `follows` of what a link leads to, otherwise of the link. */
  status(path: Path, follows: boolean): Bytes {
    if (ended(path).path.length === 0) return statusAt(path.fd ?? this.#fd, zero, AT_EMPTY_PATH);
    const flags = follows ? O.PATH : O.PATH | O.NOFOLLOW;
    using spot = own(this.#open(path, flags, 0, { looks: true }), zero);
    return this.#status(spot.fd);
  }

  /** What is there already: by `follows` what a link leads to, otherwise the link. */
  found(path: Path, follows: boolean): Spot {
    const { fd, path: bytes } = ended(path);
    if (bytes.length === 0) return borrowed(fd ?? this.#fd, zero);
    const [, last] = split(bytes);
    const isName = last.length > 0 && last.at(-1) !== slash && !isDots(last);
    if (isName && !follows) return this.named(path);
    return own(this.#open(path, O.PATH, 0), zero);
  }

  /** A name that is made, taken away or looked at as it is: its folder and the name. */
  named(path: Path): Spot {
    const { fd, path: bytes } = ended(path);
    const [folder, last] = split(bytes);
    if (last.length === 0) return borrowed(this.#fd, zeroEnded(bytes)); // "/", which every such call refuses
    if (folder.length === 0) return borrowed(fd ?? this.#fd, zeroEnded(last));
    return own(this.#open({ fd, path: folder }, O.PATH | O.DIRECTORY, 0), zeroEnded(last));
  }

  /**
   * The path of an open folder as the target sees it, for getcwd(2). Throws SystemError where it has none.
   */
  pathOf(fd: number): Bytes {
    const place = placeOf(fd);
    const path = this.#inside(place);
    if (path === null || (place.endsWith(" (deleted)") && !this.#leadsTo(path, fd))) {
      throw new SystemError("getcwd", E.ENOENT);
    }
    return bytesOf(path);
  }

  /**
   * The text of the link `spot`, which of a link of procfs may name this machine's path of a root that is no
   * mount's.
   */
  linkText({ fd, path, isOwn }: Spot): Bytes {
    if (isOwn && path.length === 1) throw new SystemError("readlinkat", E.EINVAL); // "folder/" and "..": no link
    const text = textAt(fd, path);
    if (this.#prefix === "" || !isProc(fd)) return text;
    return bytesOf(this.#inside(byteText(text)) ?? byteText(text));
  }

  // -- opening -----------------------------------------------------------------------------------------------------

  #open(path: Path, flags: number, mode: number, { looks = false, redirected = false } = {}): number {
    const fd = this.#openAny(ended(path), flags, mode);
    if ((looks && !this.#mayBeProc(fd)) || !isProc(fd)) return fd;
    const place = this.#targetsPlace(placeOf(fd));
    if (place === null) return fd;
    f.close(fd);
    // A link led to "/proc/self", which is this process to the kernel, or straight to this process.
    const inside = this.#inside(place);
    if (redirected || inside === null) throw new SystemError("open", E.EACCES);
    return this.#open({ fd: null, path: bytesOf(inside) }, flags, mode, { looks, redirected: true });
  }

  /**
   * Looks at `fd`. procfs has no device, and neither has it the number of the root's file system: that one is
   * there as long as the descriptor of the root, and no two that are there at a time have the same (statx(2),
   * "stx_dev_minor"; the kernel's get_anon_bdev).
   */
  #mayBeProc(fd: number): boolean {
    this.#hasSeen = look(fd, zero, AT_EMPTY_PATH, seen);
    return !this.#hasSeen || (deviceMajor() === 0 && deviceMinor() !== this.#device);
  }

  /** struct statx of what was opened last. */
  #status(fd: number): Bytes {
    return this.#hasSeen ? seen.slice() : statusAt(fd, zero, AT_EMPTY_PATH);
  }

  #openAny({ fd, path }: Path, flags: number, mode: number): number {
    if (path.length >= maxPath) throw new SystemError("openat2", E.ENAMETOOLONG);
    const isBeneath = fd !== null && path[0] !== slash;
    const from = isBeneath ? fd : this.#fd;
    const how = { mode, resolve: isBeneath ? resolve.beneath : resolve.inRoot };
    for (let tries = this.#walks ? mostTries : 0; tries < mostTries; tries++) {
      const opened = this.#ask(from, zeroEnded(path), flags, how);
      if (opened >= 0) return opened;
      const code = lastErrno();
      if (code === E.EAGAIN) continue;
      if (code === E.EXDEV || code === E.ELOOP) break;
      throw new SystemError("openat2", code);
    }
    return this.#walk(from, path, { flags, mode });
  }

  /** openat2(2): -1 and errno, or a descriptor. */
  #ask(from: number, path: Bytes, flags: number, how: { mode?: number; resolve: number }): number {
    const isPath = (flags & O.PATH) !== 0;
    const all = (flags & (isPath ? pathFlags : knownFlags)) | O.CLOEXEC;
    const makes = (all & (O.CREAT | O.TMPFILE)) !== 0;
    // struct open_how: three 64-bit numbers, with their upper halves 0 here.
    howWords[0] = all;
    howWords[2] = makes ? (how.mode ?? 0) & 0o7777 : 0;
    howWords[4] = how.resolve;
    return f.openat2(numbers.openat2, from, path, howBytes, howSize);
  }

  // -- walking -----------------------------------------------------------------------------------------------------

  #walk(start: number, path: Uint8Array, { flags, mode }: { flags: number; mode: number }): number {
    let at = borrowed(start, zero);
    const move = (fd: number, isOwn = true) => {
      at[Symbol.dispose]();
      at = isOwn ? own(fd, zero) : borrowed(fd, zero);
    };
    const waiting = names(path);
    let mustBeFolder = path.at(-1) === slash;
    try {
      for (let links = 0;;) {
        const name = waiting.shift();
        const isLast = waiting.length === 0;
        if (name === undefined || (isDots(name) && name.length === 1)) {
          if (isLast) return openAt(at.fd, Uint8Array.of(dot), flags, mode);
          continue;
        }
        if (isDots(name)) {
          if (!isSame(at.fd, this.#fd)) move(openAt(at.fd, name, O.PATH | O.DIRECTORY, 0));
          if (isLast) return openAt(at.fd, Uint8Array.of(dot), flags, mode);
          continue;
        }
        const takesLink = isLast && !mustBeFolder &&
          ((flags & O.NOFOLLOW) !== 0 || (flags & (O.CREAT | O.EXCL)) === (O.CREAT | O.EXCL));
        const text = takesLink ? null : linkIn(at.fd, name);
        if (text === null) {
          const last = mustBeFolder ? Uint8Array.of(...name, slash) : name;
          if (isLast) return openAt(at.fd, last, flags | O.NOFOLLOW, mode);
          move(openAt(at.fd, name, O.PATH | O.DIRECTORY | O.NOFOLLOW, 0));
          continue;
        }
        if (++links > mostLinks) throw new SystemError("open", E.ELOOP);
        if (this.#isMagic(at.fd, name)) {
          if (this.#targetsPlace(placeOf(at.fd)) !== null) throw new SystemError("open", E.EACCES);
          const last = mustBeFolder ? Uint8Array.of(...name, slash) : name;
          if (isLast) return openAt(at.fd, last, flags, mode);
          move(openAt(at.fd, name, O.PATH | O.DIRECTORY, 0));
          continue;
        }
        if (text.length === 0) throw new SystemError("open", E.ENOENT);
        if (isLast) mustBeFolder ||= text.at(-1) === slash;
        if (text[0] === slash) move(this.#fd, false);
        waiting.unshift(...names(text));
      }
    } finally {
      at[Symbol.dispose]();
    }
  }

  /** Does this link of procfs lead to what it stands for, whatever its text says? */
  #isMagic(folder: number, name: Uint8Array): boolean {
    if (!isProc(folder)) return false;
    if (this.#walks) return !plainLinks.includes(byteText(name));
    const fd = this.#ask(folder, zeroEnded(name), O.PATH, { resolve: resolve.noMagicLinks });
    if (fd < 0) return lastErrno() === E.ELOOP;
    f.close(fd);
    return false;
  }

  /**
   * A path of procfs that is this process's or a thread's of it, as that procfs numbers it, as the target's;
   * null for others.
   */
  #targetsPlace(place: string): string | null {
    const [found, folder = "", number, task] = /^(.*?)\/(\d+)(\/task\/\d+)?(?=\/|$)/.exec(place) ?? [];
    const inside = this.#inside(folder);
    if (found === undefined || inside === null) return null;
    try {
      f.close(this.#openAny({ fd: null, path: bytesOf(`${inside}/self/task/${number}`) }, O.PATH, 0));
    } catch {
      return null;
    }
    const targets = task === undefined ? `${this.#pid}` : `${this.#pid}/task/${this.#pid}`;
    return `${folder}/${targets}${place.slice(found.length)}`;
  }

  /** A path of the kernel's as one from this root; null: it lies outside. */
  #inside(place: string): string | null {
    if (place === this.#prefix) return "/";
    return place.startsWith(`${this.#prefix}/`) ? place.slice(this.#prefix.length) : null;
  }

  #leadsTo(path: string, fd: number): boolean {
    try {
      using there = own(this.#open({ fd: null, path: bytesOf(path) }, O.PATH | O.DIRECTORY, 0), zero);
      return isSame(there.fd, fd);
    } catch {
      return false;
    }
  }
}

function own(fd: number, path: Bytes): Spot {
  return { fd, path, isOwn: true, [Symbol.dispose]: () => void f.close(fd) };
}

function borrowed(fd: number, path: Bytes): Spot {
  return { fd, path, isOwn: false, [Symbol.dispose]() {} };
}

function openAt(fd: number, name: Uint8Array, flags: number, mode: number): number {
  return check("openat", f.openat(fd, zeroEnded(name), flags | O.CLOEXEC, mode));
}

/** The text of the link `name`; null: it is none, or is not there. */
function linkIn(folder: number, name: Uint8Array): Bytes | null {
  try {
    return textAt(folder, zeroEnded(name));
  } catch (error) {
    const isNone = error instanceof SystemError && (error.errno === E.EINVAL || error.errno === E.ENOENT);
    if (!isNone) throw error;
    return null;
  }
}

function textAt(fd: number, path: Bytes): Bytes {
  const into = new Uint8Array(maxPath);
  return into.slice(0, check("readlinkat", f.readlinkat(fd, path, into, BigInt(maxPath))));
}

/**
 * Where an open file is, as the kernel reports it to this process: from the root of its mounts when those are
 * another process's.
 */
function placeOf(fd: number): string {
  return byteText(textAt(AT_FDCWD, cText(`/proc/self/fd/${fd}`)));
}

function isProc(fd: number): boolean {
  return f.fstatfs(fd, statfsBytes) === 0 && statfsWords[0] === PROC_SUPER_MAGIC;
}

function deviceMajor(): number {
  return seenView.getUint32(136, true);
}

function deviceMinor(): number {
  return seenView.getUint32(140, true);
}

/** The same folder of the same mount? */
function isSame(one: number, other: number): boolean {
  const [a, b] = [one, other].map((fd) => {
    const status = statusAt(fd, zero, AT_EMPTY_PATH);
    const view = new DataView(status.buffer);
    // stx_ino, stx_dev_major and _minor, stx_mnt_id, which the kernel fills unasked
    return [view.getBigUint64(32, true), view.getBigUint64(136, true), view.getBigUint64(144, true)].join();
  });
  return a === b;
}
