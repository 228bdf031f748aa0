// The sending half of a link: what waits to be written, and the one loop that writes it. link.ts calls it.
// Each turn fills the send buffer in Wasm memory with credit first, then messages, then one data frame of
// each channel in turn while its window lasts, and makes one write of it: so many small frames cost one
// write, and neither a busy nor a stalled channel delays a message. What waits is bounded by the callers,
// which wait for `send`.

import { Status } from "../assembly/status.ts";
import { type Channel, quiet } from "./channel.ts";
import { LinkError } from "../errors.ts";
import type { LinkStream } from "./stream.ts";
import type { FrameCore } from "../wasm.ts";

interface Waiting {
  kind: number;
  flags: number;
  id: number;
  payload: Uint8Array;
  written: PromiseWithResolvers<void>;
}

/** No kind of any table: the reset of a connection among the messages. */
const resetKind = 0;
/** A data frame smaller than the bytes at hand is put only when it carries at least this many. */
const leastPiece = 4096;

/** What an outbox reports to its link. */
export interface OutboxEvents {
  /** This side's half-close of the channel was put. */
  ended(channel: Channel): void;
  /** The stream or the Wasm instance failed; nothing more is written. */
  failed(cause: unknown): void;
}

export class Outbox {
  readonly #core: FrameCore;
  readonly #memory: Uint8Array;
  readonly #stream: LinkStream;
  readonly #events: OutboxEvents;
  #credits = new Map<number, number>();
  #waiting: Waiting[] = [];
  #sendable = new Set<Channel>();
  #inWrite: PromiseWithResolvers<void>[] = [];
  #running = false;
  #failure: Error | undefined;

  constructor(core: FrameCore, memory: Uint8Array, stream: LinkStream, events: OutboxEvents) {
    this.#core = core;
    this.#memory = memory;
    this.#stream = stream;
    this.#events = events;
  }

  /** Queues a message; resolves when its bytes were written. */
  send(kind: number, flags: number, id: number, payload: Uint8Array): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    const written = Promise.withResolvers<void>();
    this.#waiting.push({ kind, flags, id, payload, written });
    this.#wake();
    return written.promise;
  }

  /** The peer may send `bytes` more on connection `id`. */
  credit(id: number, bytes: number): void {
    this.#credits.set(id, (this.#credits.get(id) ?? 0) + bytes);
    this.#wake();
  }

  /** Sends the peer a reset of connection `id`; stays behind the message that opened it. */
  reset(id: number): Promise<void> {
    return quiet(this.send(resetKind, 0, id, new Uint8Array(0)));
  }

  /** `channel` has something to send, or got credit for it. */
  sendable(channel: Channel): void {
    if (channel.next() === undefined) return;
    this.#sendable.add(channel);
    this.#wake();
  }

  /** Drops everything; what waits rejects with `error`. */
  fail(error: Error): void {
    if (this.#failure !== undefined) return;
    this.#failure = error;
    for (const waiting of this.#waiting.splice(0)) waiting.written.reject(error);
    for (const written of this.#inWrite.splice(0)) written.reject(error);
    this.#sendable.clear();
    this.#credits.clear();
  }

  #wake(): void {
    if (this.#running || this.#failure !== undefined) return;
    this.#running = true;
    queueMicrotask(() => void this.#run());
  }

  async #run(): Promise<void> {
    try {
      while (this.#failure === undefined) {
        this.#core.send_begin();
        const alone = this.#fill();
        const length = this.#core.send_length();
        if (length === 0) break;
        const start = this.#core.send_pointer();
        await this.#stream.write(this.#memory.subarray(start, start + length));
        if (alone !== undefined) await this.#stream.write(alone);
        for (const written of this.#inWrite.splice(0)) written.resolve();
      }
    } catch (cause) {
      this.#events.failed(cause);
    } finally {
      this.#running = false;
    }
  }

  /**
   * Fills the send buffer; answers the payload of a message too long for it, to be written right after it.
   */
  #fill(): Uint8Array | undefined {
    if (!this.#fillCredits()) return undefined;
    let count = 0;
    for (const { kind, flags, id, payload, written } of this.#waiting) {
      let status = kind === resetKind
        ? this.#core.frame_put_data(id, this.#core.FLAG_ERROR.value, 0)
        : this.#core.frame_put(kind, flags, id, payload.length);
      const alone = status === Status.Full && this.#core.send_length() === 0;
      if (alone) status = this.#core.frame_put_header(kind, flags, id, payload.length);
      if (status === Status.Full) break;
      count++;
      if (status !== Status.Ok) {
        written.reject(new LinkError(`Cannot send a frame of ${payload.length} bytes: status ${status}`));
        continue;
      }
      this.#inWrite.push(written);
      if (alone) {
        this.#waiting.splice(0, count);
        return payload;
      }
      this.#memory.set(payload, this.#core.send_payload());
    }
    this.#waiting.splice(0, count);
    if (this.#waiting.length === 0) this.#fillData();
    return undefined;
  }

  #fillCredits(): boolean {
    for (const [id, bytes] of this.#credits) {
      if (this.#core.frame_put_credit(id, bytes) === Status.Full) return false;
      this.#credits.delete(id);
    }
    return true;
  }

  /** One data frame of each channel in turn, until the buffer is full or no channel may send. */
  #fillData(): void {
    const { FLAG_END, HEADER_BYTES } = this.#core;
    for (const channel of this.#sendable) {
      const bytes = channel.next();
      this.#sendable.delete(channel);
      if (bytes === undefined) continue;
      if (bytes === null) {
        const status = this.#core.frame_put_data(channel.id, FLAG_END.value, 0);
        if (status === Status.Full) return void this.#sendable.add(channel);
        const written = channel.taken(0);
        if (written !== undefined) this.#inWrite.push(written);
        this.#events.ended(channel);
        continue;
      }
      const allowed = Math.min(bytes.length, this.#core.data_room(channel.id));
      if (allowed === 0) continue; // until credit comes
      const length = Math.min(allowed, this.#core.send_space() - HEADER_BYTES.value);
      const status = length < Math.min(allowed, leastPiece)
        ? Status.Full
        : this.#core.frame_put_data(channel.id, 0, length);
      if (status !== Status.Ok) return void this.#sendable.add(channel);
      this.#memory.set(bytes.subarray(0, length), this.#core.send_payload());
      channel.taken(length)?.resolve();
      if (channel.next() !== undefined) this.#sendable.add(channel);
    }
  }
}
