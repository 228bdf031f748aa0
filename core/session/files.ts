// The layer's questions about files: which are the target's (policy.ts), and what the app does with those.
// Made by session.ts. Open remote files are shared by all processes of the app; each lives as long as a
// process holds it (holds.ts). Invariant: what the target refuses fails in the app with the same errno;
// nothing becomes local because it failed.

import {
  type AgentLink,
  agentMessages,
  type Body,
  decode,
  E,
  fileChanges,
  type FileKind,
  fileKinds,
  fileMoves,
  fileRequests,
  freeBytes,
  type LayerFrame,
  layerMessages,
  LinkError,
  openFlags,
  RemoteError,
} from "../../protocol-wasm/mod.ts";
import { log } from "../base/log.ts";
import { osBytes, osText } from "../base/os_text.ts";
import type { FilesConfig } from "../config/config.ts";
import type { Details } from "./details.ts";
import type { Emit } from "./events.ts";
import type { AppProcess, Floor, Question } from "./floor.ts";
import { Holds } from "./holds.ts";
import { Policy } from "./policy.ts";
import type { LocalPlaces } from "./policy_default.ts";
import type { Mounts } from "./policy_mounts.ts";
import { pathTable } from "./policy_table.ts";
import { ReadOnly } from "./read_only.ts";
import { RemoteFile } from "./remote_file.ts";
import { isBelow } from "./remote_path.ts";
import { SeenFolders } from "./seen_folders.ts";
import { local, remote, type RemoteWay, type Way, Ways, whole } from "./ways.ts";

/** Questions about one path that are handed on. */
type PathKind = "stat" | "access" | "readLink" | "statfs" | "enter";
type Placed = { dir: number; path: Uint8Array };
type LayerTable = typeof layerMessages;
type AgentTable = typeof agentMessages;

/** A regular file of at most so many bytes comes with the answer to its open. */
const wholeLimit = 1 << 18;
/** How long after the end of its process an open file may stay without a holder. */
const holdLimitMs = 1000;
/** So many directories that only this machine has are named. */
const missingLimit = 10;
const O_ACCMODE = 3;
const O_CREAT = 0o100;
const O_TRUNC = 0o1000;
const O_PATH = 0o10000000;
/** Flags with which a file is not handed out whole: O_APPEND, O_DIRECT, O_PATH. */
const notWhole = 0o2000 | openFlags.direct | 0o10000000;

const AT_SYMLINK_NOFOLLOW = 0x100;
/** Where st_mode is in struct statx (statx(2)). */
const statusModeAt = 28;
/** Changes that change no file. */
const harmless: readonly number[] = [fileChanges.sync, fileChanges.flags];
/** Changes that make something new. */
const making: readonly number[] = [fileChanges.mkdir, fileChanges.mknod];

const nothing = new Uint8Array(0);

export interface FilesOptions {
  agent: AgentLink;
  config: FilesConfig;
  places: LocalPlaces;
  mounts?: Mounts;
  /** Where the socket of the holders goes. */
  holdsPath: string;
  emit: Emit;
  /** Takes each decision about a path, while somebody watches. */
  details?: Details;
}

/** An open file and, until it is held, the process for which it was opened. */
interface Open {
  file: RemoteFile;
  writes: boolean;
  opener: AppProcess | null;
}

export class Files implements Floor {
  readonly kinds = ["open", "release", "unwatched", ...fileKinds] as const;
  /** For helloReply: the paths that a process need not ask about. */
  readonly paths: Uint8Array;
  readonly #agent: AgentLink;
  readonly #emit: Emit;
  readonly #ways: Ways;
  readonly #readOnly: ReadOnly;
  readonly #readAhead: number;
  readonly #seen: SeenFolders;
  readonly #holds: Holds;
  readonly #files = new Map<number, Open>();
  readonly #late = new Set<number>();
  #nextFile = 1;
  #isOver = false;
  #saidUnwatched = false;
  readonly #saidMissing = new Set<string>();

