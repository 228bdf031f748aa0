// The layer's questions about files: which are the target's (policy.ts), and what the app does with those. Made by
// session.ts. Open remote files are shared by all processes of the app; each lives as long as somebody holds it (holds.ts).
// Invariant: what the target refuses, the app is refused with the same errno; nothing becomes local because it failed.

import {
  agentMessages,
  type Body,
  decode,
  fileChanges,
  fileMoves,
  layerMessages,
  LinkError,
  RemoteError,
} from "../../protocol-wasm/mod.ts";
import { log } from "../base/log.ts";
import type { FilesConfig } from "../config/config.ts";
import type { AgentLink, AppProcess, Floor, LayerFrame, Question } from "./floor.ts";
import { Holds } from "./holds.ts";
import { Policy } from "./policy.ts";
import type { LocalPlaces } from "./policy_default.ts";
import { pathTable } from "./policy_table.ts";
import { RemoteFile } from "./remote_file.ts";
import { besideDirectory, isBelow } from "./remote_path.ts";

type LayerTable = typeof layerMessages;
type AgentTable = typeof agentMessages;

/** `where` of an answer. */
const local = 0;
const whole = 1;
const remote = 2;

/** A regular file of at most so many bytes comes with the answer to its open. */
const wholeLimit = 1 << 18;
/** How long after the end of its process an open file may stay without a holder. */
const holdLimitMs = 1000;
/** So many directories that only this machine has are named. */
const missingLimit = 10;
const EIO = 5;
const EBADF = 9;
const ENOENT = 2;
const EXDEV = 18;
const EROFS = 30;
const O_ACCMODE = 3;
const O_CREAT = 0o100;
const O_TRUNC = 0o1000;
/** Flags with which a file is not handed out whole: O_APPEND, O_DIRECT, O_PATH. */
const notWhole = 0o2000 | 0o40000 | 0o10000000;

const nothing = new Uint8Array(0);

export interface FilesOptions {
  agent: AgentLink;
  config: FilesConfig;
  places: LocalPlaces;
  /** Where the socket of the holders goes. */
  holdsPath: string;
}

/** An open file and, until it is held, the process for which it was opened. */
interface Open {
  file: RemoteFile;
  writes: boolean;
  opener: AppProcess | null;
}

interface RemoteWay {
  where: typeof remote;
  /** The agent's number of the directory that `path` starts from; 0 = none. */
  dir: number;
  path: Uint8Array;
  /** From the root. */
  full: Uint8Array;
}

/** Where a path leads: to libc, or to the agent. */
type Way = { where: typeof local; path: Uint8Array } | RemoteWay;

export class Files implements Floor {
  readonly kinds = [
    "open",
    "stat",
    "access",
    "readLink",
    "statfs",
    "list",
    "read",
    "write",
    "seek",
    "change",
    "move",
    "release",
    "unwatched",
    "enter",
  ] as const;
  /** For helloReply: the paths that a process need not ask about. */
  readonly paths: string;
  readonly #agent: AgentLink;
  readonly #policy: Policy;
  readonly #readAhead: number;
  readonly #holds: Holds;
  readonly #files = new Map<number, Open>();
  readonly #late = new Set<number>();
  #nextFile = 1;
  #isOver = false;
  #saidUnwatched = false;
  readonly #saidMissing = new Set<string>();

