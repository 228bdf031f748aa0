// One HTTP/1 request with its answer as those who watch a session see it: heads without secrets, and the
// beginning of each body. Made by requests.ts. Bounded: what is longer is only counted.

import type { Details, Preview, SessionDetail } from "./details.ts";

/** Bytes of a body that are kept. */
const mostBody = 4096;
/** Bytes of a head that are shown. */
const mostHead = 8192;
/** Names of fields whose values let others act for their user. */
const secrets = /^(proxy-)?authorization$|^(set-)?cookie2?$|api-?key|token|secret|password|session/i;
const hidden = "(hidden)";

const latin1 = new TextDecoder("latin1");
const utf8 = new TextDecoder("utf-8", { fatal: true });

type Exchange = Extract<SessionDetail, { type: "exchange" }>;

/** What is known of the connection that a request came by. */
export type ExchangeFacts = Pick<Exchange, "mode" | "port" | "peer">;

/** One side's message while it passes. */
class Passing {
  #head = "";
  #kept: Uint8Array[] = [];
  #size = 0;

  began(head: Uint8Array): void {
    this.#head = headText(head);
  }

  passed(body: Uint8Array): void {
    const room = mostBody - this.#size;
    if (room > 0) this.#kept.push(body.slice(0, room));
    this.#size += body.length;
  }

  get preview(): Preview {
    const bytes = new Uint8Array(Math.min(this.#size, mostBody));
    let at = 0;
    for (const piece of this.#kept) {
      bytes.set(piece, at);
      at += piece.length;
    }
    return { head: this.#head, body: bodyText(this.#head, bytes), bytes: this.#size };
  }
}

export class SeenExchange {
  readonly #details: Details;
  readonly #facts: ExchangeFacts;
  readonly #number: number;
  readonly #began = performance.now();
  readonly #request = new Passing();
  readonly #answer = new Passing();

  constructor(details: Details, facts: ExchangeFacts, head: Uint8Array) {
    this.#details = details;
    this.#facts = facts;
    this.#number = details.nextNumber();
    this.#request.began(head);
    this.#tell(false, null);
  }

  /** Bytes of the request's body. */
  asked(body: Uint8Array): void {
    this.#request.passed(body);
  }

  answerBegan(head: Uint8Array): void {
    this.#answer.began(head);
  }

  /** Bytes of the answer's body. */
  answered(body: Uint8Array): void {
    this.#answer.passed(body);
  }

  end(status: number | null): void {
    this.#tell(true, status);
  }

  #tell(isOver: boolean, status: number | null): void {
    if (!this.#details.isWatched) return;
    const milliseconds = Math.round((performance.now() - this.#began) * 10) / 10;
    const answer = this.#facts.mode === "mirror" ? null : this.#answer.preview;
    this.#details.tell({
      type: "exchange",
      number: this.#number,
      isOver,
      ...this.#facts,
      status,
      milliseconds,
      request: this.#request.preview,
      answer,
    });
  }
}

/** The head as text, without the values that are secrets. */
export function headText(head: Uint8Array): string {
  const whole = latin1.decode(head.subarray(0, mostHead)).trimStart();
  const [first = "", ...fields] = whole.split("\r\n");
  const shown = fields.filter((field) => field !== "").map((field) => {
    const name = field.slice(0, Math.max(0, field.indexOf(":")));
    return secrets.test(name) ? `${name}: ${hidden}` : field;
  });
  return [first, ...shown].join("\n") + (head.length > mostHead ? "…" : "");
}

/** The body's beginning as text; null: it is compressed, or no text. */
export function bodyText(head: string, bytes: Uint8Array): string | null {
  if (/^content-encoding:[ \t]*(?!identity)\S/im.test(head)) return null;
  const isChunked = /^transfer-encoding:.*chunked/im.test(head);
  return textOf(isChunked ? unchunked(bytes) : bytes);
}

/** The data of the chunks, as far as they are there (RFC 9112, 7.1). */
function unchunked(bytes: Uint8Array): Uint8Array {
  const data: number[] = [];
  for (let at = 0; at < bytes.length;) {
    const end = bytes.indexOf(0x0a, at);
    const size = end < 0 ? 0 : parseInt(latin1.decode(bytes.subarray(at, end)), 16);
    if (!(size > 0)) break;
    data.push(...bytes.subarray(end + 1, end + 1 + size));
    at = end + 1 + size + 2;
  }
  return Uint8Array.from(data);
}

/** UTF-8, which may be cut in its last character; null: it is none, or holds control characters. */
function textOf(bytes: Uint8Array): string | null {
  for (let cut = 0; cut < 4; cut++) {
    try {
      const text = utf8.decode(bytes.subarray(0, bytes.length - cut));
      // deno-lint-ignore no-control-regex
      return /[\x00-\x08\x0e-\x1f]/.test(text) ? null : text;
    } catch {
      // Perhaps its last character is not whole.
    }
  }
  return null;
}
