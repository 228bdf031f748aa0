// The floor "files" of one client: its open files in the target, and its requests on them, which run on
// threads of their own (files/threads.ts) with the rights of the target's process. Made by client.ts.
// Invariant: a number of an open file means what this client opened, never another descriptor of the agent.

import {
  type AgentFrame,
  type AgentLink,
  agentMessages,
  type ByteChannel,
  decode,
  endFlag,
  fileKinds,
  filePage,
  freeBytes,
  type Message,
} from "../protocol-wasm/mod.ts";
import type { FileAnswer, FileCall } from "./files/operations.ts";
import { FileThreads } from "./files/threads.ts";
import type { Floor } from "./floor.ts";
import { Room } from "./room.ts";
import { E, K, SystemError } from "./sys/libc.ts";
import { findTarget, type TargetProcess } from "./sys/proc.ts";

const maxOpen = 4096;
/** Requests that wait for the other end of a pipe, or for a device. */
const maxPatient = 64;
/** How long closing may take when the client is gone. */
const leaveLimitMs = 200;
const firstPauseMs = 2;
const longestPauseMs = 50;
/** Files that are streamed at a time; of further ones the client asks piece by piece. */
const maxStreams = 32;
/** What is read and sent at a time when a file is streamed. */
const streamPiece = 1 << 18;
/** Answers that are read, or wait to be written, at a time: their number and their bytes. */
const answerLimits = { count: 256, bytes: 8 << 20 };
/** The size of an answer that is empty, or holds a status only. */
const smallAnswer = 512;
/** Most content of one frame. */
const maxContent = 1 << 20;
/** Fields that name an open directory (protocol-wasm/messages/file_requests.ts). */
const directories: ReadonlySet<string> = new Set(["dir", "fromDir", "toDir"]);

interface OpenFile {
  fd: number;
  /** A pipe or device: what it has not got yet is waited for, unless the app said not to. */
  isPatient: boolean;
  /** Bytes came out of it: an end is the end from then on. */
  hasBegun: boolean;
}

export class Files implements Floor {
  readonly kinds = ["open", "close", "stream", "scan", ...fileKinds] as const;
  readonly #link: AgentLink;
  readonly #threads: FileThreads;
  readonly #isShared: boolean;
  readonly #files = new Map<number, OpenFile>();
  readonly #room = new Room(answerLimits);
  #nextFile = 1;
  #patient = 0;
  #streams = 0;
  #isOver = false;

  /** shared: threads that outlive this client; its own unless given. */
  constructor(link: AgentLink, target: TargetProcess, shared?: FileThreads) {
    this.#link = link;
    this.#threads = shared ?? new FileThreads(() => findTarget(target));
    this.#isShared = shared !== undefined;
  }

