// The files floor of a fake session: a temporary folder of this machine stands for the target's "/pod",
// answered in real frames. Used by tests/support/fake_session.ts. What is not below "/pod" is local;
// "/mapped" is rewritten to a local folder. The invariant: an open file lives as long as its hold, the
// descriptors that the layer keeps.

import fs from "node:fs";
import { Buffer } from "node:buffer";
import os from "node:os";
import { fileSystem, status } from "./file_status.ts";
import {
  type Body,
  decode,
  fileChanges,
  fileMoves,
  layerMessages,
  openFlags,
  ownPosition,
} from "../../protocol-wasm/mod.ts";

type Messages = typeof layerMessages;
type Name = keyof Messages;

/** The answer to one question: the name of the reply and its fields, or an errno. */
export type FileAnswer = { name: Name; body: Record<string, unknown> } | { errno: number };

const allReads = 0o1000 | 0o100 | 0o2000 | 3;
const { directory, noFollow: nofollow } = openFlags;
const wholeLimit = 256 * 1024;

interface OpenFile {
  path: string;
  fd: number;
  folder: boolean;
  append: boolean;
  position: bigint;
  held: boolean;
}

export class FakeFiles implements AsyncDisposable {
  /** The folder that the app sees as "/pod". */
  readonly root = Deno.makeTempDirSync({ prefix: "mirrord-files-test." });
  /** The folder that "/mapped" is rewritten to. */
  readonly mapped = Deno.makeTempDirSync({ prefix: "mirrord-files-test." });
  /** What hello's answer says in `paths`. */
  rules = "A/pod\nA/mapped\nL/\n";
  /** The path of the app's at which it sees the folder; `rules` must ask about it. */
  at = "/pod";
  /** Entries of a page of a folder's list. */
  pageEntries = 1000;
  /** Are they sorted, or in the kernel's order? */
  sorted = true;
  /** Errno's name for what may not be opened, by its name in the folder. */
  readonly refused = new Map<string, string>();
  /** Every question's name, with its path where it has one. */
  readonly asked: string[] = [];
  readonly #open = new Map<number, OpenFile>();
  readonly #waiting = new Set<() => void>();
  #lastId = 0;

  /** Puts something of each kind into the folder. */
  fill(): void {
    const text = Array.from({ length: 100_000 }, (_, n) => `${n + 1}\n`).join("");
    fs.writeFileSync(`${this.root}/small`, "hello target", { mode: 0o640 });
    fs.utimesSync(`${this.root}/small`, 981_158_400, 981_158_400);
    fs.writeFileSync(`${this.root}/big`, text, { mode: 0o644 });
    fs.symlinkSync("small", `${this.root}/link`);
    fs.mkdirSync(`${this.root}/empty`);
    fs.mkdirSync(`${this.root}/d`);
    fs.writeFileSync(`${this.root}/d/e`, "deep");
    fs.writeFileSync(`${this.root}/a.json`, '{"a": 1}');
    fs.mkdirSync(`${this.root}/many`);
    for (let n = 0; n < 50; n++) fs.writeFileSync(`${this.root}/many/${n}`, "");
    for (const name of ["a.json", "big", "d/e", "d", "many", "empty", ""]) {
      fs.utimesSync(`${this.root}/${name}`, 981_158_400, 981_158_400);
    }
    fs.lutimesSync(`${this.root}/link`, 981_158_400, 981_158_400);
  }

  /** How many files are open at this moment. */
  get open(): number {
    return this.#open.size;
  }

  /** Resolves when nothing is open any more. */
  async closed(): Promise<void> {
    while (this.#open.size > 0) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#waiting.add(resolve);
      await promise;
      this.#waiting.delete(resolve);
    }
  }

