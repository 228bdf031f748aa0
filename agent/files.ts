// The floor "files" of one client: its open files in the target, and its requests on them, which run on threads of their
// own (files/threads.ts) with the rights of the target's process. Made by client.ts.
// Invariant: a number of an open file means what this client opened, never another descriptor of the agent.

import { agentMessages, type Body, type ByteChannel, decode, endFlag } from "../protocol-wasm/mod.ts";
import { Failure } from "./failure.ts";
import type { FileAnswer, FileCall, RelativePath } from "./files/operations.ts";
import { FileThreads } from "./files/threads.ts";
import type { AgentFrame, AgentLink, Floor } from "./floor.ts";
import { E, K, SystemError } from "./sys/libc.ts";
import { findTarget, type TargetProcess } from "./sys/proc.ts";

const maxOpen = 4096;
/** Requests that wait for the other end of a pipe, or for a device. */
const maxPatient = 64;
/** How long closing may take when the client is gone. */
const leaveLimitMs = 200;
const firstPauseMs = 2;
const longestPauseMs = 50;
/** What is read and sent at a time when a file is streamed. */
const streamPiece = 1 << 18;
/** An offset that means: where the file itself is. */
const ownPosition = (1n << 64n) - 1n;
/** Longer paths and texts of links are nobody's (PATH_MAX). */
const maxPath = 4096;

