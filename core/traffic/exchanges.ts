// What the sides of connections said → HTTP/1 exchanges, and plain bytes where that is not what they speak.
// Called by the commands with the streams of conversations.ts. Pure, but for the readers' memory, which ends
// with each connection. Invariant: every byte is part of a message, is told as bytes, or is counted as lost.

import { HttpReader } from "../../protocol-wasm/mod.ts";
import { beginsAnswer, beginsRequest } from "../net/first_line.ts";
import type { Connection, Ending, Piece, Side, StreamTaker } from "./conversations.ts";
import { distance } from "../net/reassembly.ts";
import type { Exchange, TrafficEvent } from "./events.ts";
import { header, type Message, newMessage } from "./message.ts";

/** What of all bodies together is kept at a time. */
const keptBudget = 64 << 20;
/** Bytes of a side that may wait for the other's. */
const waitingLimit = 1 << 20;
/** Requests of one connection that wait for their answers. */
const mostWaiting = 256;
const tlsHandshake = 0x16;

type Mode =
  /** Messages. */
  | "http"
  /** Until the next request begins: the connection was met midway, or bytes are missing. */
  | "seeking"
  /** Never messages, or no longer. */
  | "opaque";

/** Bytes of their own memory. */
type Held = Pick<Piece, "bytes" | "acknowledged">;

interface Talk {
  readonly connection: Connection;
  mode: Mode;
  readers: Record<Side, HttpReader | null>;
  /** What each side is in the middle of. */
  current: Record<Side, { exchange: Exchange; message: Message } | null>;
  /** Requests whose answers are not complete. */
  waiting: Exchange[];
  /** Bytes that cannot be read before the other side's next. */
  held: Record<Side, Held[]>;
  /** Where the first request behind a gap begins: what the target said before it had that answers none. */
  resumedAt: number | null;
  /** This request asked to leave HTTP. */
  leaving: Exchange | null;
  /** The answer goes on to the connection's end. */
  untilEnd: boolean;
  /** There was a message. */
  spokeHttp: boolean;
  skipped: Record<Side, number>;
  time: bigint;
}

export class Exchanges implements StreamTaker {
  readonly #emit: (event: TrafficEvent) => void;
  readonly #keep: number;
  readonly #talks = new Map<Connection, Talk>();
  #count = 0;
  #kept = 0;

  /** `keep`: bytes of each body that are kept. */
  constructor(emit: (event: TrafficEvent) => void, keep: number) {
    this.#emit = emit;
    this.#keep = keep;
  }

