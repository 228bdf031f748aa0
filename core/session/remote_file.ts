// One open file of the target as the app's processes share it: its position, and what was read ahead. Made by
// files.ts. Reads, writes and seeks happen one after the other, as the kernel does with a shared position
// (read(2)). Sequential reads open a stream: a connection over which the agent sends the file, as far ahead
// as its credit allows, which grows with the reader's speed. Any other read asks for just its bytes.

import {
  type AgentLink,
  agentMessages,
  type Body,
  type ByteChannel,
  decode,
  E,
  filePiece,
  freeBytes,
  ownPosition,
  RemoteError,
} from "../../protocol-wasm/mod.ts";

const SEEK_SET = 0;
const SEEK_CUR = 1;
const O_ACCMODE = 3;
const O_APPEND = 0o2000;
const typeMask = 0o170000;
const regular = 0o100000;
const directory = 0o040000;

/** What the agent answered to its open. */
export interface OpenedFile {
  /** The agent's number of it. */
  file: number;
  path: Uint8Array;
  flags: number;
  /** struct statx. */
  status: Uint8Array;
  /** The first bytes of a regular file. */
  begin: Uint8Array;
  readAhead: number;
}

interface Stream {
  channel: ByteChannel;
  /** Where in the file the next byte of `rest`, or of the channel, stands. */
  position: bigint;
  rest: Uint8Array;
  hasEnded: boolean;
}

export class RemoteFile {
  readonly path: Uint8Array;
  readonly isDirectory: boolean;
  /** Device and inode: the same for every open file of one file. */
  readonly identity: string;
  readonly remote: number;
  readonly #link: AgentLink;
  readonly #isRegular: boolean;
  #appends: boolean;
  readonly #readsAhead: boolean;
  #position = 0n;
  #begin: Uint8Array;
  #stream: Stream | null = null;
  /** Where the last read ended: one that goes on there is one of many. */
  #lastEnd = 0n;
  #queue: Promise<unknown> = Promise.resolve();

  constructor(link: AgentLink, opened: OpenedFile) {
    const view = new DataView(opened.status.buffer, opened.status.byteOffset);
    const type = view.getUint16(28, true) & typeMask;
    this.#link = link;
    this.remote = opened.file;
    this.path = opened.path;
    this.isDirectory = type === directory;
    this.identity = `${view.getUint32(136, true)}:${view.getUint32(140, true)}:${
      view.getBigUint64(32, true)
    }`;
    this.#isRegular = type === regular;
    this.#appends = (opened.flags & O_APPEND) !== 0;
    this.#readsAhead = this.#isRegular && opened.readAhead > 0 && (opened.flags & O_ACCMODE) === 0;
    this.#begin = opened.begin;
  }

