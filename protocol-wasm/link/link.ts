// A link: typed messages and connections over one byte stream. Session and agent own one each, and the
// session one per layer. Frames are decoded in Wasm memory (assembly/frame.ts), sent by outbox.ts, connection
// bytes live in channel.ts. The link ends at the stream's end, at malformed input, at a trap, after silence
// or by `close`, and then everything that waits on it rejects. Late frames of a request given up or of a
// closed connection are dropped, never fatal.

import { E } from "../errno.ts";
import { Status } from "../assembly/status.ts";
import { type ByteChannel, Channel, type LinkChannel, quiet, WindowGrowth } from "./channel.ts";
import { type Body, encode, type MessageTable } from "../messages/codec.ts";
import { Debts } from "./debts.ts";
import { type Door, mostText } from "../messages/door.ts";
import { causeText, LinkError, NonsenseError, RemoteError } from "../errors.ts";
import { freeBytes } from "./free_bytes.ts";
import { Inbox, type Received } from "./inbox.ts";
import { Liveness, type LivenessOptions } from "./liveness.ts";
import { Outbox } from "./outbox.ts";
import { Requests } from "./requests.ts";
import type { LinkStream } from "./stream.ts";
import { type FrameCore, instantiate, refusal } from "../wasm.ts";

export type { ByteChannel, LinkChannel, LinkStream };
export { LinkError, NonsenseError, RemoteError };

/** Flags of a frame: the last of a reply, a failed reply. */
export const endFlag = 1;
export const errorFlag = 2;

/** The request that a reply answers: its frame, or its kind's name and id. */
export type Answered = { name: string; id: number } | { kind: string; id: number };

export interface LinkOptions {
  /** The ids that this side counts up: odd for the client, even for the agent. */
  side: "client" | "agent";
  /** Ends the link when the peer is silent; needs `ping` in the table to keep an idle peer talking. */
  heartbeat?: LivenessOptions;
  /** Looks at each of the peer's messages first; without one all are let in. */
  door?: Door;
}

/** Pings and their answers that may wait to be written: a peer that does not read costs no memory. */
const maxPings = 16;

export class Link<T extends MessageTable> implements AsyncDisposable {
  /** Resolves when the link is over: null after `close()`, otherwise why. */
  readonly closed: Promise<LinkError | null>;
  /** The negotiated protocol version: a message newer than it cannot be sent. */
  version: number = Number.MAX_SAFE_INTEGER;
  /** Whether the peer is there. */
  readonly liveness: Liveness;