  opened(connection: Connection): void {
    this.#talks.set(connection, {
      connection,
      mode: connection.isMidway ? "seeking" : "http",
      readers: { client: null, target: null },
      current: { client: null, target: null },
      waiting: [],
      held: { client: [], target: [] },
      resumedAt: null,
      leaving: null,
      untilEnd: false,
      spokeHttp: false,
      skipped: { client: 0, target: 0 },
      time: connection.startedAt,
    });
    this.#emit({ type: "opened", connection, time: connection.startedAt });
  }

  bytes(connection: Connection, piece: Piece): void {
    const talk = this.#talks.get(connection);
    if (talk === undefined) return;
    const { side, bytes, time } = piece;
    talk.time = time;
    if (talk.mode === "seeking" && side === "client" && beginsRequest(bytes)) {
      this.#resume(talk, piece.sequence);
    }
    if (talk.mode === "http") this.#read(talk, side, piece);
    else if (talk.mode === "seeking" && talk.spokeHttp) talk.skipped[side] += bytes.length;
    else this.#emit({ type: "bytes", connection, side, bytes, time });
  }

  gap(connection: Connection, { side, count, time }: { side: Side; count: number; time: bigint }): void {
    const talk = this.#talks.get(connection);
    if (talk === undefined) return;
    talk.time = time;
    this.#emit({ type: "lost", connection, side, count, time });
    if (talk.mode !== "http") return;
    const message = talk.current[side]?.message;
    const reader = talk.readers[side];
    const isContent = (side === "target" && talk.untilEnd) || (reader?.plain ?? 0) >= count;
    if (message === undefined || reader === null || !isContent || talk.held[side].length > 0) {
      this.#cutAll(talk, "packets are missing");
      talk.mode = "seeking";
      return;
    }
    // Its place is known: what follows is understood.
    message.lost += count;
    for (let left = count; left > 0; left -= Math.min(left, 65536)) {
      this.#read(talk, side, { bytes: new Uint8Array(Math.min(left, 65536)), acknowledged: 0 });
    }
  }

  ended(connection: Connection, side: Side, time: bigint): void {
    const talk = this.#talks.get(connection);
    if (talk === undefined) return;
    talk.time = time;
    const current = talk.current[side];
    if (current === null) return;
    this.#endMessage(talk, side, side === "target" && talk.untilEnd ? "complete" : "the connection ended");
  }

  closed(connection: Connection, how: Ending, time: bigint): void {
    const talk = this.#talks.get(connection);
    if (talk === undefined) return;
    talk.time = time;
    const untilEnd = talk.untilEnd && how === "end";
    if (untilEnd && talk.current.target !== null) this.#endMessage(talk, "target", "complete");
    this.#cutAll(talk, how === "unseen" ? "it was not seen to its end" : "the connection ended");
    this.#tellSkipped(talk);
    for (const side of ["client", "target"] as const) this.#flush(talk, side);
    this.#talks.delete(connection);
    this.#emit({ type: "closed", connection, how, time });
  }

  #read(talk: Talk, side: Side, piece: Held): void {
    const { bytes } = piece;
    if (side === "client") {
      if (talk.leaving !== null) return this.#hold(talk, side, piece);
      return this.#readRequests(talk, piece);
    }
    if (this.#isStale(talk, piece)) return;
    if (talk.waiting.length > 0) return this.#readAnswers(talk, piece);
    const isAnswer = talk.held.target.length > 0 || beginsAnswer(bytes);
    if (talk.spokeHttp || isAnswer || talk.readers.client !== null) return this.#hold(talk, side, piece);
    this.#leave(talk, "another protocol"); // the target speaks first
    this.#emit({ type: "bytes", connection: talk.connection, side, bytes, time: talk.time });
  }

  /** It answers a request that never came, and is counted. */
  #isStale(talk: Talk, { bytes, acknowledged }: Held): boolean {
    if (talk.resumedAt === null) return false;
    if (distance(acknowledged, talk.resumedAt) > 0 && beginsAnswer(bytes)) {
      talk.resumedAt = null;
      return false;
    }
    talk.skipped.target += bytes.length;
    return true;
  }

  #readRequests(talk: Talk, { bytes, acknowledged }: Held): void {
    const reader = talk.readers.client ??= this.#reader(talk, "client");
    let rest = bytes;
    while (talk.mode === "http") {
      const { state, used } = reader.next(rest);
      rest = rest.subarray(used);
      if (state === "more") return;
      if (state === "head") {
        this.#beginRequest(talk, reader);
        if (talk.leaving !== null) return this.#hold(talk, "client", { bytes: rest, acknowledged });
      } else if (state === "end") this.#endMessage(talk, "client", "complete");
      else if (state === "raw" || state === "not-http") {
        const first = state === "raw" ? bytes.subarray(0, used) : reader.head as Uint8Array<ArrayBuffer>;
        this.#leave(talk, nameOf(reader.reason, first));
        this.#tellBytes(talk, "client", first);
      }
    }
    this.#tellBytes(talk, "client", rest);
  }

  #beginRequest(talk: Talk, reader: HttpReader): void {
    const { time, connection } = talk;
    talk.spokeHttp = true;
    const exchange: Exchange = {
      number: ++this.#count,
      connection,
      request: newMessage(reader.head, time),
      response: null,
    };
    talk.current.client = { exchange, message: exchange.request };
    talk.waiting.push(exchange);
    talk.readers.target ??= this.#reader(talk, "target");
    talk.readers.target.expect(reader.method);
    if (reader.upgrade) talk.leaving = exchange;
    this.#emit({ type: "head", exchange, side: "client", message: exchange.request, time });
    if (talk.waiting.length > mostWaiting) return this.#leave(talk, "HTTP without answers");
    for (const piece of talk.held.target.splice(0)) this.#read(talk, "target", piece);
  }

  #readAnswers(talk: Talk, { bytes, acknowledged }: Held): void {
    const reader = talk.readers.target;
    let rest = bytes;
    while (talk.mode === "http" && reader !== null) {
      const { state, used } = reader.next(rest);
      const part = rest.subarray(0, used);
      rest = rest.subarray(used);
      if (state === "more") return;
      if (state === "head" && !reader.interim) this.#beginAnswer(talk, reader);
      else if (state === "end" && !reader.interim) {
        this.#endMessage(talk, "target", "complete");
        if (talk.waiting.length === 0) return this.#hold(talk, "target", { bytes: rest, acknowledged });
      } else if (state === "raw" && reader.upgrade) return this.#switch(talk, part);
      else if (state === "raw") {
        talk.untilEnd = true;
        this.#keepBytes(talk, "target", part);
        return;
      } else if (state === "not-http") {
        const first = reader.head as Uint8Array<ArrayBuffer>;
        this.#leave(talk, "no HTTP/1 in answer");
        this.#tellBytes(talk, "target", first);
      }
    }
    this.#tellBytes(talk, "target", rest);
  }

  #beginAnswer(talk: Talk, reader: HttpReader): void {
    const [exchange] = talk.waiting;
    if (exchange === undefined) return;
    const message = exchange.response = newMessage(reader.head, talk.time);
    talk.current.target = { exchange, message };
    this.#emit({ type: "head", exchange, side: "target", message, time: talk.time });
    if (talk.leaving !== exchange || reader.upgrade) return;
    talk.leaving = null; // the target stays with HTTP
    for (const piece of talk.held.client.splice(0)) this.#read(talk, "client", piece);
  }

  /** The answer grants another protocol. */
  #switch(talk: Talk, first: Uint8Array<ArrayBuffer>): void {
    const exchange = talk.current.target?.exchange;
    const name = exchange === undefined ? "" : header(exchange.request.head, "upgrade") ?? "a tunnel";
    for (const side of ["client", "target"] as const) {
      if (talk.current[side] !== null) this.#endMessage(talk, side, "complete");
    }
    this.#leave(talk, name);
    this.#tellBytes(talk, "target", first);
  }

  #endMessage(talk: Talk, side: Side, state: Message["state"]): void {
    const current = talk.current[side];
    if (current === null) return;
    talk.current[side] = null;
    const { exchange, message } = current;
    message.state = state;
    message.endedAt = talk.time;
    this.#emit({ type: "end", exchange, side, message, time: talk.time });
    if (side === "target") {
      talk.untilEnd = false;
      talk.waiting.splice(talk.waiting.indexOf(exchange), 1);
    }
    if (
      exchange.request.state !== "open" && exchange.response !== null && exchange.response.state !== "open"
    ) {
      this.#finish(talk, exchange);
    }
  }

  #finish(talk: Talk, exchange: Exchange): void {
    this.#emit({ type: "exchange", exchange, time: talk.time });
    for (const message of [exchange.request, exchange.response]) {
      if (message === null) continue;
      this.#kept -= message.keptSize;
      message.kept = [];
    }
  }

  /** All that is under way ends here. */
  #cutAll(talk: Talk, state: string): void {
    const open = new Set([
      ...talk.waiting,
      ...Object.values(talk.current).flatMap((one) => one?.exchange ?? []),
    ]);
    for (const exchange of open) {
      for (const side of ["client", "target"] as const) {
        if (talk.current[side]?.exchange === exchange) this.#endMessage(talk, side, state);
      }
      if (!talk.waiting.includes(exchange)) continue;
      talk.waiting.splice(talk.waiting.indexOf(exchange), 1);
      if (exchange.request.state === "open") exchange.request.state = state;
      this.#finish(talk, exchange);
    }
    talk.leaving = null;
    talk.untilEnd = false;
    for (const side of ["client", "target"] as const) {
      talk.readers[side]?.[Symbol.dispose]();
      talk.readers[side] = null;
    }
  }

  /** From here on it is no HTTP/1; what waited is told. */
  #leave(talk: Talk, name: string): void {
    this.#cutAll(talk, "the connection left HTTP/1");
    talk.mode = "opaque";
    this.#emit({ type: "protocol", connection: talk.connection, name, time: talk.time });
    for (const side of ["target", "client"] as const) this.#flush(talk, side);
  }

  #flush(talk: Talk, side: Side): void {
    for (const { bytes } of talk.held[side].splice(0)) this.#tellBytes(talk, side, bytes);
  }

  /** A request begins at the byte with the number `at`. */
  #resume(talk: Talk, at: number): void {
    talk.mode = "http";
    talk.resumedAt = at;
    // What of the client's waited asked to leave HTTP; its answer is not known any more.
    talk.skipped.client += talk.held.client.splice(0).reduce((sum, { bytes }) => sum + bytes.length, 0);
    talk.held.target = talk.held.target.filter((piece) => !this.#isStale(talk, piece));
    this.#tellSkipped(talk);
  }

  #tellSkipped(talk: Talk): void {
    for (const side of ["client", "target"] as const) {
      const count = talk.skipped[side];
      talk.skipped[side] = 0;
      if (count === 0) continue;
      this.#emit({ type: "lost", connection: talk.connection, side, count, time: talk.time });
    }
  }

  #hold(talk: Talk, side: Side, { bytes, acknowledged }: Held): void {
    if (bytes.length === 0) return;
    talk.held[side].push({ bytes: bytes.slice(), acknowledged });
    const size = talk.held[side].reduce((sum, one) => sum + one.bytes.length, 0);
    if (size > waitingLimit) this.#leave(talk, "no HTTP/1 that is understood");
  }

  #tellBytes({ connection, time }: Talk, side: Side, bytes: Uint8Array<ArrayBuffer>): void {
    if (bytes.length > 0) this.#emit({ type: "bytes", connection, side, bytes, time });
  }

  #reader(talk: Talk, side: Side): HttpReader {
    return new HttpReader(
      side === "client" ? "request" : "response",
      (bytes) => this.#keepBytes(talk, side, bytes),
    );
  }

  #keepBytes(talk: Talk, side: Side, bytes: Uint8Array): void {
    const current = talk.current[side];
    if (current === null || bytes.length === 0) return;
    const { exchange, message } = current;
    const room = Math.min(this.#keep - message.keptSize, keptBudget - this.#kept);
    // Behind a piece that found no room nothing is kept.
    if (room > 0 && message.keptSize === message.size) {
      const kept = bytes.slice(0, room);
      message.kept.push(kept);
      message.keptSize += kept.length;
      this.#kept += kept.length;
    }
    message.size += bytes.length;
    message.endedAt = talk.time;
    this.#emit({ type: "body", exchange, side, bytes, time: talk.time });
  }
}

/** What a connection that is not HTTP/1 speaks, as far as its first bytes tell. */
function nameOf(reason: string, first: Uint8Array): string {
  if (reason === "http2") return "HTTP/2";
  if (first[0] === tlsHandshake && first[1] === 3) return "TLS";
  return "another protocol";
}