  async answer(frame: AgentFrame): Promise<void> {
    if (frame.name === "open") return await this.#open(frame);
    if (frame.name === "close") return await this.#close(frame);
    if (frame.name === "stream") return await this.#stream(frame);
    if (frame.name === "read") return await this.#read(frame);
    if (frame.name === "write") return await this.#write(frame);
    using _place = await this.#room.take(isPage(frame) ? filePage : smallAnswer);
    const { body } = await this.#threads.perform(this.#order(frame));
    await this.#link.send(frame.name, frame.id, body, endFlag);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true;
    const files = [...this.#files.values()];
    this.#files.clear();
    const closing = files.map(({ fd }) => this.#threads.perform({ call: "close", file: fd }).catch(() => {}));
    // A thread may be held up by a disk: the process ends soon, and the kernel closes what is left.
    const late = Promise.withResolvers<void>();
    const timer = setTimeout(late.resolve, leaveLimitMs);
    await Promise.race([Promise.all(closing), late.promise]);
    clearTimeout(timer);
    if (!this.#isShared) this.#threads[Symbol.dispose]();
  }

  // -- requests --------------------------------------------------------------------------------------------------

  /** What a thread is asked for a frame: the same, with descriptors for the numbers of open files. */
  #order(frame: AgentFrame): FileCall {
    const call = frame.name as FileCall["call"];
    const asked = decode<Message>(agentMessages[call], frame.body);
    const order = Object.entries(asked).map(([name, value]) => [name, this.#meant(name, value)]);
    return { call, ...Object.fromEntries(order) } as FileCall;
  }

  #meant(name: string, value: unknown): unknown {
    if (name === "file") return this.#file(Number(value)).fd;
    return directories.has(name) ? this.#directory(Number(value)) : value;
  }

  async #open(frame: AgentFrame): Promise<void> {
    const { dir, ...asked } = decode(agentMessages.open, frame.body);
    const { flags, whole, ahead } = asked;
    if (this.#files.size >= maxOpen) throw new SystemError("open", E.EMFILE);
    const file = this.#nextFile++;
    const isPatient = (flags & K.O_NONBLOCK) === 0;
    const most = Math.max(Math.min(Math.max(whole, ahead), maxContent), filePage);
    using done = await this.#patiently(
      { isPatient, bytes: most },
      () => this.#threads.perform({ call: "open", ...asked, dir: this.#directory(dir), file }),
    );
    const { body, opened } = done.answer;
    if (opened !== undefined) {
      if (this.#isOver) return void this.#threads.perform({ call: "close", file: opened.fd }).catch(() => {});
      this.#files.set(file, { fd: opened.fd, isPatient: isPatient && opened.isPipe, hasBegun: false });
    }
    await this.#link.send("open", frame.id, body, endFlag);
  }

  async #close(frame: AgentFrame): Promise<void> {
    const { file } = decode(agentMessages.close, frame.body);
    const { fd } = this.#file(file);
    this.#files.delete(file);
    await this.#threads.perform({ call: "close", file: fd });
    await this.#link.reply(frame, "closeReply", {});
  }

  async #read(frame: AgentFrame): Promise<void> {
    const asked = decode(agentMessages.read, frame.body);
    const { file, count } = asked;
    const open = this.#file(file);
    const bytes = Math.min(count, maxContent);
    using done = await this.#patiently({ isPatient: open.isPatient, bytes }, async () => {
      const answer = await this.#threads.perform({ call: "read", ...asked, file: this.#file(file).fd });
      const isEmpty = answer.body.length === 4 && count > 0;
      // A pipe that nobody has written to yet reads as ended; a blocking open would have waited (fifo(7)).
      if (isEmpty && open.isPatient && !open.hasBegun && this.#files.has(file)) {
        throw new SystemError("read", E.EAGAIN);
      }
      open.hasBegun ||= !isEmpty;
      return answer;
    });
    await this.#link.send("read", frame.id, done.answer.body, endFlag);
  }

  async #write(frame: AgentFrame): Promise<void> {
    const asked = decode(agentMessages.write, frame.body);
    const { file, content } = asked;
    const { isPatient } = this.#file(file);
    using done = await this.#patiently(
      { isPatient, bytes: content.length },
      () => this.#threads.perform({ call: "write", ...asked, file: this.#file(file).fd }),
    );
    await this.#link.send("write", frame.id, done.answer.body, endFlag);
  }

  /** Sends the file on a connection of its own; the next piece is read while one is on its way. */
  async #stream(frame: AgentFrame): Promise<void> {
    const { file, offset } = decode(agentMessages.stream, frame.body);
    this.#file(file);
    if (this.#streams >= maxStreams) throw new SystemError("stream", E.ENOBUFS);
    this.#streams++;
    const channel = this.#link.openChannel(frame.id);
    const piece = async (at: bigint) =>
      await this.#threads.perform({
        call: "read",
        file: this.#file(file).fd,
        offset: at,
        count: streamPiece,
      });
    try {
      await this.#link.reply(frame, "streamReply", {});
      let at = offset;
      for (let next = piece(at);;) {
        const content = (await next).body.subarray(4);
        if (content.length === 0) break;
        at += BigInt(content.length);
        next = piece(at);
        next.catch(() => {});
        await channel.write(content);
        freeBytes(content);
      }
      await channel.closeWrite();
      await drained(channel);
    } catch {
      channel.reset(); // the client has had enough, or asks again by `read` and gets the errno
    } finally {
      this.#streams--;
    }
  }

  // -- places ----------------------------------------------------------------------------------------------------

  #file(file: number): OpenFile {
    const open = this.#files.get(file);
    if (open === undefined) throw new SystemError("files", E.EBADF);
    return open;
  }

  #directory(dir: number): number | null {
    return dir === 0 ? null : this.#file(dir).fd;
  }

  /**
   * Tries again while the kernel returns EAGAIN. The answer has its room until it is disposed; a waiting
   * request has none.
   */
  async #patiently(
    { isPatient, bytes }: { isPatient: boolean; bytes: number },
    perform: () => Promise<FileAnswer>,
  ): Promise<Disposable & { answer: FileAnswer }> {
    let waits = false;
    try {
      for (let pauseMs = firstPauseMs;; pauseMs = Math.min(pauseMs * 2, longestPauseMs)) {
        try {
          using stack = new DisposableStack();
          stack.use(await this.#room.take(bytes));
          const answer = await perform();
          const kept = stack.move();
          return { answer, [Symbol.dispose]: () => kept.dispose() };
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

function isPage({ name }: AgentFrame): boolean {
  return name === "list" || name === "scan";
}

/** Waits for the other side's end of a connection on which that side sends nothing. */
async function drained(channel: ByteChannel): Promise<void> {
  while (await channel.read() !== null) { /* nothing is expected */ }
}
