// The HTTP/1 requests of stolen and mirrored connections, each as one event once its answer has ended. Used
// by incoming.ts for stolen connections, whose bytes are read on their way, and by mirror.ts, which separates
// requests anyway. Nothing is read where the events are not used. Invariant: bytes are only looked at; a
// connection that is not HTTP/1, or no longer, passes on unread. An event names no header but Host, no body
// and no query: those may hold secrets.

import { type ByteChannel, HttpReader } from "../../protocol-wasm/mod.ts";
import { beginsRequest } from "../net/first_line.ts";
import { Details } from "./details.ts";
import type { Emit } from "./events.ts";
import { SeenExchange } from "./preview.ts";

/** The subscription that a connection came by, and its client. */
export interface Subscribed {
  mode: "steal" | "mirror";
  port: number;
  peer: string;
}

/** What an event tells of a request's head. */
export interface RequestFacts {
  method: string;
  /** null: the request names none. */
  host: string | null;
  path: string;
}

/** A request on its way through: what is told of its bodies counts only for those who watch. */
export interface SeenRequest {
  /** Bytes of its body, in its transfer coding. */
  asked(body: Uint8Array): void;
  answerBegan(head: Uint8Array): void;
  /** Bytes of the answer's body. */
  answered(body: Uint8Array): void;
  /** Called once, when the answer has ended: with its status, or null if none came. */
  end(status: number | null): void;
}

/** Stolen connections that are read at a time: each takes two readers' memory. */
const mostWatched = 1024;
/** Requests of one connection that wait for their answers; beyond it no more are read. */
const mostWaiting = 64;
const mostMethod = 32;
/** A host name has 253 characters; brackets and a port are added. */
const mostHost = 272;
const mostPath = 1024;
const decoder = new TextDecoder("latin1");

export class Requests {
  readonly #emit: Emit | null;
  readonly #details: Details;
  #watched = 0;

  /** `emit` null: the events are not used. */
  constructor(emit: Emit | null, details: Details = new Details()) {
    this.#emit = emit;
    this.#details = details;
  }

  /** A request with this head was read; null where nobody uses that. */
  begin(head: Uint8Array, subscribed: Subscribed): SeenRequest | null {
    const emit = this.#emit;
    const seen = this.#details.isWatched ? new SeenExchange(this.#details, subscribed, head) : null;
    if (emit === null) return seen;
    const { mode, port, peer } = subscribed;
    const facts = factsOf(head);
    const began = performance.now();
    return {
      asked: (body) => seen?.asked(body),
      answerBegan: (head) => seen?.answerBegan(head),
      answered: (body) => seen?.answered(body),
      end(status) {
        const milliseconds = Math.round((performance.now() - began) * 10) / 10;
        emit({ type: "request", mode, port, peer, ...facts, status, milliseconds });
        seen?.end(status);
      },
    };
  }

  /** The same channel, read on its way: what comes out of it are requests, what is written are answers. */
  watch(channel: Watchable, subscribed: Subscribed): Watchable & Disposable {
    let watch = this.#emit === null ? null : this.#start(subscribed);
    return {
      read: async () => {
        const bytes = await channel.read();
        if (bytes === null) return null;
        // Somebody watches who came later: from the next request on.
        if (watch === null && this.#details.isWatched && beginsRequest(bytes)) {
          watch = this.#start(subscribed);
        }
        watch?.asked(bytes);
        return bytes;
      },
      release: (bytes) => channel.release?.(bytes),
      write: (bytes) => {
        watch?.answered(bytes);
        return channel.write(bytes);
      },
      closeWrite: () => channel.closeWrite(),
      reset: () => channel.reset(),
      [Symbol.dispose]: () => {
        if (watch === null) return;
        this.#watched--;
        watch[Symbol.dispose]();
      },
    };
  }

  #start(subscribed: Subscribed): Watch | null {
    if (this.#watched >= mostWatched) return null;
    this.#watched++;
    return new Watch((head) => this.begin(head, subscribed));
  }
}