interface OpenFile {
  fd: number;
  /** A pipe or device: what it has not got yet is waited for, unless the app said not to. */
  isPatient: boolean;
  /** Bytes came out of it: an end is the end from then on. */
  hasBegun: boolean;
}

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
    "close",
    "stream",
    "enter",
  ] as const;
  readonly #link: AgentLink;
  readonly #threads: FileThreads;
  readonly #files = new Map<number, OpenFile>();
  #nextFile = 1;
  #patient = 0;
  #isOver = false;

  constructor(link: AgentLink, target: TargetProcess) {
    this.#link = link;
    this.#threads = new FileThreads(() => findTarget(target));
  }

  async answer(frame: AgentFrame): Promise<void> {
    if (frame.name === "open") return await this.#open(frame);
    if (frame.name === "close") return await this.#close(frame);
    if (frame.name === "stream") return await this.#stream(frame);
    if (frame.name === "read") return await this.#read(frame);
    if (frame.name === "write") return await this.#write(frame);
    const { body } = await this.#threads.perform(this.#order(frame));
    await this.#link.send(frame.name, frame.id, body, endFlag);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true;
    const files = [...this.#files.values()];
    this.#files.clear();
    const closing = files.map(({ fd }) => this.#threads.perform({ call: "close", fd }).catch(() => {}));
    // A thread may be held up by a disk: the process ends soon, and the kernel closes what is left.
    const late = Promise.withResolvers<void>();
    const timer = setTimeout(late.resolve, leaveLimitMs);
    await Promise.race([Promise.all(closing), late.promise]);
    clearTimeout(timer);
    this.#threads[Symbol.dispose]();
  }

  // -- requests --------------------------------------------------------------------------------------------------

  /** What a thread is asked for a frame that neither opens, closes, reads nor writes. */
  #order({ name, body }: AgentFrame): FileCall {
    switch (name) {
      case "stat": {
        const { dir, flags, path } = decode(agentMessages.stat, body);
        return { call: "stat", at: this.#at(dir, path), flags };
      }
      case "access": {
        const { dir, mode, flags, path } = decode(agentMessages.access, body);
        return { call: "access", at: this.#at(dir, path), mode, flags };
      }
      case "readLink": {
        const { dir, path } = decode(agentMessages.readLink, body);
        return { call: "readLink", at: this.#at(dir, path) };
      }
      case "enter": {
        const { dir, path } = decode(agentMessages.enter, body);
        return { call: "enter", at: this.#at(dir, path) };
      }
      case "statfs": {
        const { dir, path } = decode(agentMessages.statfs, body);
        return { call: "statfs", at: this.#at(dir, path) };
      }
      case "list": {
        const { file, cursor } = decode(agentMessages.list, body);
        return { call: "list", fd: this.#file(file).fd, cursor };
      }
      case "seek": {
        const { file, offset, whence } = decode(agentMessages.seek, body);
        return { call: "seek", fd: this.#file(file).fd, offset: BigInt.asIntN(64, offset), whence };
      }
      case "change":
        return this.#change(decode(agentMessages.change, body));
      case "move": {
        const { what, fromDir, toDir, flags, from, to } = decode(agentMessages.move, body);
        return { call: "move", what, from: this.#at(fromDir, from), to: this.#at(toDir, to), flags };
      }
    }
    throw new Failure(E.EPROTO, `Cannot answer "${name}"`);
  }

  #change({ what, dir, flags, path, ...numbers }: Body<typeof agentMessages.change>): FileCall {
    const { first, second, third, fourth } = numbers;
    return { call: "change", what, at: this.#at(dir, path), flags, numbers: [first, second, third, fourth] };
  }

  async #open(frame: AgentFrame): Promise<void> {
    const { dir, flags, mode, whole, ahead, path } = decode(agentMessages.open, frame.body);
    if (this.#files.size >= maxOpen) throw new SystemError("open", E.EMFILE);
    const file = this.#nextFile++;
    const order = { call: "open" as const, at: this.#at(dir, path), flags, mode, whole, ahead, file };
    const isPatient = (flags & K.O_NONBLOCK) === 0;
    const { body, opened } = await this.#patiently(isPatient, () => this.#threads.perform(order));
    if (opened !== undefined) {
      if (this.#isOver) return void this.#threads.perform({ call: "close", fd: opened.fd }).catch(() => {});
      this.#files.set(file, { fd: opened.fd, isPatient: isPatient && opened.isPipe, hasBegun: false });
    }
    await this.#link.send("open", frame.id, body, endFlag);
  }

  async #close(frame: AgentFrame): Promise<void> {
    const { file } = decode(agentMessages.close, frame.body);
    const { fd } = this.#file(file);
    this.#files.delete(file);
    await this.#threads.perform({ call: "close", fd });
    await this.#link.reply(frame, "closeReply", {});
  }

  async #read(frame: AgentFrame): Promise<void> {
    const { file, offset, count } = decode(agentMessages.read, frame.body);
    const open = this.#file(file);
    const place = offset === ownPosition ? null : offset;
    const { body } = await this.#patiently(open.isPatient, async () => {
      const answer = await this.#threads.perform({ call: "read", fd: open.fd, offset: place, count });
      const isEmpty = answer.body.length === 4 && count > 0;
      // A pipe that nobody has written to yet reads as ended; a blocking open would have waited (fifo(7)).
      if (isEmpty && open.isPatient && !open.hasBegun && this.#files.has(file)) {
        throw new SystemError("read", E.EAGAIN);
      }
      open.hasBegun ||= !isEmpty;
      return answer;
    });
    await this.#link.send("read", frame.id, body, endFlag);
  }

  async #write(frame: AgentFrame): Promise<void> {
    const { file, offset, content } = decode(agentMessages.write, frame.body);
    const { fd, isPatient } = this.#file(file);
    const place = offset === ownPosition ? null : offset;
    const { body } = await this.#patiently(
      isPatient,
      () => this.#threads.perform({ call: "write", fd, offset: place, content }),
    );
    await this.#link.send("write", frame.id, body, endFlag);
  }

  /** Sends the file on a connection of its own; the next piece is read while one is on its way. */
  async #stream(frame: AgentFrame): Promise<void> {
    const { file, offset } = decode(agentMessages.stream, frame.body);
    const { fd } = this.#file(file);
    const channel = this.#link.openChannel(frame.id);
    await this.#link.reply(frame, "streamReply", {});
    const piece = (at: bigint) => this.#threads.perform({ call: "read", fd, offset: at, count: streamPiece });
    try {
      let at = offset;
      for (let next = piece(at);;) {
        const content = (await next).body.subarray(4);
        if (content.length === 0) break;
        at += BigInt(content.length);
        next = piece(at);
        next.catch(() => {});
        await channel.write(content);
      }
      await channel.closeWrite();
      await drained(channel);
    } catch {
      channel.reset(); // the client has had enough, or asks again by `read` and is told why
    }
  }

  // -- places ----------------------------------------------------------------------------------------------------

  #file(file: number): OpenFile {
    const open = this.#files.get(file);
    if (open === undefined) throw new SystemError("files", E.EBADF);
    return open;
  }

  #at(dir: number, path: Uint8Array): RelativePath {
    if (path.length > maxPath) throw new SystemError("files", E.ENAMETOOLONG);
    if (dir === 0 && path[0] !== 0x2f && path.length > 0) return { fd: null, path };
    return { fd: dir === 0 ? null : this.#file(dir).fd, path };
  }

  /** Tries again while the kernel says to wait. */
  async #patiently(isPatient: boolean, perform: () => Promise<FileAnswer>): Promise<FileAnswer> {
    let waits = false;
    try {
      for (let pauseMs = firstPauseMs;; pauseMs = Math.min(pauseMs * 2, longestPauseMs)) {
        try {
          return await perform();
        } catch (error) {
          const again = error instanceof SystemError && error.errno === E.EAGAIN && isPatient;
          if (!again || this.#isOver || (!waits && this.#patient >= maxPatient)) throw error;
          if (!waits) this.#patient++;
          waits = true;
        }
        await new Promise((resolve) => setTimeout(resolve, pauseMs));
      }
    } finally {
      if (waits) this.#patient--;
    }
  }
}

/** Waits for the other side's end of a connection on which it has nothing to say. */
async function drained(channel: ByteChannel): Promise<void> {
  while (await channel.read() !== null) { /* nothing is expected */ }
}
