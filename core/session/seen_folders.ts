// Spares a walk of the target's tree its questions: once a program listed a folder, or asked about several
// names in it, one scan by the agent brings all its names with their attributes, and these answer lstat, stat
// of what is no link, and look-ups of names that are not there. Made by files.ts, asked before each question
// about a path (after the rules for paths) and told of each open and each change.
// Invariant: what is answered here was asked of the agent at most `lifeMs` ago, in one run of questions
// (no pause of `quietMs`), and this session changed nothing since: any change drops everything, since a file
// may have many paths. While something is being changed nothing is kept, and nothing answered.

import {
  type agentMessages,
  type Body,
  E,
  openFlags,
  RemoteError,
  wholeStatus,
} from "../../protocol-wasm/mod.ts";
import {
  deviceOf,
  firstScan,
  FolderPages,
  type Found,
  identityOf,
  isLink,
  type Scanned,
} from "./folder_pages.ts";
import { isUnsteadyTree, keyOf, type Named, split, type Spot } from "./folder_paths.ts";

/** How old an answer may be. */
export const lifeMs = 1000;
/** So long without a question about files: the walk is over. */
export const quietMs = 100;
/** Folders that are remembered, and about how many bytes all of them take. */
const mostFolders = 256;
const mostBytes = 8 << 20;
/** Devices whose file systems are known to change by themselves. */
const mostDevices = 64;
/** Different names that are asked for in a folder that was not listed, before it is scanned. */
const usualNeed = 3;
/** And at most so many, where a scan brought little. */
const mostNeed = 32;
/** So many folders listed, and none of their names asked for: not a walk that looks at them. */
const idleListings = 3;

const AT_SYMLINK_NOFOLLOW = 0x100;
const O_CREAT = 0o100;
/** Bytes of a list's beginning that are kept for the question behind an open. */
const longestPage = 1 << 14;
const noPage = { end: false, entries: new Uint8Array(0) };
const nothing = new Uint8Array(0);

/** Questions that may be answered here. */
export type SeenKind = "stat" | "access" | "readLink" | "statfs" | "open";
type Scan = Body<typeof agentMessages.scan>;

/** A folder that was opened. */
export interface OpenedFolder {
  /** The agent's number of it. */
  file: number;
  /** Its struct statx. */
  status: Uint8Array;
  /** The first page of its list. */
  page: { end: boolean; entries: Uint8Array };
}
/** One folder, by the way that it is asked for; an open one by its number, too. */
interface Folder {
  readonly path: Spot;
  /** The agent's number of it while it is open; 0: it is not. */
  file: number;
  /** Device and inode; null: not known before a scan. */
  identity: string | null;
  /** What its open said, when and in which era. */
  own: OpenedFolder & { asOf: number; era: number } | null;
  pages: FolderPages | null;
  /** When it was listed last: what was asked for before may lack what the list has. */
  since: number;
  /** A scan under way. */
  scanning: Promise<void> | null;
  /** The era in which the program listed it, and its names were not scanned yet. */
  listedIn: number;
  /** The era in which it could not be scanned. */
  refusedIn: number;
  /** Names that were asked for since the last scan, and since when. */
  readonly missed: Set<string>;
  missedSince: number;
  /** So many of them make a scan worth its bytes. */
  need: number;
}

export interface SeenFoldersOptions {
  /** Rejects with RemoteError. */
  scan: (asked: Scan) => Promise<Scanned>;
  /** false: nothing is ever kept. */
  isOn: boolean;
  /** Milliseconds. */
  now?: () => number;
}

export class SeenFolders {
  readonly #scan: (asked: Scan) => Promise<Scanned>;
  readonly #isOn: boolean;
  readonly #now: () => number;
  /** By `keyOf`; the one that was made last is the last. */
  readonly #folders = new Map<string, Folder>();
  /** Those that have pages, the oldest first. */
  readonly #kept = new Set<Folder>();
  /** Devices whose file systems change by themselves. */
  readonly #unsteady = new Set<string>();
  /** Ends with each change, and with a walk. */
  #era = 1;
  #changing = 0;
  #asking = 0;
  #lastAnswered = -Infinity;
  /** Folders that were listed since a name of a listed one was asked for. */
  #idle = idleListings;

  constructor({ scan, isOn, now = () => performance.now() }: SeenFoldersOptions) {
    this.#scan = scan;
    this.#isOn = isOn;
    this.#now = now;
  }

