// HTTP/1 of a stolen connection: its requests one after the other, and how each and its answer pass. Made by
// route.ts. Invariant: every byte passes as it came; nothing is rewritten. What the peer sends ahead stays
// unread.

import { HttpReader } from "../../protocol-wasm/mod.ts";
import type { Found, Next, Requests, Side } from "./exchange.ts";
import { pump, type Source } from "./source.ts";

/** How far a request's body got. */
type Sent = "complete" | "opaque" | "unsent";

const nothing = new Uint8Array();

export class Http1 implements Requests {
  readonly #down: Source;
  readonly #sending: (side: Side) => void;
  readonly #requests = new HttpReader("request");
  readonly #responses = new Map<Side, HttpReader>();

  /** `down`: the peer. `sending` is called before a part of a request's body goes to its side. */
  constructor(down: Source, sending: (side: Side) => void) {
    this.#down = down;
    this.#sending = sending;
  }

  read(bytes: Uint8Array): { used: number; found: Found | null } {
    const { state, used } = this.#requests.next(bytes);
    if (state === "more") return { used, found: null };
    const { head } = this.#requests;
    if (state !== "head") return { used, found: { foreign: head, reason: foreign(this.#requests.reason) } };
    return { used, found: { exchange: { head, run: (side) => this.#run(side) } } };
  }

  forget(side: Side): void {
    this.#responses.get(side)?.[Symbol.dispose]();
    this.#responses.delete(side);
  }

  [Symbol.dispose](): void {
    this.#requests[Symbol.dispose]();
    for (const side of [...this.#responses.keys()]) this.forget(side);
  }

  #responsesOf(side: Side): HttpReader {
    let responses = this.#responses.get(side);
    if (responses === undefined) this.#responses.set(side, responses = new HttpReader("response"));
    return responses;
  }

  /** Body up and response down, at the same time. */
  async #run(side: Side): Promise<Next> {
    const responses = this.#responsesOf(side);
    responses.expect(this.#requests.method);
    const sending = this.#sendBody(side);
    sending.then((sent) => sent === "complete" && this.#watchPeer(side), () => side.stream.resetInOrder());
    const next = await this.#passResponse(side.stream, responses);
    if (next === "tail") {
      await this.#passTail(side, sending);
      return next;
    }
    const sent = await sending;
    return sent === "complete" ? next : "tail";
  }

  /** Resolves when the request is complete, or `side` takes no more of it. Rejects when the peer is gone. */
  async #sendBody(side: Side): Promise<Sent> {
    for (let bytes = nothing as Uint8Array;;) {
      let used = 0;
      let state: string;
      do {
        const step = this.#requests.next(bytes.subarray(used));
        used += step.used;
        state = step.state;
      } while (state === "body");
      const opaque = state === "raw" || state === "not-http";
      if (opaque) used = bytes.length;
      this.#down.consume(used);
      if (used > 0) this.#sending(side);
      try {
        if (used > 0) await side.stream.write(bytes.subarray(0, used));
      } catch {
        return "unsent"; // it may have answered before it closed: the response decides
      }
      if (used === bytes.length) this.#down.release(bytes);
      if (state === "end") return "complete";
      if (opaque) return "opaque";
      const more = await this.#down.peek();
      if (more === null) {
        await side.stream.closeWrite();
        return "opaque";
      }
      bytes = more;
    }
  }

  /** Passes a half-close or reset of the peer on while it waits for its response. */
  #watchPeer(side: Side): void {
    this.#down.whenReady(() => {
      if (this.#down.failed) void side.stream.resetInOrder();
      else if (this.#down.ended) side.stream.closeWrite().catch(() => {});
    });
  }

  /** The response with its interim ones, byte for byte. */
  async #passResponse(stream: Source, responses: HttpReader): Promise<Next> {
    for (;;) {
      const bytes = await stream.peek();
      // In the middle of a response too: the peer gets the same end that the app, or the original, made.
      if (bytes === null) return "tail";
      let used = 0;
      let next: Next | null = null;
      let final = !responses.interim;
      while (next === null) {
        const step = responses.next(bytes.subarray(used));
        used += step.used;
        if (step.state === "more") break;
        if (step.state === "head") final = !responses.interim;
        if (step.state === "end" && final) {
          next = this.#requests.keepAlive && responses.keepAlive ? "request" : "tail";
        }
        if (step.state === "raw" || step.state === "not-http") {
          used = bytes.length;
          next = responses.upgrade ? "tunnel" : "tail";
        }
      }
      await this.#down.write(bytes.subarray(0, used));
      stream.consume(used);
      if (used === bytes.length) stream.release(bytes);
      if (next !== null) return next;
    }
  }

  /**
   * After the last response: whatever `side` still sends, then its end; the peer's rest goes up meanwhile.
   */
  async #passTail(side: Side, sending: Promise<Sent>): Promise<void> {
    let complete = false;
    const up = sending.then((sent) => {
      complete = sent === "complete";
      return sent === "unsent" ? undefined : pump(this.#down, side.stream);
    });
    up.catch(() => {});
    await pump(side.stream, this.#down);
    if (!complete) await up.catch(() => {});
  }
}

function foreign(reason: string): string {
  return reason === "http2" ? "its peer speaks HTTP/2" : `its peer does not speak HTTP/1 (${reason})`;
}
