// A link: typed messages and connections over one byte stream. Session and agent own one each, and the session one per
// layer. Frames are decoded in Wasm memory (assembly/frame.ts), sent by outbox.ts, connection bytes live in channel.ts.
// The link ends at the stream's end, by malformed input, by a trap, by silence or by `close`, and then everything that
// waits on it rejects. Late frames of a request given up or of a closed connection are dropped, never fatal.

import { Status } from "./assembly/status.ts";
import { type ByteChannel, Channel, quiet, WindowGrowth } from "./channel.ts";
import { type Body, decode, encode, type MessageTable } from "./codec.ts";
import { LinkError, RemoteError } from "./errors.ts";
import { Inbox } from "./inbox.ts";
import { Liveness, type LivenessOptions } from "./liveness.ts";
import { Outbox } from "./outbox.ts";
import type { LinkStream } from "./stream.ts";
import { type FrameCore, instantiate, refusal } from "./wasm.ts";

export type { ByteChannel, LinkStream };
export { LinkError, RemoteError };

/** Flags of a frame: the last of a reply, a failed reply. */
export const endFlag = 1;
export const errorFlag = 2;

/** A frame from the peer; `decode(table[name], body)` reads it. `name` is the first of the table with its number. */
export interface Received<T extends MessageTable> {
  readonly name: keyof T & string;
  readonly id: number;
  readonly flags: number;
  readonly body: Uint8Array;
}

/** The request that a reply answers: its frame, or its kind's name and id. */
export type Answered = { name: string; id: number } | { kind: string; id: number };

export interface LinkOptions {
  /** Whose ids this side counts up: odd for the client, even for the agent. */
  side: "client" | "agent";
  /** Ends the link when the peer is silent; needs `ping` in the table to keep an idle peer talking. */
  heartbeat?: LivenessOptions;
}

interface Pending<T extends MessageTable> {
  name: keyof T & string;
  kind: number;
  frames: Received<T>[];
  bytes: number;
  answer: PromiseWithResolvers<Received<T>[]>;
}

/** Most bytes of one request's replies. */
const maxReplies = 16 << 20;
/** How many given-up requests are remembered to drop their replies. */
const maxAbandoned = 4096;
/** Pings and their answers that may wait to be written: a peer that does not read costs no memory. */
const maxPings = 16;
const EMFILE = 24;

export class Link<T extends MessageTable> implements AsyncDisposable {
  /** Resolves when the link is over: null after `close()`, otherwise why. */
  readonly closed: Promise<LinkError | null>;
  /** The negotiated protocol version: a message newer than it cannot be sent. */
  version: number = Number.MAX_SAFE_INTEGER;

  readonly #table: T;
  readonly #stream: LinkStream;
  readonly #core: FrameCore;
  readonly #memory: Uint8Array;
  readonly #outbox: Outbox;
  readonly #growth = new WindowGrowth();
  readonly #inbox = new Inbox<Received<T>>();
  readonly #liveness: Liveness;
  readonly #names = new Map<number, keyof T & string>();
  readonly #pending = new Map<number, Pending<T>>();
  readonly #abandoned = new Set<number>();
  readonly #channels = new Map<number, Channel>();
  /** Channels that a frame opened and nobody asked for yet; also those that ended since. */
  readonly #unclaimed = new Map<number, Channel>();
  readonly #end = Promise.withResolvers<LinkError | null>();
  readonly #reading: Promise<void>;
  #over: LinkError | undefined;
  #nextId: number;
  #pings = 0;

