// What is recorded of traffic and can be played again. Made by recording.ts and har_read.ts, used by play.ts
// and compare.ts.

import type { Side } from "./conversations.ts";
import { type Header, type Message, readBody } from "./message.ts";

/** A request as it is to be sent. */
export interface RecordedRequest {
  method: string;
  /** Path and query. */
  target: string;
  headers: Header[];
  body: Uint8Array<ArrayBuffer>;
}

/** An answer as it was recorded. */
export interface RecordedAnswer {
  status: number;
  headers: Header[];
  /** Uncompressed. */
  body: Uint8Array<ArrayBuffer>;
  /** `body` is only its beginning, or not known at all. */
  isCut: boolean;
}

/** What one side said before the other spoke again. */
export interface Turn {
  side: Side;
  bytes: Uint8Array<ArrayBuffer>;
}

interface Part {
  /** "GET /path", or the two ends of a connection. */
  label: string;
  /** To whom it went: host and port. */
  host: string;
  /** Milliseconds since the first part began. */
  at: number;
}

/** Something to play. */
export type Recorded =
  | Part & { kind: "request"; request: RecordedRequest; answer: RecordedAnswer | null }
  | Part & { kind: "bytes"; turns: Turn[] };

/** What is in a file, in the order of its beginning. */
export interface Recording {
  parts: Recorded[];
  /** What cannot be played, with the reason. */
  left: { label: string; host: string; why: string }[];
  /** It was recorded at one target: whatever its hosts are called, they are that one. */
  isOneTarget: boolean;
}

/** Of a body so much is read, and it is uncompressed to at most this length. */
export const mostBody = 256 << 20;

/** Headers that belong to a connection, or that are written again when the request is sent. */
const notSent =
  /^(:.*|connection|keep-alive|proxy-connection|te|trailer|transfer-encoding|upgrade|content-length|expect)$/i;

/** The headers of a request that are sent again. */
export function sentHeaders(headers: readonly Header[]): Header[] {
  return headers.filter(({ name }) => !notSent.test(name));
}

/** An answer as it was seen, or comes now; its body without compression. */
export function answerOf(response: Message): RecordedAnswer {
  const { bytes, isCut, compressed } = readBody(response, mostBody);
  const { status, headers } = response.head;
  return { status, headers, body: bytes, isCut: isCut || compressed !== "" };
}