  readonly #table: T;
  readonly #stream: LinkStream;
  readonly #core: FrameCore;
  readonly #memory: Uint8Array;
  readonly #outbox: Outbox;
  readonly #growth = new WindowGrowth();
  readonly #inbox = new Inbox<Received<T>>();
  readonly #names = new Map<number, keyof T & string>();
  readonly #door: Door | null;
  readonly #requests: Requests<T>;
  readonly #debts = new Debts();
  readonly #channels = new Map<number, Channel>();
  /** Channels that a frame opened and nobody asked for yet; also those that ended since. */
  readonly #unclaimed = new Map<number, Channel>();
  /** One for all channels: there may be thousands. */
  readonly #forChannels: ConstructorParameters<typeof Channel>[1] = {
    sendable: (channel) => this.#outbox.sendable(channel),
    credit: (id, bytes) => this.#channels.has(id) && this.#outbox.credit(id, bytes),
    grow: (bytes) => this.#growth.take(bytes),
    resets: (channel) => this.#reset(channel.id),
  };
  readonly #end = Promise.withResolvers<LinkError | null>();
  readonly #reading: Promise<void>;
  readonly #isClient: boolean;
  #over: LinkError | undefined;
  #nextId: number;
  #pings = 0;

  constructor(stream: LinkStream, table: T, options: LinkOptions) {
    this.#table = table;
    this.#stream = stream;
    this.#isClient = options.side === "client";
    this.#nextId = this.#isClient ? 1 : 2;
    this.#door = options.door ?? null;
    this.#requests = new Requests(table, this.#door);
    for (const [name, message] of Object.entries(table)) {
      if (!this.#names.has(message.kind)) this.#names.set(message.kind, name);
    }
    this.#core = instantiate<FrameCore>();
    this.#core.frame_start(table["data"]?.kind ?? 0, table["credit"]?.kind ?? 0);
    this.#memory = new Uint8Array(this.#core.memory.buffer);
    this.#outbox = new Outbox(this.#core, this.#memory, stream, {
      ended: (channel) => this.#dropIfDone(channel),
      failed: (cause) =>
        this.#finish(new LinkError(`Cannot write to the link: ${causeText(cause)}`, { cause })),
    });
    this.closed = this.#end.promise;
    this.liveness = new Liveness(options.heartbeat, {
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
    const sent = this.#outbox.send(message.kind, flags, id, bytes);
    if (!this.#isOurs(id)) this.#debts.owe(bytes.length, sent);
    if (bytes !== body) sent.then(() => freeBytes(bytes), () => {});
    return quiet(sent);
  }

  /**
   * Asks, and resolves with all frames of the reply. Rejects with RemoteError when the peer answers with
   * ERROR, with LinkError when the link ends, with the signal's reason when aborted. `id` is `nextId()`
   * unless given.
   */
  request<K extends keyof T & string>(
    kind: K,
    body: Body<T[K]> | Uint8Array,
    options: { signal?: AbortSignal; id?: number } = {},
  ): Promise<Received<T>[]> {
    const { signal, id = this.nextId() } = options;
    if (signal?.aborted) return Promise.reject(signal.reason);
    const abandon = () => this.#abandon(id, signal?.reason);
    const sent = this.send(kind, id, body);
    const answer = this.#requests.make(id, kind, body);
    sent.catch((error) => this.#requests.unsent(id, error));
    signal?.addEventListener("abort", abandon, { once: true });
    return quiet(answer.finally(() => signal?.removeEventListener("abort", abandon)));
  }

  /**
   * Sends the last frame of the reply to `to`, as table entry `replyKind` (the request's own, or its
   * `...Reply`).
   */
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
    const body = encode(failure, { errno, text: sentence.slice(0, mostText) });
    const sent = this.#outbox.send(message.kind, errorFlag, to.id, body);
    this.#debts.owe(body.length, sent);
    return quiet(sent);
  }

  /**
   * Frames that are neither replies nor bytes or credit of a connection, in order; ends with the link. For
   * one consumer, whose loop must not wait for a request: at a limit of frames not taken the link stops
   * reading.
   */
  received(): AsyncIterable<Received<T>> {
    return this.#inbox;
  }

  /**
   * The channel of connection `id`: the one a frame opened already, or a new one. Throws LinkError when there
   * is no room.
   */
  openChannel(id: number): LinkChannel {
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
    } while (this.#requests.has(id) || this.#channels.has(id));
    return id;
  }

  /** Ends the link at once; what was sent but not yet written is dropped, so await `send` before. */
  close(reason?: LinkError): void {
    this.#finish(reason ?? null);
  }

  /** Closes the link and waits until its stream is released. */
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
        if (count > 0) this.liveness.heard();
        for (let status = core.frame_next(); status !== Status.More; status = core.frame_next()) {
          this.#take(status);
          if (this.#over !== undefined) return;
          if (this.#debts.isMuch) await this.#settle();
          if (!this.#inbox.full) continue;
          this.liveness.pause();
          await this.#inbox.taken();
          this.liveness.heard();
        }
      }
    } catch (cause) {
      const ours = cause instanceof LinkError ? cause : undefined;
      this.#finish(ours ?? new LinkError(`Cannot read the link: ${causeText(cause)}`, { cause }));
    }
  }

  /** Reads no more until some of what the peer asked for is written; what is written is a sign of life. */
  async #settle(): Promise<void> {
    if (this.#debts.isTooMuch) {
      throw new NonsenseError("Cannot go on: the other side asks, and does not read");
    }
    while (!this.#isClient && this.#debts.isMuch && this.#over === undefined) {
      await this.#debts.paid;
      this.liveness.heard();
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
    const ping = status === Status.Frame && core.frame_kind() === this.#table["ping"]?.kind;
    if (!ping || core.frame_flags() !== 0) this.liveness.proved();
    if (status === Status.Late) return;
    if (status === Status.Credit) {
      const channel = this.#channels.get(id);
      if (channel !== undefined) this.#outbox.sendable(channel);
      return;
    }
    if (status >= Status.Refused) throw new NonsenseError(refusal(status, core));
    const start = core.frame_payload();
    const body = this.#memory.slice(start, start + core.frame_length());
    if (status === Status.Data) return this.#takeData(id, core.frame_flags(), body);
    const kind = core.frame_kind();
    const name = this.#names.get(kind);
    if (name === undefined) {
      throw new NonsenseError(`Cannot read a frame of kind ${kind}: this side knows no such kind`);
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
    const taken = this.#requests.take(frame, kind);
    if (taken === "failed" && this.#table[frame.name]?.opens) this.#forget(frame.id);
    if (taken !== "none") return;
    const last = (frame.flags & (endFlag | errorFlag)) !== 0;
    if (frame.name === "ping") {
      if (!last) this.#sendPing(frame.id, endFlag);
      return;
    }
    const isOurs = this.#isOurs(frame.id);
    if (isOurs && this.#requests.isForgetful) return;
    this.#door?.said(frame.name, { flags: frame.flags, body: frame.body, isOurs });
    const opens = this.#table[frame.name]?.opens && !last;
    if (opens && this.#door !== null && (frame.id === 0 || this.#channels.has(frame.id))) {
      throw new NonsenseError(`Cannot open connection ${frame.id}: it is open already`);
    }
    if (opens && !this.#openUnclaimed(frame.id)) {
      this.fail(frame, E.EMFILE, "this link has no room for another connection");
      return;
    }
    this.#inbox.put(frame, frame.body.length);
  }

  /** Whether this side counts up such ids; 0 is neither side's. */
  #isOurs(id: number): boolean {
    return id !== 0 && (id % 2 === 1) === this.#isClient;
  }

  #abandon(id: number, reason: unknown): void {
    const name = this.#requests.abandon(id, reason);
    if (name !== null && this.#table[name]?.opens) this.openChannel(id).reset();
  }

  #sendPing(id: number, flags: number): void {
    if (this.#table["ping"] === undefined || this.#pings >= maxPings) return;
    this.#pings++;
    this.send("ping", id, new Uint8Array(0), flags).then(() => this.#pings--, () => {});
  }

  // -- connections -----------------------------------------------------------------------------------------------

  #open(id: number): Channel {
    const channel = new Channel(id, this.#forChannels);
    if (this.#over !== undefined) channel.fail(this.#over);
    else if (this.#core.connection_open(id) !== Status.Ok) {
      throw new LinkError(`Cannot open connection ${id}: this link has no room for another`);
    } else this.#channels.set(id, channel);
    return channel;
  }

  #reset(id: number): void {
    this.#drop(id);
    const sent = this.#outbox.reset(id);
    if (!this.#isOurs(id)) this.#debts.owe(0, sent);
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
    this.liveness.stop();
    this.#stream.close();
    this.#outbox.fail(error);
    this.#requests.fail(error);
    for (const channel of this.#channels.values()) channel.fail(error);
    this.#channels.clear();
    this.#inbox.end();
    this.#end.resolve(reason);
  }
}