  /** Throws RegexError and ConfigError for a pattern that cannot be used. */
  constructor({ agent, config, places, holdsPath }: FilesOptions) {
    this.#agent = agent;
    this.#policy = new Policy(config, places);
    this.#readAhead = config.readAhead;
    this.paths = pathTable(config, places);
    this.#holds = new Holds(holdsPath, {
      held: (id) => {
        const open = this.#files.get(id);
        if (open !== undefined) open.opener = null;
      },
      released: (id) => void this.#close(id),
      lost: (id, bytes) => this.#sayLost(id, bytes),
    });
    void this.#prepare();
  }

  async answer({ link, frame, process }: Question): Promise<void> {
    if (frame.name === "release") return void this.#close(decode(layerMessages.release, frame.body).file);
    if (frame.name === "unwatched") {
      return this.#sayUnwatched(process, decode(layerMessages.unwatched, frame.body).path);
    }
    try {
      await this.#perform({ link, frame, process });
    } catch (error) {
      if (error instanceof LinkError) throw new RemoteError(EIO, "the agent is gone");
      throw error;
    }
  }

  /** What it opened and nobody holds; a holder's word may still be on its way. */
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

  /** Once, for who watches a tree asks about each of its folders. */
  #sayUnwatched({ executable }: AppProcess, path: Uint8Array): void {
    if (this.#saidUnwatched) return;
    this.#saidUnwatched = true;
    log.warning(
      `${executable} cannot watch ${new TextDecoder().decode(path)} for changes: it is the target's. ` +
        "Let the program poll, or make what it watches local (feature.fs.local).",
    );
  }

  /** Lets the agent enter the target's files while the app starts, and says it when it cannot. */
  async #prepare(): Promise<void> {
    try {
      await this.#request("stat", { dir: 0, flags: 0, path: Uint8Array.of(0x2f) }, "statReply");
    } catch (error) {
      if (!(error instanceof RemoteError)) return; // the session's end is told elsewhere
      log.error(`${error.message}. Without the target's files it goes on: "feature": {"fs": "local"}.`);
    }
  }

  // -- questions -------------------------------------------------------------------------------------------------

  async #perform({ link, frame, process }: Question): Promise<void> {
    switch (frame.name) {
      case "open":
        return await link.reply(frame, "openReply", await this.#open(frame, process));
      case "stat": {
        const { dir, flags, path } = decode(layerMessages.stat, frame.body);
        const way = this.#way(dir, path, false, process);
        if (way.where === local) return await link.reply(frame, "statReply", { ...way, status: nothing });
        const { status } = await this.#request("stat", { dir: way.dir, flags, path: way.path }, "statReply");
        return await link.reply(frame, "statReply", { where: remote, path: nothing, status });
      }
      case "access": {
        const { dir, mode, flags, path } = decode(layerMessages.access, frame.body);
        const way = this.#way(dir, path, false, process);
        if (way.where === local) return await link.reply(frame, "accessReply", way);
        await this.#request("access", { dir: way.dir, mode, flags, path: way.path }, "accessReply");
        return await link.reply(frame, "accessReply", { where: remote, path: nothing });
      }
      case "readLink": {
        const { dir, path } = decode(layerMessages.readLink, frame.body);
        const way = this.#way(dir, path, false, process);
        if (way.where === local) return await link.reply(frame, "readLinkReply", { ...way, target: nothing });
        const { target } = await this.#request("readLink", { dir: way.dir, path: way.path }, "readLinkReply");
        return await link.reply(frame, "readLinkReply", { where: remote, path: nothing, target });
      }
      case "statfs": {
        const { dir, path } = decode(layerMessages.statfs, frame.body);
        const way = this.#way(dir, path, false, process);
        if (way.where === local) return await link.reply(frame, "statfsReply", { ...way, status: nothing });
        const { status } = await this.#request("statfs", { dir: way.dir, path: way.path }, "statfsReply");
        return await link.reply(frame, "statfsReply", { where: remote, path: nothing, status });
      }
      case "enter": {
        const { dir, path } = decode(layerMessages.enter, frame.body);
        const way = this.#way(dir, path, false, process);
        if (way.where === local) return await link.reply(frame, "enterReply", { ...way, physical: nothing });
        const { physical } = await this.#enter(way);
        return await link.reply(frame, "enterReply", { where: remote, path: way.full, physical });
      }
      case "list": {
        const { file, cursor } = decode(layerMessages.list, frame.body);
        return await link.reply(
          frame,
          "listReply",
          await this.#request("list", { file: this.#file(file).remote, cursor }, "listReply"),
        );
      }
      case "read": {
        const { file, offset, count } = decode(layerMessages.read, frame.body);
        return await link.reply(frame, "readReply", { content: await this.#file(file).read(offset, count) });
      }
      case "write": {
        const { file, offset, content } = decode(layerMessages.write, frame.body);
        const open = this.#file(file);
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

  /** A directory that only this machine has is not entered in its stead: what a program does there is meant for the target. */
  async #enter({ dir, path, full }: RemoteWay): Promise<Body<AgentTable["enterReply"]>> {
    try {
      return await this.#request("enter", { dir, path }, "enterReply");
    } catch (error) {
      if (error instanceof RemoteError && error.errno === ENOENT) void this.#sayMissing(full);
      throw error;
    }
  }

  async #sayMissing(path: Uint8Array): Promise<void> {
    const name = new TextDecoder().decode(path);
    if (this.#saidMissing.has(name) || this.#saidMissing.size >= missingLimit) return;
    this.#saidMissing.add(name);
    if (!await Deno.stat(name).then(({ isDirectory }) => isDirectory, () => false)) return;
    log.warning(
      `Cannot enter "${name}": the target has no such directory, only this machine. ` +
        "To go to this machine's, make it local (feature.fs.local).",
    );
  }

  async #open(frame: LayerFrame, process: AppProcess): Promise<Body<LayerTable["openReply"]>> {
    const { dir, flags, mode, path } = decode(layerMessages.open, frame.body);
    const writes = (flags & O_ACCMODE) !== 0 || (flags & (O_CREAT | O_TRUNC)) !== 0;
    const way = this.#way(dir, path, writes, process);
    const answer = { file: 0, end: false, status: nothing, content: nothing };
    if (way.where === local) return { ...answer, ...way };
    const isWhole = !writes && (flags & notWhole) === 0 && !this.#isWritten(way.full);
    const { file, end, status, content } = await this.#request("open", {
      dir: way.dir,
      flags,
      mode,
      whole: isWhole ? wholeLimit : 0,
      ahead: writes ? 0 : this.#readAhead,
      path: way.path,
    }, "openReply");
    if (file === 0) return { ...answer, where: whole, status, path: nothing, content };
    const opened = { file, path: way.full, flags, status, begin: content, readAhead: this.#readAhead };
    const open = new RemoteFile(this.#agent, opened);
    if ((flags & O_TRUNC) !== 0) this.#forget(({ identity }) => identity === open.identity);
    const id = this.#nextFile++;
    this.#files.set(id, { file: open, writes, opener: process });
    const page = open.isDirectory ? content : nothing;
    return { where: remote, file: id, end, status, path: nothing, content: page };
  }

  async #change(frame: LayerFrame, process: AppProcess): Promise<Body<LayerTable["changeReply"]>> {
    const { dir, path, ...change } = decode(layerMessages.change, frame.body);
    const way = this.#way(dir, path, change.what !== fileChanges.sync, process);
    if (way.where === local) return way;
    await this.#request("change", { ...change, dir: way.dir, path: way.path }, "changeReply");
    this.#forget((file) => isBelow(file.path, way.full));
    return { where: remote, path: nothing };
  }

  async #move(frame: LayerFrame, process: AppProcess): Promise<Body<LayerTable["moveReply"]>> {
    const { what, fromDir, toDir, flags, from, to } = decode(layerMessages.move, frame.body);
    const target = this.#way(toDir, to, true, process);
    const isText = what === fileMoves.symlink;
    const source: Way = isText
      ? target.where === local ? { where: local, path: nothing } : { ...target, dir: 0, path: from }
      : this.#way(fromDir, from, true, process);
    if (source.where === local && target.where === local) {
      return { where: local, from: source.path, to: target.path };
    }
    if (source.where === local || target.where === local) {
      throw new RemoteError(EXDEV, "one path is local, the other the target's");
    }
    const order = { what, fromDir: source.dir, toDir: target.dir, flags, from: source.path, to: target.path };
    await this.#request("move", order, "moveReply");
    return { where: remote, from: nothing, to: nothing };
  }

  // -- places ----------------------------------------------------------------------------------------------------

  /** Throws RemoteError for what is to look absent, and for a change of an open file that must not be changed. */
  #way(dir: number, path: Uint8Array, writes: boolean, { executable }: AppProcess): Way {
    const directory = dir === 0 ? null : this.#file(dir);
    if (path[0] === 0x2f) {
      const meant = this.#policy.rewrite(path);
      const place = this.#policy.decide({ path: meant, writes, executable });
      if (place === "absent") throw new RemoteError(ENOENT, "not found, by configuration");
      if (place === "local") return { where: local, path: meant === path ? nothing : meant };
      return { where: remote, dir: 0, path: meant, full: meant };
    }
    if (directory === null) throw new RemoteError(ENOENT, "a relative path without a directory");
    const full = path.length === 0 ? directory.path : besideDirectory(directory.path, path);
    const place = this.#policy.decide({ path: full, writes, executable });
    if (path.length > 0) {
      if (place === "absent") throw new RemoteError(ENOENT, "not found, by configuration");
      // Changes go where they would by the whole path; what is only looked at stays beside its directory.
      if (writes && place === "local") return { where: local, path: full };
    } else if (writes && place !== "remote") {
      throw new RemoteError(EROFS, "the target's files are only read");
    }
    return { where: remote, dir: directory.remote, path, full };
  }

  #file(id: number): RemoteFile {
    const open = this.#files.get(id);
    if (open === undefined) throw new RemoteError(EBADF, "no such open file");
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

  #sayLost(id: number, bytes: number): void {
    const path = new TextDecoder().decode(this.#files.get(id)?.file.path ?? nothing);
    log.warning(
      `Cannot write ${bytes} bytes to "${path}" of the target: a program that mirrord is not in wrote them`,
    );
  }

  async #close(id: number): Promise<void> {
    const open = this.#files.get(id);
    if (open === undefined) return;
    this.#files.delete(id);
    try {
      await open.file.close();
    } catch (error) {
      // The app's own close has long returned: it can only be said.
      if (error instanceof RemoteError) {
        log.warning(`Cannot close a file of the target in order: ${error.message}`);
      }
    }
  }

  async #request<K extends keyof AgentTable & string, R extends keyof AgentTable & string>(
    kind: K,
    body: Body<AgentTable[K]>,
    reply: R,
  ): Promise<Body<AgentTable[R]>> {
    const [frame] = await this.#agent.request(kind, body);
    return decode(agentMessages[reply], frame?.body ?? nothing) as Body<AgentTable[R]>;
  }
}