  /** Fewer bytes than `count` at the end of a regular file only. They are the caller's alone. */
  async read(offset: bigint, count: number): Promise<Uint8Array> {
    if (this.isDirectory) throw new RemoteError(E.EISDIR, "read: a directory");
    const wanted = Math.min(count, filePiece);
    return await this.#inTurn(async () => {
      const isShared = offset === ownPosition;
      if (!this.#isRegular) return await this.#ask(offset, wanted);
      const content = await this.#readAt(isShared ? this.#position : offset, wanted);
      if (isShared) this.#position += BigInt(content.length);
      return content;
    });
  }

  /** How many bytes were written; RemoteError when none could be. */
  write(offset: bigint, content: Uint8Array): Promise<number> {
    return this.#inTurn(async () => {
      const isShared = offset === ownPosition;
      const at = !isShared ? offset : this.#appends || !this.#isRegular ? ownPosition : this.#position;
      const reply = await this.#request("write", { file: this.remote, offset: at, content }, "writeReply");
      if (isShared) this.#position = reply.offset;
      this.forget();
      return reply.count;
    });
  }

  /** Whether the agent's file appends from now on: then it decides where writes at the shared position go. */
  setAppends(appends: boolean): void {
    this.#appends = appends;
  }

  /**
   * lseek(2). The agent's own position in a directory is where its list got to, which is ahead of the app.
   */
  seek(offset: bigint, whence: number): Promise<bigint> {
    return this.#inTurn(async () => {
      const signed = BigInt.asIntN(64, offset);
      let position: bigint;
      if ((this.#isRegular || this.isDirectory) && whence <= SEEK_CUR) {
        position = whence === SEEK_SET ? signed : this.#position + signed;
        if (position < 0n) throw new RemoteError(E.EINVAL, "lseek: a negative position");
      } else {
        const reply = await this.#request("seek", { file: this.remote, offset, whence }, "seekReply");
        position = reply.offset;
      }
      this.#position = position;
      return position;
    });
  }

  /** What was read ahead may be old: somebody wrote to the file. */
  forget(): void {
    this.#begin = new Uint8Array(0);
    this.#stream?.channel.reset();
    this.#stream = null;
  }

  /** The last holder is gone. Rejects with what close(2) said. */
  async close(): Promise<void> {
    this.forget();
    await this.#request("close", { file: this.remote }, "closeReply");
  }

  // -- reading ---------------------------------------------------------------------------------------------------

  async #readAt(offset: bigint, count: number): Promise<Uint8Array> {
    if (count === 0) return new Uint8Array(0);
    const end = offset + BigInt(count);
    const begun = BigInt(this.#begin.length);
    if (end <= begun) {
      // Past the middle of what came with the open: it goes on, so that the rest is there in time.
      if (end > begun / 2n && this.#lastEnd === offset) this.#open(begun);
      this.#lastEnd = end;
      return this.#begin.slice(Number(offset), Number(end));
    }
    const from = offset < begun ? begun : offset;
    const goesOn = this.#readsAhead && (this.#lastEnd === offset || this.#stream?.position === from);
    const rest = goesOn
      ? await this.#readOn(from, Number(end - from))
      : await this.#ask(from, Number(end - from));
    this.#lastEnd = from + BigInt(rest.length);
    if (from === offset) return rest;
    const content = new Uint8Array(Number(from - offset) + rest.length);
    content.set(this.#begin.subarray(Number(offset)));
    content.set(rest, Number(from - offset));
    return content;
  }

  /** From the stream, which is opened there if it is elsewhere. */
  async #readOn(offset: bigint, count: number): Promise<Uint8Array> {
    const stream = this.#stream?.position === offset ? this.#stream : this.#open(offset);
    const content = new Uint8Array(count);
    let length = 0;
    try {
      while (length < count && !stream.hasEnded) {
        if (stream.rest.length === 0) {
          const next = await stream.channel.read();
          stream.hasEnded = next === null;
          stream.rest = next ?? stream.rest;
        }
        const piece = stream.rest.subarray(0, count - length);
        content.set(piece, length);
        length += piece.length;
        stream.position += BigInt(piece.length);
        const rest = stream.rest.subarray(piece.length);
        if (rest.length === 0) stream.channel.release?.(stream.rest);
        stream.rest = rest;
      }
    } catch {
      // Reset: a plain read returns the error, and the lost bytes.
      if (this.#stream === stream) this.#stream = null;
      const more = await this.#ask(offset + BigInt(length), count - length);
      content.set(more, length);
      return content.subarray(0, length + more.length);
    }
    if (stream.hasEnded && this.#stream === stream) {
      stream.channel.closeWrite().catch(() => {});
      this.#stream = null; // the file may grow
    }
    return content.subarray(0, length);
  }

  #open(position: bigint): Stream {
    if (this.#stream?.position === position) return this.#stream;
    this.#stream?.channel.reset();
    const id = this.#link.nextId();
    const asked = this.#link.request("stream", { file: this.remote, offset: position }, { id });
    asked.catch(() => {}); // its channel rejects, and then the bytes are asked for
    const channel = this.#link.openChannel(id);
    this.#stream = { channel, position, rest: new Uint8Array(0), hasEnded: false };
    return this.#stream;
  }

  async #ask(offset: bigint, count: number): Promise<Uint8Array> {
    return (await this.#request("read", { file: this.remote, offset, count }, "readReply")).content;
  }

  async #request<
    K extends keyof typeof agentMessages & string,
    R extends keyof typeof agentMessages & string,
  >(
    kind: K,
    body: Body<typeof agentMessages[K]>,
    reply: R,
  ): Promise<Body<typeof agentMessages[R]>> {
    const [frame] = await this.#link.request(kind, body);
    const answer = frame?.body ?? new Uint8Array(0);
    const told = decode(agentMessages[reply], answer) as Body<typeof agentMessages[R]>; // a copy
    freeBytes(answer);
    return told;
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#queue.then(work);
    this.#queue = turn.catch(() => {});
    return turn;
  }
}
