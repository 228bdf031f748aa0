// One or two questions to the target's name servers, as glibc's stub resolver does it (resolv.conf(5)):
// server after server, attempt after attempt, by UDP, and by TCP where the answer does not fit. Called by
// search.ts. Invariant: an answer counts only when it comes from the server's address and has this question
// and its id.

import { DatagramSocket } from "../../core/net/linux/datagram.ts";
import { dialTcp, type Socket } from "../../core/net/linux/socket.ts";
import {
  type DnsQuestion,
  encodeQuery,
  type QueryOptions,
  questionOf,
  type Reply,
} from "../../core/net/dns_message.ts";
import type { NameServer, ResolvConf } from "./resolv_conf.ts";
import { type Query, Round } from "./round.ts";

/** What came of it: a reply for each question (null: none for that one), or none at all. */
export type Exchanged =
  | { kind: "replies"; replies: (Reply | null)[]; byTcp: boolean }
  /** refused: no server is there. last: what the last server said; null: nothing. */
  | { kind: "failed"; refused: boolean; last: Reply | null }
  /** No query can carry such a name. */
  | { kind: "unsendable" };

/**
 * How queries are made and replies are taken beyond resolv.conf: for programs that read the reply themselves.
 */
export interface Wishes {
  query?: QueryOptions;
  /** A reply counts whatever its records are. */
  headOnly?: boolean;
  /** A reply that did not fit counts as it is. */
  ignoreTruncation?: boolean;
}

const port = 53;
/** The largest reply taken by UDP where resolv.conf asks for EDNS. */
const ednsPayload = 1232;
/** Longer queries go by TCP (RFC 1035, 4.2.1). */
const longestByUdp = 512;

/** What is put to one server, and how. */
interface Asked {
  queries: Query[];
  conf: ResolvConf;
  waitMs: number;
  headOnly: boolean;
}

/** How questions are put to one server: together, one after the other, or each from a socket of its own. */
type Manner = "together" | "single" | "reopen";
const manners: readonly Manner[] = ["together", "single", "reopen"];

export class Exchanger implements Disposable {
  readonly #open = new Set<{ close(): void }>();
  /** With `rotate`, the next exchange begins with the next server. */
  #turn = 0;
  #over = false;

  /** Asks at most two questions. Ends after attempts × servers × time-out at the latest. */
  async ask(questions: readonly DnsQuestion[], conf: ResolvConf, wishes: Wishes = {}): Promise<Exchanged> {
    const ids = differentIds(questions.length);
    const queries: Query[] = [];
    const options = wishes.query ?? (conf.useEdns ? { payload: ednsPayload } : {});
    for (const [index, question] of questions.entries()) {
      const id = ids[index] ?? 0;
      const bytes = encodeQuery(id, question, options);
      if (bytes === null) return { kind: "unsendable" };
      // As a reply repeats it, however it was written.
      queries.push({ id, question: questionOf(bytes) ?? question, bytes });
    }
    return await this.#exchange(queries, conf, wishes);
  }

  /** Sends a query that the program itself made. */
  async send(bytes: Uint8Array<ArrayBuffer>, conf: ResolvConf, wishes: Wishes): Promise<Exchanged> {
    const question = questionOf(bytes);
    if (question === null) return { kind: "unsendable" };
    const id = (bytes[0] ?? 0) << 8 | (bytes[1] ?? 0);
    return await this.#exchange([{ id, question, bytes }], conf, wishes);
  }

  async #exchange(queries: Query[], conf: ResolvConf, wishes: Wishes): Promise<Exchanged> {
    const first = conf.rotate ? this.#turn++ : 0;
    let heard = false;
    let last: Reply | null = null;
    let useTcp = conf.useTcp || queries.some(({ bytes }) => bytes.length > longestByUdp);
    const { headOnly = false } = wishes;
    for (let attempt = 0; attempt < conf.attempts; attempt++) {
      for (const index of conf.servers.keys()) {
        const server = conf.servers[(first + index) % conf.servers.length];
        if (server === undefined || this.#over) continue;
        const waitMs = waitFor(conf, index);
        let round = useTcp ? null : await this.#byUdp(server, { queries, conf, waitMs, headOnly });
        last = round?.last ?? last;
        if (round?.truncated && !wishes.ignoreTruncation) useTcp = true;
        if (useTcp) round = await this.#byTcp(server, queries, { waitMs, headOnly });
        if (round === null) continue;
        heard ||= round.heard;
        last = round.last ?? last;
        if (round.hasReply) return { kind: "replies", replies: round.replies, byTcp: useTcp };
      }
    }
    return { kind: "failed", refused: !heard, last };
  }