  constructor(stream: LinkStream, table: T, options: LinkOptions) {
    this.#table = table;
    this.#stream = stream;
    this.#nextId = options.side === "client" ? 1 : 2;
    for (const [name, message] of Object.entries(table)) {
      if (!this.#names.has(message.kind)) this.#names.set(message.kind, name);
    }
    this.#core = instantiate<FrameCore>();
    this.#core.frame_start(table["data"]?.kind ?? 0, table["credit"]?.kind ?? 0);
    this.#memory = new Uint8Array(this.#core.memory.buffer);
    this.#outbox = new Outbox(this.#core, this.#memory, stream, {
      ended: (channel) => this.#dropIfDone(channel),
      failed: (cause) => this.#finish(new LinkError(`Cannot write to the link: ${text(cause)}`, { cause })),
    });
    this.closed = this.#end.promise;
    this.#liveness = new Liveness(options.heartbeat, {
      ask: () => this.#sendPing(this.nextId(), 0),
      lost: (error) => this.#finish(error),
    });
    this.#reading = this.#read();
  }

  /**
   * Sends one frame; `body` as bytes is sent as it is. Resolves when it was written.
   * Throws LinkError for a message newer than `version`, RangeError for a value that does not fit its field.
   */
  send<K extends keyof T & string>(
    kind: K,
    id: number,
    body: Body<T[K]> | Uint8Array,
    flags = 0,
  ): Promise<void> {
    const message = this.#table[kind];
    if (message === undefined || kind === "data" || kind === "credit") {
      throw new TypeError(`"${kind}" is not a message of this link`);
    }
    if (message.since > this.version) {
      throw new LinkError(`Cannot send "${kind}": the other side speaks version ${this.version} only`);
    }
    const bytes = body instanceof Uint8Array ? body : encode<T[K]>(message as T[K], body);
    if (message.opens && this.#over === undefined && (flags & (endFlag | errorFlag)) === 0) {
      this.#openUnclaimed(id);
    }
    return quiet(this.#outbox.send(message.kind, flags, id, bytes));
  }

  /**
   * Asks, and resolves with all frames of the reply. Rejects with RemoteError when the peer answers with ERROR, with
   * LinkError when the link ends, with the signal's reason when aborted. `id` is `nextId()` unless given.
   */
  request<K extends keyof T & string>(
    kind: K,
    body: Body<T[K]> | Uint8Array,
    options: { signal?: AbortSignal; id?: number } = {},
  ): Promise<Received<T>[]> {
    const { signal, id = this.nextId() } = options;
    if (signal?.aborted) return Promise.reject(signal.reason);
    const answer = Promise.withResolvers<Received<T>[]>();
    const abandon = () => this.#abandon(id, signal?.reason);
    const pending = { name: kind, kind: this.#table[kind]?.kind ?? 0, frames: [], bytes: 0, answer };
    this.send(kind, id, body).catch((error) => {
      if (this.#pending.delete(id)) answer.reject(error);
    });
    this.#pending.set(id, pending);
    signal?.addEventListener("abort", abandon, { once: true });
    return quiet(answer.promise.finally(() => signal?.removeEventListener("abort", abandon)));
  }

  /** Sends the last frame of the reply to `to`, as table entry `replyKind` (the request's own, or its `...Reply`). */
  reply<K extends keyof T & string>(
    to: Answered,
    replyKind: K,
    body: Body<T[K]> | Uint8Array,
  ): Promise<void> {
    return this.send(replyKind, to.id, body, endFlag);
  }

  /** Answers `to` with a Linux errno and one sentence. A connection that `to` opened is forgotten. */
  fail(to: Answered, errno: number, sentence: string): Promise<void> {
    const message = this.#table["name" in to ? to.name : to.kind];
    const failure = this.#table["failure"];
    if (message === undefined || failure === undefined) throw new TypeError("this request has no failure");
    if (message.opens) this.#forget(to.id);
    const body = encode(failure, { errno, text: sentence });
    return quiet(this.#outbox.send(message.kind, errorFlag, to.id, body));
  }

  /**
   * Frames that are neither replies nor bytes or credit of a connection, in order; ends with the link. For one
   * consumer, whose loop must not wait for a request: at a limit of frames not taken the link stops reading.
   */
  received(): AsyncIterable<Received<T>> {
    return this.#inbox;
  }

  /** The channel of connection `id`: the one a frame opened already, or a new one. Throws LinkError when there is no room. */
  openChannel(id: number): ByteChannel {
    const known = this.#unclaimed.get(id) ?? this.#channels.get(id);
    this.#unclaimed.delete(id);
    return known ?? this.#open(id);
  }

  /** A number for a request or connection of this side; odd or even, never 0, not in use. */
  nextId(): number {
    let id: number;
    do {
      id = this.#nextId;
      this.#nextId = id + 2 > 0xffffffff ? 2 - (id % 2) : id + 2;
    } while (this.#pending.has(id) || this.#channels.has(id) || this.#abandoned.has(id));
    return id;
  }

  /** Ends the link at once; what was sent but not yet written is dropped, so await `send` before. */
  close(reason?: LinkError): void {
    this.#finish(reason ?? null);
  }

  /** Closes the link and waits until its stream is let go. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
    await this.#reading;
  }

  // -- receiving -------------------------------------------------------------------------------------------------

  async #read(): Promise<void> {
    const core = this.#core;
    try {
      while (this.#over === undefined) {
        const space = core.receive_space();
        const start = core.receive_pointer();
        const count = await this.#stream.read(this.#memory.subarray(start, start + space));
        if (this.#over !== undefined) return;
        if (count === null) return this.#finish(this.#eof());
        if (core.receive_take(count) !== Status.Ok) throw new RangeError("the stream read more than asked");
        if (count > 0) this.#liveness.heard();
        for (let status = core.frame_next(); status !== Status.More; status = core.frame_next()) {
          this.#take(status);
          if (this.#over !== undefined) return;
          if (!this.#inbox.full) continue;
          this.#liveness.pause();
          await this.#inbox.taken();
          this.#liveness.heard();
        }
      }
    } catch (cause) {
      const ours = cause instanceof LinkError ? cause : undefined;
      this.#finish(ours ?? new LinkError(`Cannot read the link: ${text(cause)}`, { cause }));
    }
  }

  #eof(): LinkError {
    const rest = this.#core.receive_rest();
    if (rest === 0) return new LinkError("Cannot read the link: the other side closed it");
    return new LinkError(`Cannot read the link: it was cut ${rest} bytes into a frame`);
  }

  /** One current frame of the Wasm core. */
  #take(status: number): void {
    const core = this.#core;
    const id = core.frame_id() >>> 0;
    if (status === Status.Late) return;
    if (status === Status.Credit) {
      const channel = this.#channels.get(id);
      if (channel !== undefined) this.#outbox.sendable(channel);
      return;
    }
    if (status >= Status.Refused) throw new LinkError(refusal(status, core));
    const start = core.frame_payload();
    const body = this.#memory.slice(start, start + core.frame_length());
    if (status === Status.Data) return this.#takeData(id, core.frame_flags(), body);
    const kind = core.frame_kind();
    const name = this.#names.get(kind);
    if (name === undefined) {
      throw new LinkError(`Cannot read a frame of kind ${kind}: this side knows no such kind`);
    }
    this.#takeMessage({ name, id, flags: core.frame_flags(), body }, kind);
  }

  #takeData(id: number, flags: number, bytes: Uint8Array): void {
    const channel = this.#channels.get(id);
    if (channel === undefined) return;
    if ((flags & errorFlag) !== 0) {
      channel.failReset();
      this.#drop(id);
      return;
    }
    channel.receive(bytes);
    if ((flags & endFlag) === 0) return;
    channel.receiveEnd();
    this.#dropIfDone(channel);
  }

  #takeMessage(frame: Received<T>, kind: number): void {
    const pending = this.#pending.get(frame.id);
    if (pending !== undefined && pending.kind === kind) return this.#takeReply(pending, frame);
    const last = (frame.flags & (endFlag | errorFlag)) !== 0;
    if (this.#abandoned.has(frame.id)) {
      if (last) this.#abandoned.delete(frame.id);
      return;
    }
    if (frame.name === "ping") {
      if (!last) this.#sendPing(frame.id, endFlag);
      return;
    }
    if (this.#table[frame.name]?.opens && !last && !this.#openUnclaimed(frame.id)) {
      this.fail(frame, EMFILE, "this link has no room for another connection");
      return;
    }
    this.#inbox.put(frame, frame.body.length);
  }

  #takeReply(pending: Pending<T>, frame: Received<T>): void {
    if ((frame.flags & errorFlag) !== 0) {
      const failure = this.#table["failure"];
      if (failure === undefined) throw new LinkError("Cannot read an ERROR frame: this link has no failures");
      const { errno, text } = decode(failure, frame.body) as { errno: number; text: string };
      this.#pending.delete(frame.id);
      if (this.#table[pending.name]?.opens) this.#forget(frame.id);
      return pending.answer.reject(new RemoteError(errno, text));
    }
    pending.frames.push(frame);
    pending.bytes += frame.body.length;
    if (pending.bytes > maxReplies || pending.frames.length > maxReplies >> 8) {
      throw new LinkError(
        `Cannot read the reply to "${pending.name}": it is longer than ${maxReplies} bytes`,
      );
    }
    if ((frame.flags & endFlag) === 0) return;
    this.#pending.delete(frame.id);
    pending.answer.resolve(pending.frames);
  }

  #abandon(id: number, reason: unknown): void {
    const pending = this.#pending.get(id);
    if (pending === undefined) return;
    this.#pending.delete(id);
    this.#abandoned.add(id);
    for (const oldest of this.#abandoned) {
      if (this.#abandoned.size <= maxAbandoned) break;
      this.#abandoned.delete(oldest);
    }
    if (this.#table[pending.name]?.opens) this.openChannel(id).reset();
    pending.answer.reject(reason);
  }

  #sendPing(id: number, flags: number): void {
    if (this.#table["ping"] === undefined || this.#pings >= maxPings) return;
    this.#pings++;
    this.send("ping", id, new Uint8Array(0), flags).then(() => this.#pings--, () => {});
  }

  // -- connections -----------------------------------------------------------------------------------------------

  #open(id: number): Channel {
    const channel = new Channel(id, {
      sendable: (channel) => this.#outbox.sendable(channel),
      credit: (id, bytes) => this.#channels.has(id) && this.#outbox.credit(id, bytes),
      grow: (bytes) => this.#growth.take(bytes),
      resets: (channel) => {
        this.#drop(channel.id);
        this.#outbox.reset(channel.id);
      },
    });
    if (this.#over !== undefined) channel.fail(this.#over);
    else if (this.#core.connection_open(id) !== Status.Ok) {
      throw new LinkError(`Cannot open connection ${id}: this link has no room for another`);
    } else this.#channels.set(id, channel);
    return channel;
  }

  /** Makes the channel of a frame that opens one; false when there is no room. */
  #openUnclaimed(id: number): boolean {
    if (this.#channels.has(id)) return true;
    if (this.#channels.size >= this.#core.MAX_CONNECTIONS.value) return false;
    this.#unclaimed.set(id, this.#open(id));
    return true;
  }

  #dropIfDone(channel: Channel): void {
    if (channel.done) this.#drop(channel.id);
  }

  #drop(id: number): void {
    this.#growth.give(this.#channels.get(id)?.grown ?? 0);
    this.#channels.delete(id);
    this.#core.connection_close(id);
  }

  /** The request that opened `id` failed: its channel rejects, and the peer knows. */
  #forget(id: number): void {
    const channel = this.#channels.get(id);
    this.#drop(id);
    this.#unclaimed.delete(id);
    channel?.failReset();
  }

  // -- the end ---------------------------------------------------------------------------------------------------

  #finish(reason: LinkError | null): void {
    if (this.#over !== undefined) return;
    const error = reason ?? new LinkError("Cannot use the link: it is closed");
    this.#over = error;
    this.#liveness.stop();
    this.#stream.close();
    this.#outbox.fail(error);
    for (const pending of this.#pending.values()) pending.answer.reject(error);
    this.#pending.clear();
    for (const channel of this.#channels.values()) channel.fail(error);
    this.#channels.clear();
    this.#inbox.end();
    this.#end.resolve(reason);
  }
}

function text(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