  /** Takes the holds of the layer: a file is closed when its hold ends. */
  async hold(conn: Deno.Conn): Promise<void> {
    const bytes = new Uint8Array(4);
    let id = 0;
    try {
      if (await conn.read(bytes) === 4) id = new DataView(bytes.buffer).getUint32(0, true);
      const file = this.#open.get(id);
      if (file !== undefined) file.held = true;
      while (await conn.read(bytes) !== null);
    } catch {
      // The app was ended.
    } finally {
      conn.close();
      this.#close(id);
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    for (const id of [...this.#open.keys()]) this.#close(id);
    fs.rmSync(this.root, { recursive: true });
    fs.rmSync(this.mapped, { recursive: true });
    return Promise.resolve();
  }

  /**
   * Answers a question of the files floor; undefined for another floor's, null for one that has no answer.
   */
  answer(name: string, payload: Uint8Array): FileAnswer | undefined | null {
    try {
      return this.#answer(name as Name, payload);
    } catch (error) {
      const errno = errnoOf(error);
      if (errno === undefined) throw error;
      return { errno };
    }
  }

  #answer(name: Name, payload: Uint8Array): FileAnswer | undefined | null {
    switch (name) {
      case "open":
        return this.#openAt(decode(layerMessages.open, payload));
      case "stat": {
        const { dir, flags, path } = decode(layerMessages.stat, payload);
        return this.#at(name, dir, path, (local) => ({ status: status(local, (flags & 0x100) !== 0) }), {
          status: empty,
        });
      }
      case "access": {
        const { dir, mode, path } = decode(layerMessages.access, payload);
        return this.#at(name, dir, path, (local) => (fs.accessSync(local, mode), {}), {});
      }
      case "readLink": {
        const { dir, path } = decode(layerMessages.readLink, payload);
        return this.#at(
          name,
          dir,
          path,
          (local) => ({ target: new TextEncoder().encode(fs.readlinkSync(local)) }),
          { target: empty },
        );
      }
      case "enter":
        return this.#enter(decode(layerMessages.enter, payload));
      case "statfs": {
        const { dir, path } = decode(layerMessages.statfs, payload);
        return this.#at(name, dir, path, (local) => ({ status: fileSystem(local) }), { status: empty });
      }
      case "list": {
        const { file, cursor } = decode(layerMessages.list, payload);
        this.#say(name, this.#file(file).path);
        const page = this.#page(this.#file(file).path, Number(cursor));
        return { name: "listReply", body: { end: page.end, entries: page.bytes } };
      }
      case "read":
        return this.#read(decode(layerMessages.read, payload));
      case "write":
        return this.#write(decode(layerMessages.write, payload));
      case "seek":
        return this.#seek(decode(layerMessages.seek, payload));
      case "change": {
        const body = decode(layerMessages.change, payload);
        return this.#at(name, body.dir, body.path, (local) => (this.#change(local, body), {}), {});
      }
      case "move":
        return this.#move(decode(layerMessages.move, payload));
      case "release":
        this.#close(decode(layerMessages.release, payload).file);
        return null;
      case "unwatched":
        this.#say(name, new TextDecoder().decode(decode(layerMessages.unwatched, payload).path));
        return null;
      default:
        return undefined;
    }
  }

  #say(name: string, path: string): void {
    this.asked.push(`${name} ${path.replace(this.root, "/pod")}`);
  }

  #file(id: number): OpenFile {
    const file = this.#open.get(id);
    if (file === undefined) throw Object.assign(new Error("no such file"), { code: "EBADF" });
    return file;
  }

  #close(id: number): void {
    const file = this.#open.get(id);
    if (file === undefined) return;
    this.#open.delete(id);
    if (file.fd >= 0) fs.closeSync(file.fd);
    for (const resolve of this.#waiting) resolve();
  }

  /** A path of this machine, or why not: the app's own, or rewritten. */
  #locate(dir: number, bytes: Uint8Array): { local: string } | { rewritten: string } {
    const path = new TextDecoder().decode(bytes);
    if (dir !== 0) return { local: path === "" ? this.#file(dir).path : `${this.#file(dir).path}/${path}` };
    if (`${path}/`.startsWith(`${this.at}/`)) return { local: this.root + path.slice(this.at.length) };
    return { rewritten: path.startsWith("/mapped/") ? this.mapped + path.slice(7) : "" };
  }

  #at(
    name: Name,
    dir: number,
    path: Uint8Array,
    run: (local: string) => Record<string, unknown>,
    blank: Record<string, unknown>,
  ): FileAnswer {
    const found = this.#locate(dir, path);
    this.#say(name, "local" in found ? found.local : new TextDecoder().decode(path));
    const reply = `${name}Reply` as Name;
    if ("rewritten" in found) {
      return { name: reply, body: { where: 0, path: new TextEncoder().encode(found.rewritten), ...blank } };
    }
    return { name: reply, body: { where: 2, path: empty, ...run(found.local) } };
  }

  #enter({ dir, path }: Body<Messages["enter"]>): FileAnswer {
    const utf8 = new TextEncoder();
    return this.#at("enter", dir, path, (local) => {
      if (!fs.statSync(local).isDirectory()) throw Object.assign(new Error("enter"), { code: "ENOTDIR" });
      fs.accessSync(local, fs.constants.X_OK);
      const seen = (path: string) => utf8.encode(path.replace(this.root, this.at));
      return { path: path.length === 0 ? seen(local) : path, physical: seen(fs.realpathSync(local)) };
    }, { physical: empty });
  }

  #openAt({ dir, flags, mode, path }: Body<Messages["open"]>): FileAnswer {
    const found = this.#locate(dir, path);
    this.#say("open", "local" in found ? found.local : new TextDecoder().decode(path));
    const body = { where: 0, file: 0, end: false, status: empty, path: empty, content: empty };
    if ("rewritten" in found) {
      return { name: "openReply", body: { ...body, path: new TextEncoder().encode(found.rewritten) } };
    }
    const refused = this.refused.get(found.local.slice(this.root.length + 1));
    if (refused !== undefined) throw Object.assign(new Error("refused"), { code: refused });
    const fd = fs.openSync(found.local, flags, mode);
    const stat = fs.fstatSync(fd);
    const folder = stat.isDirectory();
    const filled = { ...body, status: status(found.local, (flags & nofollow) !== 0) };
    if (stat.isFile() && (flags & (allReads | directory)) === 0 && stat.size <= wholeLimit) {
      const content = fs.readFileSync(fd);
      fs.closeSync(fd);
      return { name: "openReply", body: { ...filled, where: 1, content } };
    }
    const file = ++this.#lastId;
    const append = (flags & 0o2000) !== 0;
    this.#open.set(file, { path: found.local, fd, folder, append, position: 0n, held: false });
    const page = folder ? this.#page(found.local, 0) : { end: false, bytes: empty };
    return { name: "openReply", body: { ...filled, where: 2, file, end: page.end, content: page.bytes } };
  }

  #page(folder: string, cursor: number): { end: boolean; bytes: Uint8Array } {
    const inside = fs.readdirSync(folder);
    const names = [".", "..", ...(this.sorted ? inside.sort() : inside)];
    const taken = names.slice(cursor, cursor + this.pageEntries);
    const entries = taken.map((name, index) => {
      const bytes = new TextEncoder().encode(name);
      const entry = new Uint8Array((19 + bytes.length + 1 + 7) & ~7);
      const view = new DataView(entry.buffer);
      const stat = fs.lstatSync(`${folder}/${name}`, { bigint: true });
      view.setBigUint64(0, stat.ino, true);
      view.setBigUint64(8, BigInt(cursor + index + 1), true);
      view.setUint16(16, entry.length, true);
      entry[18] = Number(stat.mode >> 12n) & 15;
      entry.set(bytes, 19);
      return entry;
    });
    return {
      end: cursor + taken.length >= names.length,
      bytes: new Uint8Array(Buffer.concat(entries)),
    };
  }

  #read({ file: id, offset, count }: Body<Messages["read"]>): FileAnswer {
    const file = this.#file(id);
    this.#say("read", file.path);
    const at = offset === ownPosition ? file.position : offset;
    const content = new Uint8Array(count);
    const got = fs.readSync(file.fd, content, 0, count, Number(at));
    if (offset === ownPosition) file.position += BigInt(got);
    return { name: "readReply", body: { content: content.subarray(0, got) } };
  }

  #write({ file: id, offset, content }: Body<Messages["write"]>): FileAnswer {
    const file = this.#file(id);
    this.#say("write", file.path);
    const end = BigInt(fs.fstatSync(file.fd).size);
    const at = file.append ? end : offset === ownPosition ? file.position : offset;
    const count = fs.writeSync(file.fd, content, 0, content.length, Number(at));
    if (offset === ownPosition) file.position = at + BigInt(count);
    return { name: "writeReply", body: { count } };
  }

  #seek({ file: id, offset, whence }: Body<Messages["seek"]>): FileAnswer {
    const file = this.#file(id);
    const from = [0n, file.position, file.folder ? 0n : BigInt(fs.fstatSync(file.fd).size)][whence];
    const position = from === undefined ? -1n : from + BigInt.asIntN(64, offset);
    if (position < 0n) throw Object.assign(new Error("seek"), { code: "EINVAL" });
    file.position = position;
    return { name: "seekReply", body: { offset: position } };
  }

  #change(local: string, body: Body<Messages["change"]>): void {
    const { what, flags, first, second, third, fourth } = body;
    const link = (flags & 0x100) !== 0;
    switch (what) {
      case fileChanges.mkdir:
        return void fs.mkdirSync(local, { mode: Number(first) });
      case fileChanges.remove:
        if ((flags & 0x200) !== 0) return fs.rmdirSync(local);
        if (fs.lstatSync(local).isDirectory()) throw Object.assign(new Error("unlink"), { code: "EISDIR" });
        return fs.unlinkSync(local);
      case fileChanges.chmod:
        if (link && fs.lstatSync(local).isSymbolicLink()) {
          throw Object.assign(new Error("chmod"), { code: "EOPNOTSUPP" });
        }
        return fs.chmodSync(local, Number(first));
      case fileChanges.chown: {
        const [uid, gid] = [Number(BigInt.asIntN(32, first)), Number(BigInt.asIntN(32, second))];
        return link ? fs.lchownSync(local, uid, gid) : fs.chownSync(local, uid, gid);
      }
      case fileChanges.utimens: {
        const now = Date.now() / 1000;
        const of = (seconds: bigint, ns: bigint) =>
          ns >= 2n ** 30n - 2n ? now : Number(seconds) + Number(ns) / 1e9;
        const times = [of(first, second), of(third, fourth)] as const;
        return link ? fs.lutimesSync(local, ...times) : fs.utimesSync(local, ...times);
      }
      case fileChanges.truncate:
        return fs.truncateSync(local, Number(first));
      case fileChanges.sync:
        return;
      case fileChanges.allocate:
        if (fs.statSync(local).size < Number(second + third)) fs.truncateSync(local, Number(second + third));
        return;
      case fileChanges.mknod: {
        const { code } = new Deno.Command("mkfifo", { args: [local] }).outputSync();
        if (code !== 0) throw Object.assign(new Error("mkfifo"), { code: "EEXIST" });
      }
    }
  }

  #move(body: Body<Messages["move"]>): FileAnswer {
    const to = this.#locate(body.toDir, body.to);
    const from = body.what === fileMoves.symlink
      ? { local: new TextDecoder().decode(body.from) }
      : this.#locate(body.fromDir, body.from);
    this.#say("move", `${"local" in from ? from.local : "local"} ${"local" in to ? to.local : "local"}`);
    if ("rewritten" in from && "rewritten" in to) {
      const [one, other] = [from, to].map(({ rewritten }) => new TextEncoder().encode(rewritten));
      return { name: "moveReply", body: { where: 0, from: one, to: other } };
    }
    if ("rewritten" in from || "rewritten" in to) return { errno: os.constants.errno.EXDEV };
    if (body.what === fileMoves.rename) fs.renameSync(from.local, to.local);
    else if (body.what === fileMoves.link) fs.linkSync(from.local, to.local);
    else fs.symlinkSync(from.local, to.local);
    return { name: "moveReply", body: { where: 2, from: empty, to: empty } };
  }
}

const empty = new Uint8Array();

function errnoOf(error: unknown): number | undefined {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  return (os.constants.errno as Record<string, number>)[code];
}
