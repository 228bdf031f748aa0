// What happens on connections, as exchanges.ts tells it to those who show, record or play it.

import type { Connection, Ending, Side } from "./conversations.ts";
import type { Message } from "./message.ts";

/** One request with its answer. */
export interface Exchange {
  /** Counted from 1. */
  readonly number: number;
  readonly connection: Connection;
  readonly request: Message;
  /** null as long as there is none. */
  response: Message | null;
}

/** What happens, in order. `time`: nanoseconds since 1970. */
export type TrafficEvent =
  | { type: "opened"; connection: Connection; time: bigint }
  /** What a connection speaks where that is not HTTP/1, or no longer. */
  | { type: "protocol"; connection: Connection; name: string; time: bigint }
  /** A head is complete. */
  | { type: "head"; exchange: Exchange; side: Side; message: Message; time: bigint }
  /** More of its content; valid during the call. */
  | { type: "body"; exchange: Exchange; side: Side; bytes: Uint8Array; time: bigint }
  /** It is over: `message.state` says how. */
  | { type: "end"; exchange: Exchange; side: Side; message: Message; time: bigint }
  /** Both are over; `kept` is not kept any longer. */
  | { type: "exchange"; exchange: Exchange; time: bigint }
  /** Bytes that are no HTTP/1; valid during the call. */
  | { type: "bytes"; connection: Connection; side: Side; bytes: Uint8Array; time: bigint }
  /** Bytes that never came, or that could not be understood behind such. */
  | { type: "lost"; connection: Connection; side: Side; count: number; time: bigint }
  | { type: "closed"; connection: Connection; how: Ending; time: bigint };
