// Traffic as `mirrord dump` shows it to people: each message with its head and the beginning of its body,
// what is not HTTP/1 as text or hex lines. Called by dump.ts. A body that is long under way is shown as it
// comes.

import { addressText } from "../core/net/address.ts";
import type { Connection, Side } from "../core/traffic/conversations.ts";
import type { Exchange, TrafficEvent } from "../core/traffic/events.ts";
import { header, type Message, readBody, urlOf } from "../core/traffic/message.ts";
import { shownBytes, shownText } from "../core/traffic/shown_bytes.ts";
import { concatenate } from "../protocol-wasm/mod.ts";

const indent = "    ";
/** A body that grows is shown after this time, though it is not complete. */
const patience = 500_000_000n;
const arrows: Record<Side, string> = { client: ">", target: "<" };

/** A message whose body was not shown to its end. */
interface Growing {
  exchange: Exchange;
  side: Side;
  message: Message;
  /** Bytes of its content that were shown. */
  shown: number;
  since: bigint;
}

/** What of a connection that is not HTTP/1 was shown since the other side spoke last. */
interface Turn {
  side: Side;
  shown: number;
  /** Bytes that were not. */
  more: number;
}

export class TrafficLines {
  readonly #preview: number;
  readonly #growing = new Map<Message, Growing>();
  readonly #turns = new Map<Connection, Turn>();
  /** Whose lines stand last. */
  #last: object | null = null;
  #lines: string[] = [];

  /** `preview`: bytes that are shown of each body. */
  constructor(preview: number) {
    this.#preview = preview;
  }

  /** What was made since the last call. */
  takeLines(): string[] {
    return this.#lines.splice(0);
  }

