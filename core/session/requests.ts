// The HTTP/1 requests of stolen and mirrored connections, each as one event once its answer has ended. Used
// by incoming.ts for stolen connections, whose bytes are read on their way, and by mirror.ts, which separates
// requests anyway. Nothing is read where the events are not used. Invariant: bytes are only looked at; a
// connection that is not HTTP/1, or no longer, passes on unread. An event names no header but Host, no body
// and no query: those may hold secrets.

import { type ByteChannel, HttpReader } from "../../protocol-wasm/mod.ts";
import type { Emit } from "./events.ts";

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

/** Called once, when the answer has ended: with its status, or null if none came. */
export type RequestEnd = (status: number | null) => void;

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
  #watched = 0;

  /** `emit` null: the events are not used. */
  constructor(emit: Emit | null) {
    this.#emit = emit;
  }

  /** A request with this head was read; null where the events are not used. */
  begin(head: Uint8Array, { mode, port, peer }: Subscribed): RequestEnd | null {
    const emit = this.#emit;
    if (emit === null) return null;
    const facts = factsOf(head);
    const began = performance.now();
    return (status) => {
      const milliseconds = Math.round((performance.now() - began) * 10) / 10;
      emit({ type: "request", mode, port, peer, ...facts, status, milliseconds });
    };
  }

  /** The same channel, read on its way: what comes out of it are requests, what is written are answers. */
  watch(channel: Watchable, subscribed: Subscribed): Watchable & Disposable {
    const plain = {
      read: () => channel.read(),
      release: (bytes: Uint8Array) => channel.release?.(bytes),
      write: (bytes: Uint8Array) => channel.write(bytes),
      closeWrite: () => channel.closeWrite(),
      reset: () => channel.reset(),
    };
    if (this.#emit === null || this.#watched >= mostWatched) return { ...plain, [Symbol.dispose]() {} };
    const watch = new Watch((head) => this.begin(head, subscribed));
    this.#watched++;
    return {
      ...plain,
      read: async () => {
        const bytes = await channel.read();
        if (bytes !== null) watch.asked(bytes);
        return bytes;
      },
      write: (bytes) => {
        watch.answered(bytes);
        return channel.write(bytes);
      },
      [Symbol.dispose]: () => {
        this.#watched--;
        watch[Symbol.dispose]();
      },
    };
  }
}

/** On a channel of a link a reset is in order already. */
type Watchable = Omit<ByteChannel, "resetInOrder">;

/** Both directions of one connection. */
class Watch implements Disposable {
  readonly #begin: (head: Uint8Array) => RequestEnd | null;
  readonly #requests = new HttpReader("request");
  readonly #responses = new HttpReader("response");
  readonly #waiting: (RequestEnd | null)[] = [];
  /** Of the answer under way; null before its head. */
  #status: number | null = null;
  /** What the client sends is separated into requests. */
  #isAsking = true;
  #isOver = false;

  constructor(begin: (head: Uint8Array) => RequestEnd | null) {
    this.#begin = begin;
  }

  asked(bytes: Uint8Array): void {
    for (let rest = bytes; this.#isAsking && !this.#isOver;) {
      const { state, used } = this.#requests.next(rest);
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
      rest = rest.subarray(used);
      const { interim, status, upgrade } = this.#responses;
      if (state === "more") return;
      if (state === "head" && !interim) this.#status = status;
      else if (state === "end" && !interim) this.#settle();
      else if (state === "not-http") return this.#end();
      else if (state === "raw") return upgrade ? this.#end() : undefined; // otherwise to the connection's end
    }
  }

  [Symbol.dispose](): void {
    this.#end();
  }

  #settle(): void {
    this.#waiting.shift()?.(this.#status);
    this.#status = null;
    if (!this.#isAsking && this.#waiting.length === 0) this.#end();
  }

  /** No more is read: the answer under way has ended, and others will not be seen. */
  #end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    for (const answered of this.#waiting.splice(0)) {
      answered?.(this.#status);
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
