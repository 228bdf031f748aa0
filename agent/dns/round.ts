// The answers of one server to the questions of one exchange, as they come. Called by exchange.ts alone.

import {
  decodeReply,
  type DnsQuestion,
  type Reply,
  responseCode,
  sameName,
} from "../../core/net/dns_message.ts";

/** A question on its way. */
export interface Query {
  id: number;
  question: DnsQuestion;
  bytes: Uint8Array<ArrayBuffer>;
}

export class Round {
  readonly #queries: readonly Query[];
  readonly #answered: boolean[];
  readonly #overTcp: boolean;
  readonly #headOnly: boolean;
  /** For each question its reply; null: none yet, or one that sends us on to the next server. */
  readonly replies: (Reply | null)[];
  /** A server may be there. */
  heard = false;
  /** An answer does not fit into a datagram. */
  truncated = false;
  /** The last reply, whether it counts or not. */
  last: Reply | null = null;

  constructor(queries: readonly Query[], { overTcp = false, headOnly = false } = {}) {
    this.#queries = queries;
    this.#overTcp = overTcp;
    this.#headOnly = headOnly;
    this.#answered = queries.map(() => false);
    this.replies = queries.map(() => null);
  }

  get hasReply(): boolean {
    return this.replies.some((reply) => reply !== null);
  }

  get complete(): boolean {
    return this.hasAll(this.#queries);
  }

  /** One question of several has its reply, another was not answered. */
  get isHalf(): boolean {
    return this.hasReply && !this.complete && !this.truncated;
  }

  hasAll(queries: readonly Query[]): boolean {
    return queries.every((query) => this.#answered[this.#queries.indexOf(query)]);
  }

  /** Takes a reply to one of the questions; anything else is ignored. */
  take(bytes: Uint8Array): void {
    const reply = decodeReply(bytes, this.#headOnly);
    if (reply === null) return;
    const index = this.#queries.findIndex((query, index) => !this.#answered[index] && answers(reply, query));
    if (index < 0) return;
    this.heard = true;
    this.last = reply;
    if (reply.truncated) this.truncated = true;
    this.#answered[index] = true;
    // What comes by TCP is taken as it is, as glibc does.
    if (this.#overTcp || !sendsOn(reply)) this.replies[index] = reply;
  }
}

function answers(reply: Reply, { id, question }: Query): boolean {
  if (reply.id !== id) return false;
  // A server that could not read the question has none to repeat.
  if (reply.question === null) return reply.code !== responseCode.none;
  return reply.question.type === question.type && reply.question.class === question.class &&
    sameName(reply.question.name, question.name);
}

/**
 * Whether another server should be asked: this one failed, or knows nothing and looks nothing up, as in
 * glibc.
 */
function sendsOn({ code, count, authoritative, recursive, additional }: Reply): boolean {
  if (code !== responseCode.none) {
    return code === responseCode.server || code === responseCode.notImplemented ||
      code === responseCode.refused;
  }
  return count === 0 && !authoritative && !recursive && additional === 0;
}