  /** Ends what is under way, at once. */
  [Symbol.dispose](): void {
    this.#over = true;
    for (const one of [...this.#open]) one.close();
  }

  /**
   * A server that answers one of two questions and not the other may be one that cannot have two at a time,
   * or stands behind a wall that cannot: it gets the questions singly then (resolv.conf(5), single-request).
   */
  async #byUdp(server: NameServer, asked: Asked): Promise<Round> {
    const { queries, conf } = asked;
    const from = conf.singleReopen ? 2 : conf.single ? 1 : 0;
    let round = new Round(queries, asked);
    for (const manner of manners.slice(from)) {
      round = await this.#udpRound(server, manner, asked);
      if (!round.isHalf) {
        if (manner !== "together" && round.complete) conf.single = true;
        return round;
      }
    }
    return round;
  }

  async #udpRound(server: NameServer, manner: Manner, asked: Asked): Promise<Round> {
    const { queries, waitMs } = asked;
    const round = new Round(queries, asked);
    if (manner === "together") await this.#overSocket(server, queries, round, waitMs);
    else {
      for (const query of queries) {
        await this.#overSocket(server, [query], round, waitMs);
        if (!round.hasReply || round.truncated) break;
      }
    }
    return round;
  }

  /** Sends `queries` and takes what comes into `round` until it has their answers or the time is up. */
  async #overSocket(server: NameServer, queries: Query[], round: Round, waitMs: number): Promise<void> {
    let socket: DatagramSocket;
    try {
      socket = DatagramSocket.connect(endpointOf(server));
    } catch {
      return; // no way there: as if no server were there
    }
    using limit = this.#limit(socket, waitMs);
    try {
      for (const { bytes } of queries) await socket.send(bytes); // one that was not taken is one that was lost on the way
      while (!round.hasAll(queries) && !round.truncated) round.take(await socket.receive());
    } catch {
      // Refused, or the time is up; after silence a server may still be there.
      if (limit.isOver()) round.heard = true;
    } finally {
      socket.close();
    }
  }

  async #byTcp(
    server: NameServer,
    queries: Query[],
    { waitMs, headOnly }: { waitMs: number; headOnly: boolean },
  ): Promise<Round> {
    const round = new Round(queries, { overTcp: true, headOnly });
    const dialling = new AbortController();
    let socket: Socket;
    {
      using _limit = this.#limit({ close: () => dialling.abort() }, waitMs);
      try {
        socket = await dialTcp({ destination: endpointOf(server), signal: dialling.signal });
      } catch {
        round.heard = dialling.signal.aborted;
        return round;
      }
    }
    round.heard = true;
    using _limit = this.#limit(socket, waitMs);
    try {
      for (const { bytes } of queries) await socket.write(withLength(bytes));
      let rest = new Uint8Array(0);
      while (!round.complete) {
        const part = await socket.read();
        if (part === null) break;
        rest = joined(rest, part);
        for (;;) { // a length of two bytes, then so many (RFC 1035, 4.2.2)
          const length = (rest[0] ?? 0) << 8 | (rest[1] ?? 0);
          if (rest.length < 2 || rest.length < 2 + length) break;
          round.take(rest.subarray(2, 2 + length));
          rest = rest.slice(2 + length);
        }
      }
    } catch {
      // Broken off: the next server.
    } finally {
      socket.close();
    }
    return round;
  }

  /** Closes `one` when the time is up or this ends; dispose when it is not needed any more. */
  #limit(one: { close(): void }, waitMs: number): Disposable & { isOver(): boolean } {
    let over = this.#over;
    const close = (): void => {
      over = true;
      one.close();
    };
    const timer = setTimeout(close, waitMs);
    const held = { close };
    this.#open.add(held);
    if (over) one.close();
    return {
      isOver: () => over,
      [Symbol.dispose]: () => {
        clearTimeout(timer);
        this.#open.delete(held);
      },
    };
  }
}

/** How long the server at `index` may take: later ones get more, shared among all of them, as in glibc. */
function waitFor(conf: ResolvConf, index: number): number {
  const seconds = conf.timeoutSeconds * 2 ** index;
  return Math.max(1, Math.trunc(index === 0 ? seconds : seconds / conf.servers.length)) * 1000;
}

function endpointOf({ address, scope }: NameServer): { address: string; port: number; scope?: number } {
  return scope === undefined ? { address, port } : { address, port, scope: interfaceNumber(scope) };
}

/** An interface's number by number or name; 0 when there is none. */
function interfaceNumber(scope: string): number {
  if (/^\d+$/.test(scope)) return Number(scope);
  try {
    return Number(Deno.readTextFileSync(`/sys/class/net/${scope.replaceAll("/", "")}/ifindex`));
  } catch {
    return 0;
  }
}

/** Ids that nobody can guess. */
function differentIds(count: number): Uint16Array {
  const ids = crypto.getRandomValues(new Uint16Array(count));
  return new Set(ids).size === count ? ids : differentIds(count);
}

function withLength(bytes: Uint8Array): Uint8Array {
  return Uint8Array.from([bytes.length >> 8, bytes.length & 255, ...bytes]);
}

function joined(one: Uint8Array, other: Uint8Array): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(one.length + other.length);
  all.set(one);
  all.set(other, one.length);
  return all;
}