  /** Throws RegexError and ConfigError for a pattern that cannot be used. */
  constructor({ agent, config, places, mounts, holdsPath, emit, details }: FilesOptions) {
    this.#agent = agent;
    this.#emit = emit;
    const stat = (path: Uint8Array) => this.#request("stat", { dir: 0, flags: 0, path });
    this.#ways = new Ways(new Policy(config, places, mounts), stat, details);
    this.#readOnly = new ReadOnly({ mode: (way, flags) => this.#modeAt(way, flags), emit });
    this.#readAhead = config.readAhead;
    const isOn = config.cache === "walk" && agent.version >= agentMessages.scan.since;
    this.#seen = new SeenFolders({ scan: (asked) => this.#request("scan", asked), isOn });
    this.paths = osBytes(log.isDebug() ? "" : pathTable(config, places, mounts)); // so that each path's rule is logged
    this.#holds = new Holds(holdsPath, {
      held: (id) => {
        const open = this.#files.get(id);
        if (open !== undefined) open.opener = null;
      },
      released: (id) => void this.#close(id),
      lost: (id, bytes) => {
        const path = osText(this.#files.get(id)?.file.path ?? nothing);
        emit({ type: "bytesLost", path, bytes });
      },
      waits: (reason) => emit({ type: "holderWaits", reason }),
    });
    void this.#prepare();
  }

  async answer({ link, frame, process }: Question): Promise<void> {
    if (frame.name === "release") return void this.#close(decode(layerMessages.release, frame.body).file);
    if (frame.name === "unwatched") {
      return this.#sayUnwatched(process, decode(layerMessages.unwatched, frame.body).path);
    }
    using _asking = this.#seen.asking();
    try {
      await this.#ways.meet(process);
      await this.#perform({ link, frame, process });
    } catch (error) {
      if (error instanceof LinkError) throw new RemoteError(E.EIO, "the agent is gone");
      throw error;
    }
  }

  /** What it opened and nobody holds; a holder's message may still be on its way. */
  ended(process: AppProcess): Promise<void> {
    if (this.#isOver) return Promise.resolve();
    const timer = setTimeout(() => {
      this.#late.delete(timer);
      for (const [id, { opener }] of this.#files) if (opener === process) void this.#close(id);
    }, holdLimitMs);
    this.#late.add(timer);
    return Promise.resolve();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true;
    for (const timer of this.#late) clearTimeout(timer);
    await this.#holds[Symbol.asyncDispose]();
    this.#files.clear(); // the agent closes them with its client
  }

  /** Once, since a program that watches a tree asks about each of its folders. */
  #sayUnwatched({ executable }: AppProcess, path: Uint8Array): void {
    if (this.#saidUnwatched) return;
    this.#saidUnwatched = true;
    this.#emit({ type: "unwatchable", executable, path: osText(path) });
  }

  /** Lets the agent enter the target's files while the app starts, and reports when it cannot. */
  async #prepare(): Promise<void> {
    try {
      await this.#request("stat", { dir: 0, flags: 0, path: Uint8Array.of(0x2f) });
    } catch (error) {
      if (!(error instanceof RemoteError)) return; // the session's end is reported elsewhere
      this.#emit({ type: "filesUnavailable", reason: error.message });
    }
  }

  // -- questions -------------------------------------------------------------------------------------------------

  async #perform({ link, frame, process }: Question): Promise<void> {
    switch (frame.name) {
      case "open":
        return await link.reply(frame, "openReply", await this.#open(frame, process));
      case "stat":
      case "access":
      case "readLink":
      case "statfs":
      case "enter":
        return await this.#handOn(frame.name, { link, frame, process });
      case "list": {
        const { file, ...asked } = decode(layerMessages.list, frame.body);
        const { remote } = this.#file(file);
        const page = asked.cursor === 0n ? this.#seen.firstPage(remote) : null;
        const answer = page ?? await this.#request("list", { ...asked, file: remote });
        return await link.reply(frame, "listReply", answer);
      }
      case "read": {
        const { file, offset, count } = decode(layerMessages.read, frame.body);
        const content = await this.#file(file).read(offset, count);
        const sent = link.reply(frame, "readReply", { content }); // which has a copy of it
        freeBytes(content);
        return await sent;
      }
      case "write": {
        const { file, offset, content } = decode(layerMessages.write, frame.body);
        const open = this.#file(file);
        using _changing = this.#seen.changing();
        const count = await open.write(offset, content);
        this.#forget(({ identity }) => identity === open.identity);
        return await link.reply(frame, "writeReply", { count });
      }
      case "seek": {
        const { file, offset, whence } = decode(layerMessages.seek, frame.body);
        return await link.reply(frame, "seekReply", { offset: await this.#file(file).seek(offset, whence) });
      }
      case "change":
        return await link.reply(frame, "changeReply", await this.#change(frame, process));
      default:
        return await link.reply(frame, "moveReply", await this.#move(frame, process));
    }
  }

  /** A question about one path: here it is only decided where that leads. */
  async #handOn<K extends PathKind>(kind: K, { link, frame, process }: Question): Promise<void> {
    const asked: Placed = decode(layerMessages[kind], frame.body);
    const way = this.#way(asked.dir, asked.path, false, process);
    const answer = way.where === local
      ? Object.fromEntries(Object.keys(fileRequests[kind].told).map((field) => [field, nothing]))
      : await this.#requestAt(kind, asked, way);
    const path = way.where === local ? way.path : kind === "enter" ? way.full : nothing;
    const told = { ...answer, where: way.where, path } as Body<LayerTable[`${K}Reply`]>;
    await link.reply(frame, `${kind}Reply`, told);
  }

  /**
   * A directory that only this machine has is not entered in its stead: what a program does there is meant
   * for the target.
   */
  async #requestAt(kind: PathKind, asked: Placed, { dir, path, full }: RemoteWay): Promise<object> {
    try {
      const known = kind === "enter" ? null : await this.#seen.answer(kind, { ...asked, dir, path });
      return known ?? await this.#request(kind, { ...asked, dir, path } as Body<AgentTable[PathKind]>);
    } catch (error) {
      const isMissing = error instanceof RemoteError && error.errno === E.ENOENT;
      if (kind === "enter" && isMissing) await this.#sayMissing(full);
      throw error;
    }
  }

  async #sayMissing(path: Uint8Array): Promise<void> {
    const name = osText(path);
    if (this.#saidMissing.has(name) || this.#saidMissing.size >= missingLimit) return;
    this.#saidMissing.add(name);
    if (!await Deno.stat(name).then(({ isDirectory }) => isDirectory, () => false)) return;
    this.#emit({ type: "missingFolder", path: name });
  }

  async #open(frame: LayerFrame, process: AppProcess): Promise<Body<LayerTable["openReply"]>> {
    const { dir, mode, path, ...asked } = decode(layerMessages.open, frame.body);
    let { flags } = asked;
    let writes = (flags & O_PATH) === 0 && (flags & (O_ACCMODE | O_CREAT | O_TRUNC)) !== 0;
    let way = this.#way(dir, path, writes, process);
    if (way.where === local) {
      if (way.read === null || !await this.#readOnly.opens(way.read, flags)) {
        return { file: 0, end: false, status: nothing, content: nothing, where: local, path: way.path };
      }
      way = way.read;
      flags &= ~O_CREAT;
      writes = false;
    }
    using _changing = (flags & (O_CREAT | O_TRUNC)) !== 0 ? this.#seen.changing() : null;
    await this.#seen.answer("open", { dir: way.dir, path: way.path, flags });
    const since = this.#seen.opens(way, flags);
    const isWhole = !writes && (flags & notWhole) === 0 && !this.#isWritten(way.full);
    const { file, end, status, content } = await this.#request("open", {
      dir: way.dir,
      flags,
      mode,
      whole: isWhole ? wholeLimit : 0,
      ahead: writes ? 0 : this.#readAhead,
      path: way.path,
    });
    if (file === 0) return { file, end, where: whole, status, path: nothing, content };
    const opened = { file, path: way.full, flags, status, begin: content, readAhead: this.#readAhead };
    const open = new RemoteFile(this.#agent, opened);
    if ((flags & O_TRUNC) !== 0) this.#forget(({ identity }) => identity === open.identity);
    if (open.isDirectory) this.#seen.opened(way, { file, status, page: { end, entries: content } }, since);
    const id = this.#nextFile++;
    this.#files.set(id, { file: open, writes, opener: process });
    const page = open.isDirectory ? content : nothing;
    return { where: remote, file: id, end, status, path: nothing, content: page };
  }

  async #change(frame: LayerFrame, process: AppProcess): Promise<Body<LayerTable["changeReply"]>> {
    const { dir, path, ...change } = decode(layerMessages.change, frame.body);
    const way = this.#way(dir, path, !harmless.includes(change.what), process);
    if (way.where === local) {
      const isLink = change.what === fileChanges.remove || (change.flags & AT_SYMLINK_NOFOLLOW) !== 0;
      if (way.read !== null && making.includes(change.what)) await this.#readOnly.makes(way.read);
      else if (way.read !== null) await this.#readOnly.changes(way.read, isLink);
      return way;
    }
    using _changing = harmless.includes(change.what) ? null : this.#seen.changing();
    await this.#request("change", { ...change, dir: way.dir, path: way.path });
    if (change.what === fileChanges.flags) this.#file(dir).setAppends(change.first !== 0n);
    else this.#forget((file) => isBelow(file.path, way.full));
    return { where: remote, path: nothing };
  }

  async #move(frame: LayerFrame, process: AppProcess): Promise<Body<LayerTable["moveReply"]>> {
    const { what, fromDir, toDir, flags, from, to } = decode(layerMessages.move, frame.body);
    const target = this.#way(toDir, to, true, process);
    const isText = what === fileMoves.symlink;
    const source: Way = isText
      ? target.where === local
        ? { where: local, path: nothing, read: null }
        : { ...target, dir: 0, path: from }
      : this.#way(fromDir, from, true, process);
    if (source.where === local && target.where === local) {
      if (source.read !== null) await this.#readOnly.changes(source.read, true);
      if (target.read !== null) await this.#readOnly.makes(target.read, what === fileMoves.rename);
      return { where: local, from: source.path, to: target.path };
    }
    if (source.where === local || target.where === local) {
      throw new RemoteError(E.EXDEV, "one path is local, the other the target's");
    }
    const order = { what, fromDir: source.dir, toDir: target.dir, flags, from: source.path, to: target.path };
    using _changing = this.#seen.changing();
    await this.#request("move", order);
    return { where: remote, from: nothing, to: nothing };
  }

  // -- places ----------------------------------------------------------------------------------------------------

  #way(dir: number, path: Uint8Array, writes: boolean, process: AppProcess): Way {
    return this.#ways.find(dir === 0 ? null : this.#file(dir), path, { writes, process });
  }

  async #modeAt({ dir, path }: RemoteWay, flags: number): Promise<number> {
    const { status } = await this.#request("stat", { dir, flags, path });
    return new DataView(status.buffer, status.byteOffset).getUint16(statusModeAt, true);
  }

  #file(id: number): RemoteFile {
    const open = this.#files.get(id);
    if (open === undefined) throw new RemoteError(E.EBADF, "no such open file");
    return open.file;
  }

  /** Whether some process has `path` open for writing: then a copy of it would soon be old. */
  #isWritten(path: Uint8Array): boolean {
    for (const { file, writes } of this.#files.values()) {
      if (writes && isBelow(file.path, path) && isBelow(path, file.path)) return true;
    }
    return false;
  }

  #forget(isMeant: (file: RemoteFile) => boolean): void {
    for (const { file } of this.#files.values()) if (isMeant(file)) file.forget();
  }

  async #close(id: number): Promise<void> {
    const open = this.#files.get(id);
    if (open === undefined) return;
    this.#files.delete(id);
    this.#seen.closed(open.file.remote);
    try {
      await open.file.close();
    } catch (error) {
      // The app's own close has long returned: the error can only be logged.
      if (error instanceof RemoteError) {
        this.#emit({ type: "fileCloseFailed", reason: error.message });
      }
    }
  }

  async #request<K extends FileKind | "open" | "scan">(
    kind: K,
    body: Body<AgentTable[K]>,
  ): Promise<Body<AgentTable[`${K}Reply`]>> {
    const [frame] = await this.#agent.request(kind, body);
    return decode(agentMessages[`${kind}Reply`], frame?.body ?? nothing) as Body<AgentTable[`${K}Reply`]>;
  }
}
