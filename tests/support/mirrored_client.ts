// A mirrored connection as core/session/mirror.ts has it: a real app's side on a socket, and the client's
// bytes as the agent would bring them. Used by the tests beside that file.

import type { ByteChannel } from "../../protocol-wasm/mod.ts";
import assert from "node:assert/strict";
import { unwatched } from "../../core/net/linux/poll.ts";
import { dialTcp } from "../../core/net/linux/socket.ts";
import type { SessionEvent } from "../../core/session/events.ts";
import { play } from "../../core/session/mirror.ts";
import { Requests } from "../../core/session/requests.ts";
import { deadline } from "./deadline.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** The client's side: what `say` says comes out of `read`. */
export class Client implements ByteChannel {
  #said: (Uint8Array | null)[] = [];
  #wake = Promise.withResolvers<void>();
  ended = false;
  readonly wasReset = Promise.withResolvers<"reset">();
  #failed = false;

  say(text: string): void {
    this.#said.push(encoder.encode(text));
    this.#wake.resolve();
  }
  end(): void {
    this.#said.push(null);
    this.#wake.resolve();
  }
  async read(): Promise<Uint8Array | null> {
    for (;;) {
      if (this.#failed) throw new Error("reset");
      const next = this.#said.shift();
      if (next !== undefined) return next;
      this.#wake = Promise.withResolvers();
      await this.#wake.promise;
    }
  }
  write(): Promise<void> {
    return Promise.reject(new Error("the session has nothing to say"));
  }
  closeWrite(): Promise<void> {
    this.ended = true;
    return Promise.resolve();
  }
  reset(): void {
    this.#failed = true;
    this.wasReset.resolve("reset");
    this.#wake.resolve();
  }
}

/** An app on a socket, and a mirrored connection to it. */
export class Stage implements AsyncDisposable {
  readonly client = new Client();
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #conns: Deno.Conn[] = [];
  playing: Promise<unknown> = Promise.resolve();
  /** The events of its requests. */
  readonly events: SessionEvent[] = [];
  readonly #requests = new Requests((event) => this.events.push(event));
  played = Promise.resolve({ discarded: 0, lost: new Set<string>() });

  async start(): Promise<this> {
    const dial = () => dialTcp({ destination: { address: "127.0.0.1", port: this.#listener.addr.port } });
    this.playing = this.played = play(this.client, await dial(), {
      dial: () => dial().catch(() => null),
      begin: (head) => this.#requests.begin(head, { mode: "mirror", port: 80, peer: "10.0.0.9:1234" }),
    });
    return this;
  }

  async accept(): Promise<App> {
    const conn = await deadline(this.#listener.accept(), "the session dials the app");
    this.#conns.push(conn);
    return new App(conn);
  }

  stopListening(): void {
    this.#listener.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.client.end();
    for (const conn of this.#conns) {
      try {
        conn.close();
      } catch {
        // The app closed it.
      }
    }
    try {
      this.#listener.close();
    } catch {
      // A test closed it.
    }
    await deadline(this.playing, "the mirrored connection ends");
    await unwatched();
  }
}

export class App {
  readonly #conn: Deno.Conn;
  #heard = "";

  constructor(conn: Deno.Conn) {
    this.#conn = conn;
  }

  /** All up to and with `end`. */
  async until(end: string): Promise<string> {
    for (;;) {
      const at = this.#heard.indexOf(end);
      if (at >= 0) {
        const taken = this.#heard.slice(0, at + end.length);
        this.#heard = this.#heard.slice(at + end.length);
        return taken;
      }
      const more = await this.#read();
      assert.ok(more !== null, `ended before "${end}": "${this.#heard}"`);
      this.#heard += more;
    }
  }

  /** The rest until the session's end. */
  async rest(): Promise<string> {
    for (let more = await this.#read(); more !== null; more = await this.#read()) this.#heard += more;
    return this.#heard;
  }

  /** What one read gives. */
  async once(): Promise<string | null> {
    return await this.#read();
  }

  get unread(): string {
    return this.#heard;
  }

  async say(text: string): Promise<void> {
    await this.#conn.write(encoder.encode(text));
  }

  close(): void {
    this.#conn.close();
  }

  async #read(): Promise<string | null> {
    const buffer = new Uint8Array(65536);
    const count = await deadline(this.#conn.read(buffer), `more after "${this.#heard}"`);
    return count === null ? null : decoder.decode(buffer.subarray(0, count));
  }
}

/** A request without a body, and an answer after which the connection goes on. */
export const request = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`;
export const answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
