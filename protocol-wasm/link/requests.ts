// The requests of one end of a link that wait for their answers, and those given up, whose answers are
// dropped. link.ts has one and asks it about every frame; door.ts looks at each answer first. Invariant: an
// answer belongs to a request of the same id and kind that was made and not answered yet, or it is nonsense.

import { decode, type MessageTable } from "../messages/codec.ts";
import type { Door } from "../messages/door.ts";
import { NonsenseError, RemoteError } from "../errors.ts";
import type { Received } from "./inbox.ts";

interface Pending<T extends MessageTable> {
  name: keyof T & string;
  kind: number;
  asked: unknown;
  frames: Received<T>[];
  bytes: number;
  answer: PromiseWithResolvers<Received<T>[]>;
}

/** Most bytes of one request's replies. */
const maxReplies = 16 << 20;
/** How many given-up requests are remembered to drop their replies. */
const maxAbandoned = 4096;
const endFlag = 1;
const errorFlag = 2;

/**
 * Where a frame belongs: to a request that goes on, or that it ended or that failed; nowhere any more; not
 * here.
 */
export type Taken = "answer" | "failed" | "late" | "none";

export class Requests<T extends MessageTable> {
  readonly #table: T;
  readonly #door: Door | null;
  readonly #pending = new Map<number, Pending<T>>();
  readonly #abandoned = new Set<number>();
  /** So many given up that some are not remembered: an answer to nothing may be one to these. */
  #isForgetful = false;

  constructor(table: T, door: Door | null) {
    this.#table = table;
    this.#door = door;
  }

  /** The request `id`, about to be sent, resolves with the frames of its answer. */
  make(id: number, name: keyof T & string, asked: unknown): Promise<Received<T>[]> {
    const answer = Promise.withResolvers<Received<T>[]>();
    const kind = this.#table[name]?.kind ?? 0;
    this.#pending.set(id, { name, kind, asked, frames: [], bytes: 0, answer });
    return answer.promise;
  }

  /** Whether `id` may not be given to another request yet. */
  has(id: number): boolean {
    return this.#pending.has(id) || this.#abandoned.has(id);
  }

  /** An answer to a request that is not remembered. */
  get isForgetful(): boolean {
    return this.#isForgetful;
  }

  /** Takes `frame` if it answers a request. Throws NonsenseError for an answer that makes none. */
  take(frame: Received<T>, kind: number): Taken {
    const pending = this.#pending.get(frame.id);
    const isLast = (frame.flags & (endFlag | errorFlag)) !== 0;
    if (pending !== undefined && pending.kind === kind) return this.#take(pending, frame);
    if (!this.#abandoned.has(frame.id)) return "none";
    if (isLast) this.#abandoned.delete(frame.id);
    return "late";
  }

  /** The answer to `id` is no longer waited for; the request's name, if it was one. */
  abandon(id: number, reason: unknown): (keyof T & string) | null {
    const pending = this.#pending.get(id);
    if (pending === undefined) return null;
    this.#pending.delete(id);
    this.#abandoned.add(id);
    for (const oldest of this.#abandoned) {
      if (this.#abandoned.size <= maxAbandoned) break;
      this.#abandoned.delete(oldest);
      this.#isForgetful = true;
    }
    pending.answer.reject(reason);
    return pending.name;
  }

  /** `id` could not be sent. */
  unsent(id: number, error: unknown): void {
    this.#pending.get(id)?.answer.reject(error);
    this.#pending.delete(id);
  }

  /** The link is over. */
  fail(error: Error): void {
    for (const pending of this.#pending.values()) pending.answer.reject(error);
    this.#pending.clear();
  }

  #take(pending: Pending<T>, frame: Received<T>): Taken {
    this.#door?.answered({ kind: pending.name, body: pending.asked, before: pending.frames.length }, frame);
    if ((frame.flags & errorFlag) !== 0) {
      const failure = this.#table["failure"];
      if (failure === undefined) {
        throw new NonsenseError("Cannot read an ERROR frame: this link has no failures");
      }
      const { errno, text } = decode(failure, frame.body) as { errno: number; text: string };
      this.#pending.delete(frame.id);
      pending.answer.reject(new RemoteError(errno, text));
      return "failed";
    }
    pending.frames.push(frame);
    pending.bytes += frame.body.length;
    if (pending.bytes > maxReplies || pending.frames.length > maxReplies >> 8) {
      throw new NonsenseError(
        `Cannot read the reply to "${pending.name}": it is longer than ${maxReplies} bytes`,
      );
    }
    if ((frame.flags & endFlag) === 0) return "answer";
    this.#pending.delete(frame.id);
    pending.answer.resolve(pending.frames);
    return "answer";
  }
}