  /** A question about files is under way until this is disposed. */
  asking(): Disposable {
    if (this.#asking === 0 && this.#now() - this.#lastAnswered > quietMs) this.#drop();
    this.#asking++;
    return {
      [Symbol.dispose]: () => {
        this.#asking--;
        this.#lastAnswered = this.#now();
      },
    };
  }

  /** Something of the target's is being changed until this is disposed. */
  changing(): Disposable {
    this.#changing++;
    this.#drop();
    return {
      [Symbol.dispose]: () => {
        this.#changing--;
        this.#drop();
      },
    };
  }

  /** The agent's answer to a question; null: ask it. Throws the RemoteError that it would. */
  async answer(
    kind: SeenKind,
    { dir, path, flags = 0, mode = 0 }: Spot & { flags?: number; mode?: number },
  ): Promise<{ status?: Uint8Array } | null> {
    if (!this.#isOn || this.#changing > 0) return null;
    const isStat = kind === "stat" && (flags & ~AT_SYMLINK_NOFOLLOW) === 0;
    if (isStat && (flags === 0 || path.length === 0)) {
      const own = this.#own({ dir, path });
      if (own !== null) return { status: own };
    }
    const isLook = kind === "access" && mode === 0;
    const found = await this.#find({ dir, path }, isStat || isLook);
    if (found === null) return null;
    if (found === "absent") {
      if (kind === "open" && (flags & O_CREAT) !== 0) return null;
      throw new RemoteError(E.ENOENT, `${kind}: its folder has no such name`);
    }
    if (isStat && (flags !== 0 || !isLink(found))) return { status: wholeStatus(found) };
    if (isLink(found)) return null;
    if (kind === "readLink") throw new RemoteError(E.EINVAL, "readLink: it is no link");
    return isLook ? {} : null;
  }

  /** Before an open for reading; returns when. In a walk, names of a folder are scanned at the same time. */
  opens({ dir, path }: Spot, flags: number): number {
    const now = this.#now();
    if (!this.#isOn || this.#changing > 0) return now;
    const isFolder = (flags & openFlags.directory) !== 0;
    if (!isFolder) this.#tell({ dir, path }, nothing); // reading it sets a time
    if (!isFolder || this.#idle >= idleListings || isUnsteadyTree(path)) return now;
    const folder = this.#folder({ dir, path });
    this.#outdate(folder, now);
    const isNew = folder.pages === null && folder.scanning === null && folder.refusedIn !== this.#era;
    if (isNew) this.#read(folder).catch(() => {}); // a question about a name asks again
    return now;
  }

  /** The folder at `spot` was opened, and its list begun; the agent was asked at `since`. */
  opened(spot: Spot, open: OpenedFolder, since: number): void {
    if (!this.#isOn) return;
    this.#idle = Math.min(this.#idle + 1, idleListings);
    const identity = identityOf(open.status);
    let folder = this.#folder(spot);
    // Another one has come in its place: what is open stays what it was.
    if (folder.identity !== null && folder.identity !== identity) {
      this.#folders.delete(keyOf(spot));
      folder = this.#folder(spot);
    }
    folder.identity = identity;
    folder.file = open.file;
    this.#outdate(folder, since);
    if (folder.pages === null) folder.listedIn = this.#era;
    if (this.#unsteady.has(deviceOf(open.status))) folder.refusedIn = this.#era;
    this.#remember({ dir: open.file, path: nothing }, folder);
    if (this.#changing > 0 || folder.refusedIn === this.#era) return;
    const page = open.page.entries.length > longestPage ? noPage : open.page;
    folder.own = { ...open, page, asOf: this.#now(), era: this.#era };
    this.#tell(spot, open.status);
  }

  /** The beginning of an open folder's list, once, for the list behind an open. null: ask for it. */
  firstPage(file: number): OpenedFolder["page"] | null {
    const own = this.#opened({ dir: file, path: nothing });
    const page = own?.file === file ? own.page : noPage;
    if (own !== null) own.page = noPage;
    if (page.entries.length > 0) return page;
    const folder = this.#folders.get(keyOf({ dir: file, path: nothing }));
    if (folder !== undefined) this.#outdate(folder, this.#now());
    return null;
  }

  /** An open file of the agent's is closed. */
  closed(file: number): void {
    const key = keyOf({ dir: file, path: nothing });
    const folder = this.#folders.get(key);
    if (folder?.file === file) folder.file = 0;
    this.#folders.delete(key);
  }

  // -- looking ---------------------------------------------------------------------------------------------------

  /** null: the agent has to be asked. `scans`: a scan may answer it. */
  async #find(asked: Spot, scans: boolean): Promise<Found | null> {
    const spot = split(asked);
    if (spot === null) return null;
    const found = this.#known(spot);
    if (found !== null || !scans) return found;
    const folder = this.#folder(spot.folder);
    if (folder.scanning !== null) await folder.scanning;
    else if (this.#isWorth(folder, spot.name)) await this.#read(folder);
    else return null;
    return this.#changing > 0 ? null : this.#known(spot);
  }

  #known({ folder, name }: Named): Found | null {
    const found = this.#fresh(folder)?.find(name) ?? null;
    if (found !== null) {
      this.#idle = 0;
      return found;
    }
    // Below what is not there is nothing.
    const above = split(folder);
    return above !== null && this.#fresh(above.folder)?.find(above.name) === "absent" ? "absent" : null;
  }

  /** A folder's own attributes, by its scan or its open. */
  #own(spot: Spot): Uint8Array | null {
    return this.#fresh(spot)?.folder ?? this.#opened(spot)?.status ?? null;
  }

  #opened(spot: Spot): OpenedFolder | null {
    const { own = null } = this.#folders.get(keyOf(spot)) ?? {};
    return own !== null && own.era === this.#era && this.#now() - own.asOf <= lifeMs ? own : null;
  }

  /** Its folder's pages have a new status for a name; an empty one is not known. */
  #tell(spot: Spot, status: Uint8Array): void {
    const named = split(spot);
    if (named !== null) this.#fresh(named.folder)?.tell(named.name, status);
  }

  /** What is known of a folder, if that is not too old. */
  #fresh(spot: Spot): FolderPages | null {
    const folder = this.#folders.get(keyOf(spot));
    const pages = folder?.pages ?? null;
    if (folder === undefined || pages === null || this.#now() - pages.asOf <= lifeMs) return pages;
    if (pages.next !== null && pages.isUsed) pages.restart();
    else this.#forget(folder);
    return folder.pages;
  }

  #isWorth(folder: Folder, name: string): boolean {
    const { pages, missed } = folder;
    const isRead = pages !== null && (pages.next === null || pages.has(name));
    if (isRead || folder.refusedIn === this.#era) return false;
    if (pages === null && folder.listedIn === this.#era) return true;
    const now = this.#now();
    if (now - folder.missedSince > lifeMs) missed.clear();
    if (missed.size === 0) folder.missedSince = now;
    missed.add(name);
    return missed.size >= (pages === null ? folder.need : needAfter(pages));
  }

  // -- keeping ---------------------------------------------------------------------------------------------------

  #folder(spot: Spot): Folder {
    const known = this.#folders.get(keyOf(spot));
    if (known !== undefined) return known;
    const folder: Folder = {
      path: spot,
      file: 0,
      identity: null,
      own: null,
      pages: null,
      since: -Infinity,
      scanning: null,
      listedIn: 0,
      refusedIn: 0,
      missed: new Set(),
      missedSince: 0,
      need: usualNeed,
    };
    this.#remember(spot, folder);
    return folder;
  }

  #remember(spot: Spot, folder: Folder): void {
    this.#folders.set(keyOf(spot), folder);
    for (const [key, oldest] of this.#folders) {
      if (this.#folders.size <= mostFolders) return;
      this.#folders.delete(key);
      this.#forget(oldest);
    }
  }

  /** Asks for its next names. */
  #read(folder: Folder): Promise<void> {
    const { cursor, most } = folder.pages?.next ?? firstScan;
    const at = folder.file === 0 ? folder.path : { dir: folder.file, path: nothing };
    const [era, asOf] = [this.#era, this.#now()];
    folder.listedIn = 0;
    folder.missed.clear();
    const scanned = this.#scan({ ...at, cursor, most }).then(
      (reply) => this.#take(folder, reply, { era, asOf, cursor }),
      (error) => {
        if (!(error instanceof RemoteError)) throw error;
        folder.refusedIn = this.#era;
      },
    ).finally(() => folder.scanning = null);
    folder.scanning = scanned;
    return scanned;
  }

  #take(folder: Folder, reply: Scanned, asked: { era: number; asOf: number; cursor: bigint }): void {
    if (asked.era !== this.#era || this.#changing > 0) return; // it may be from before a change
    const isRefused = !reply.end && reply.entries.length === 0;
    if (isRefused && this.#unsteady.size < mostDevices) this.#unsteady.add(deviceOf(reply.folder));
    const identity = identityOf(reply.folder);
    if (isRefused || (folder.identity !== null && folder.identity !== identity)) {
      folder.refusedIn = this.#era;
      return;
    }
    if (folder.pages === null && asked.cursor !== 0n) return; // they were forgotten meanwhile
    if (asked.asOf < folder.since) return;
    folder.identity = identity;
    folder.pages ??= new FolderPages();
    folder.pages.add(reply, asked.asOf);
    this.#kept.add(folder);
    let bytes = 0;
    for (const { pages } of this.#kept) bytes += pages?.bytes ?? 0;
    for (const oldest of this.#kept) {
      if (bytes <= mostBytes) return;
      bytes -= oldest.pages?.bytes ?? 0;
      this.#forget(oldest);
    }
  }

  /** It is listed as it is at `since`: what was asked for before does not count any more. */
  #outdate(folder: Folder, since: number): void {
    folder.since = Math.max(folder.since, since);
    if (folder.pages !== null && folder.pages.asOf < since) this.#forget(folder);
  }

  #forget(folder: Folder): void {
    if (folder.pages !== null) folder.need = needAfter(folder.pages);
    folder.pages = null;
    folder.missed.clear();
    this.#kept.delete(folder);
  }

  #drop(): void {
    this.#era++;
    for (const folder of this.#kept) this.#forget(folder);
  }
}

/** How many names make another scan worth its bytes: few where the last one was used. */
function needAfter(pages: FolderPages): number {
  return pages.isUsed ? 1 : Math.min(Math.max(usualNeed, Math.ceil(pages.size / 32)), mostNeed);
}