/** On a channel of a link a reset is in order already. */
type Watchable = Omit<ByteChannel, "resetInOrder">;

/** Both directions of one connection. */
class Watch implements Disposable {
  readonly #begin: (head: Uint8Array) => SeenRequest | null;
  readonly #requests = new HttpReader("request");
  readonly #responses = new HttpReader("response");
  readonly #waiting: (SeenRequest | null)[] = [];
  /** Of the answer under way; null before its head. */
  #status: number | null = null;
  /** What the client sends is separated into requests. */
  #isAsking = true;
  #isOver = false;

  constructor(begin: (head: Uint8Array) => SeenRequest | null) {
    this.#begin = begin;
  }

  asked(bytes: Uint8Array): void {
    for (let rest = bytes; this.#isAsking && !this.#isOver;) {
      const { state, used } = this.#requests.next(rest);
      if (state === "body") this.#waiting.at(-1)?.asked(rest.subarray(0, used));
      rest = rest.subarray(used);
      if (state === "more") return;
      if (state === "head") {
        if (this.#waiting.length >= mostWaiting) {
          this.#isAsking = false;
          return;
        }
        this.#responses.expect(this.#requests.method);
        this.#waiting.push(this.#begin(this.#requests.head));
      } else if (state === "raw" || state === "not-http") {
        // What follows a request to leave HTTP may come before the answer that does.
        this.#isAsking = false;
        if (this.#waiting.length === 0) this.#end();
      }
    }
  }

  answered(bytes: Uint8Array): void {
    for (let rest = bytes; !this.#isOver;) {
      const { state, used } = this.#responses.next(rest);
      const [seen] = this.#waiting;
      if (state === "body" || state === "raw") seen?.answered(rest.subarray(0, used));
      rest = rest.subarray(used);
      const { interim, status, upgrade } = this.#responses;
      if (state === "more") return;
      if (state === "head" && !interim) {
        this.#status = status;
        seen?.answerBegan(this.#responses.head);
      }
      if (state === "end" && !interim) this.#settle();
      else if (state === "not-http") return this.#end();
      else if (state === "raw") return upgrade ? this.#end() : undefined; // otherwise to the connection's end
    }
  }

  [Symbol.dispose](): void {
    this.#end();
  }

  #settle(): void {
    this.#waiting.shift()?.end(this.#status);
    this.#status = null;
    if (!this.#isAsking && this.#waiting.length === 0) this.#end();
  }

  /** No more is read: the answer under way has ended, and others will not be seen. */
  #end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    for (const answered of this.#waiting.splice(0)) {
      answered?.end(this.#status);
      this.#status = null;
    }
    this.#requests[Symbol.dispose]();
    this.#responses[Symbol.dispose]();
  }
}

/**
 * Method, host and path of a complete head (RFC 9112, 3). The host of an absolute target counts before the
 * Host field. Left out: query and fragment, and the user part of a host.
 */
export function factsOf(head: Uint8Array): RequestFacts {
  const text = decoder.decode(head);
  const [, method = "", target = ""] = /^(?:\r\n)*(\S+) (\S+)/.exec(text) ?? [];
  const [, authority, rest = target] = /^[A-Za-z][A-Za-z0-9+.-]*:\/\/([^/?#]*)(.*)$/s.exec(target) ?? [];
  const named = method === "CONNECT"
    ? target
    : authority ?? /^host:[ \t]*([^\r\n]*)/im.exec(text)?.[1]?.trim();
  const path = method === "CONNECT" ? "" : rest.replace(/[?#].*$/s, "") || "/";
  return {
    method: cut(method, mostMethod),
    host: named === undefined ? null : cut(named.replace(/^.*@/s, ""), mostHost),
    path: cut(path, mostPath),
  };
}

function cut(text: string, most: number): string {
  return text.length > most ? `${text.slice(0, most - 1)}…` : text;
}