  take(event: TrafficEvent): void {
    switch (event.type) {
      case "head":
        return this.#head(event.exchange, event.side, event.message);
      case "end":
        return this.#end(event.message, event.time);
      case "exchange": {
        const { exchange } = event;
        if (exchange.response === null) {
          this.#say(
            exchange,
            event.time,
            `#${exchange.number} < no answer: ${
              exchange.request.state === "complete" ? "the connection ended before" : exchange.request.state
            }`,
          );
        }
        return;
      }
      case "protocol":
        return this.#say(event.connection, event.time, `${labelOf(event.connection)} speaks ${event.name}`);
      case "bytes":
        return this.#bytes(event.connection, event.side, event.bytes, event.time);
      case "lost":
        this.#endTurn(event.connection);
        return this.#say(
          event.connection,
          event.time,
          `${labelOf(event.connection)} ${
            arrows[event.side]
          } ${event.count} bytes were lost: packets are missing`,
        );
      case "closed": {
        const isShown = this.#turns.has(event.connection) || event.how === "refused";
        this.#endTurn(event.connection);
        this.#turns.delete(event.connection);
        if (!isShown) return;
        const how = { end: "closed", reset: "reset", refused: "refused", unseen: "not seen to its end" };
        return this.#say(event.connection, event.time, `${labelOf(event.connection)} ${how[event.how]}`);
      }
    }
  }

  /** A line of its own. */
  note(time: bigint, text: string): void {
    this.#say(this, time, text);
  }

  /** Shows what grew and is not complete. To be called now and then. */
  tick(now: bigint): void {
    for (const one of this.#growing.values()) {
      const { message, shown, since } = one;
      const isReadable = (header(message.head, "content-encoding") ?? "identity") === "identity";
      const more = Math.min(message.keptSize, this.#preview) > shown;
      if (isReadable && more && now - since >= patience) this.#showBody(one, now);
    }
  }

  #head(exchange: Exchange, side: Side, message: Message): void {
    const { head, startedAt } = message;
    const label = `#${exchange.number} ${arrows[side]}`;
    if (side === "client") {
      const { client, target } = exchange.connection;
      const url = urlOf(head, target);
      this.#say(
        message,
        startedAt,
        `${label} ${head.method} ${url} (${addressText(client)} > ${addressText(target)})`,
      );
    } else {
      const ms = Number((startedAt - exchange.request.startedAt) / 100_000n) / 10;
      this.#say(message, startedAt, `${label} ${`${head.status} ${head.reason}`.trim()} (${ms} ms)`);
    }
    for (const { name, value } of head.headers) this.#lines.push(`${indent}${name}: ${value}`);
    this.#growing.set(message, { exchange, side, message, shown: 0, since: startedAt });
  }

  #end(message: Message, time: bigint): void {
    const one = this.#growing.get(message);
    this.#growing.delete(message);
    if (one === undefined) return;
    if (message.size > one.shown) this.#showBody(one, time);
    const label = `#${one.exchange.number} ${arrows[one.side]}`;
    if (message.state !== "complete") this.#say(message, time, `${label} not complete: ${message.state}`);
  }

  #showBody(one: Growing, time: bigint): void {
    const { message, exchange, side, shown } = one;
    const lines = shown === 0 && message.state === "complete"
      ? bodyLines(message, this.#preview)
      : growthLines(message, shown, this.#preview);
    one.shown = Math.min(message.keptSize, this.#preview);
    one.since = time;
    if (lines.length === 0) return;
    if (this.#last !== message) this.#say(message, time, `#${exchange.number} ${arrows[side]} body`);
    else if (shown === 0) this.#lines.push("");
    this.#lines.push(...lines.map((line) => indent + line));
  }

  #bytes(connection: Connection, side: Side, bytes: Uint8Array, time: bigint): void {
    let turn = this.#turns.get(connection);
    if (turn === undefined || turn.side !== side) {
      this.#endTurn(connection);
      turn = { side, shown: 0, more: 0 };
      this.#turns.set(connection, turn);
    }
    const part = bytes.subarray(0, Math.max(0, this.#preview - turn.shown));
    turn.shown += part.length;
    turn.more += bytes.length - part.length;
    if (part.length === 0) return;
    this.#say(connection, time, `${labelOf(connection)} ${arrows[side]} ${bytes.length} bytes`);
    this.#lines.push(...shownBytes(part, part.length).map((line) => indent + line));
  }

  #endTurn(connection: Connection): void {
    const turn = this.#turns.get(connection);
    if (turn === undefined || turn.more === 0) return;
    this.#lines.push(`${indent}… ${turn.more} more bytes ${arrows[turn.side]} of ${labelOf(connection)}`);
    turn.more = 0;
  }

  #say(whose: object, time: bigint, text: string): void {
    this.#last = whose;
    this.#lines.push(`${clock(time)} ${text}`);
  }
}

/** "c3 10.0.0.7:40000 > 10.0.0.1:5432". */
function labelOf({ number, client, target }: Connection): string {
  return `c${number} ${addressText(client)} > ${addressText(target)}`;
}

/** A whole body, as text if it is one. */
function bodyLines(message: Message, preview: number): string[] {
  const body = readBody(message);
  if (body.compressed !== "") return [`(${message.size} bytes, ${body.compressed})`];
  if (body.text !== null) return shownText(body.text, preview);
  const type = header(message.head, "content-type");
  return [
    `(${message.size} bytes${type === undefined ? "" : `, ${type}`})`,
    ...shownBytes(body.bytes, Math.min(preview, 256)),
  ];
}

/** What came since `shown`, of the part that is shown; at the end also how much more there was. */
function growthLines(message: Message, shown: number, preview: number): string[] {
  const coding = header(message.head, "content-encoding") ?? "identity";
  if (coding !== "identity") return [`(${message.size} bytes, ${coding})`];
  const part = concatenate(message.kept).subarray(shown, preview);
  return shownBytes(part, part.length, message.state === "open" ? part.length : message.size - shown);
}

/** The time of day, to the millisecond. */
function clock(time: bigint): string {
  const date = new Date(Number(time / 1_000_000n));
  const two = (value: number) => String(value).padStart(2, "0");
  const day = [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(":");
  return `${day}.${String(date.getMilliseconds()).padStart(3, "0")}`;
}
