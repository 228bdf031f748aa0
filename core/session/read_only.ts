// Changes by the app where the target's files are only read (mode "read", feature.fs.read_only, mounts): they
// are made on this machine, unless only the target has the file. Called by files.ts before it answers that a
// change is local. Invariant: no file is created or missing here in silence because the target's may not be
// changed.

import { E, openFlags, RemoteError } from "../../protocol-wasm/mod.ts";
import type { Emit } from "./events.ts";
import type { RemoteWay } from "./ways.ts";

/** Flags of open(2) on the wire. */
const O_ACCMODE = 3;
const O_WRONLY = 1;
const O_CREAT = 0o100;
const O_EXCL = 0o200;
const O_TRUNC = 0o1000;
const O_TMPFILE = 0o20000000;
const AT_SYMLINK_NOFOLLOW = 0x100;
const S_IFMT = 0o170000;
const S_IFDIR = 0o040000;
const S_IFLNK = 0o120000;
/** So many paths, and so many folders, are named. */
const mostSaid = 20;

export interface ReadOnlyOptions {
  /** st_mode of what the target has there. Throws RemoteError. */
  mode(way: RemoteWay, flags: number): Promise<number>;
  emit: Emit;
}

export class ReadOnly {
  readonly #mode: ReadOnlyOptions["mode"];
  readonly #emit: Emit;
  readonly #saidPaths = new Set<string>();
  readonly #saidFolders = new Set<string>();

  constructor({ mode, emit }: ReadOnlyOptions) {
    this.#mode = mode;
    this.#emit = emit;
  }

  /**
   * open(2) for more than reading. True: it comes to reading the target's file, which is there already.
   * False: this machine's. Throws RemoteError where the target alone has the file.
   */
  async opens(way: RemoteWay, flags: number): Promise<boolean> {
    const access = flags & O_ACCMODE;
    if (access === O_WRONLY) this.#sayFolder(way.full);
    if (access === O_WRONLY || await isHere(way.full)) return false;
    const found = await this.#find(way, (flags & openFlags.noFollow) === 0 ? 0 : AT_SYMLINK_NOFOLLOW);
    if (found === null) {
      if ((flags & O_CREAT) !== 0) await this.makes(way, true);
      return false;
    }
    if ((flags & O_CREAT) !== 0 && (flags & O_EXCL) !== 0) throw new RemoteError(E.EEXIST, "open: EEXIST");
    const kind = found & S_IFMT;
    if (kind === S_IFLNK) throw new RemoteError(E.ELOOP, "open: ELOOP");
    if (kind === S_IFDIR && (flags & O_TMPFILE) !== O_TMPFILE) {
      throw new RemoteError(E.EISDIR, "open: EISDIR");
    }
    if (access === 0 && (flags & O_TRUNC) === 0) return true;
    throw this.#refuse("write", way.full);
  }

  /** What changes something that is there: its name, size, mode, owner, times, or that it is there. */
  async changes(way: RemoteWay, isLink: boolean): Promise<void> {
    if (await isHere(way.full) || await this.#find(way, isLink ? AT_SYMLINK_NOFOLLOW : 0) === null) return;
    throw this.#refuse("change", way.full);
  }

  /** What makes something at a name that must be free, unless it `replaces` what is there. */
  async makes(way: RemoteWay, replaces = false): Promise<void> {
    if (await isHere(way.full)) return;
    const isTaken = !replaces && await this.#find(way, AT_SYMLINK_NOFOLLOW) !== null;
    if (isTaken) throw new RemoteError(E.EEXIST, "it is there");
    const folder = folderOf(way.full);
    const parent: RemoteWay = { ...way, dir: 0, path: folder, full: folder };
    if (await isHere(folder) || await this.#find(parent, 0) === null) return this.#sayFolder(way.full);
    throw this.#refuse("make", way.full);
  }

  /** null: the target has nothing there. */
  async #find(way: RemoteWay, flags: number): Promise<number | null> {
    try {
      return await this.#mode(way, flags);
    } catch (error) {
      if (error instanceof RemoteError && (error.errno === E.ENOENT || error.errno === E.ENOTDIR)) {
        return null;
      }
      throw error;
    }
  }

  #refuse(action: "write" | "change" | "make", path: Uint8Array): RemoteError {
    const name = new TextDecoder().decode(path);
    if (!this.#saidPaths.has(name) && this.#saidPaths.size < mostSaid) {
      this.#saidPaths.add(name);
      this.#emit({ type: "readOnlyRefused", action, path: name });
    }
    return new RemoteError(E.EROFS, "the target's files are only read");
  }

  #sayFolder(path: Uint8Array): void {
    const folder = new TextDecoder().decode(folderOf(path));
    if (this.#saidFolders.has(folder) || this.#saidFolders.size >= mostSaid) return;
    this.#saidFolders.add(folder);
    this.#emit({ type: "writesLocal", folder });
  }
}

function folderOf(path: Uint8Array): Uint8Array {
  const end = path[path.length - 1] === 0x2f ? path.length - 1 : path.length;
  return path.subarray(0, Math.max(path.subarray(0, end).lastIndexOf(0x2f), 1));
}

/** What cannot be looked at is there. */
async function isHere(path: Uint8Array): Promise<boolean> {
  try {
    await Deno.lstat(new TextDecoder().decode(path));
    return true;
  } catch (error) {
    return !(error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory);
  }
}
