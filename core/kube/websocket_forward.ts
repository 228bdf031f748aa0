// One byte stream to a port on a pod's loopback, through the API server, by a WebSocket of the protocol
// v4.channel.k8s.io (kubelet's port-forward). Called by port_forward.ts. A message is a channel byte and
// bytes: 0 = the port's bytes, 1 = why it failed; the first message of each channel is the port number. The
// socket has no back-pressure on receiving: the link's credit bounds what can be under way.

import { setImmediate } from "node:timers";
import type { LinkStream } from "../../protocol-wasm/mod.ts";
import { LastBytes } from "./last_bytes.ts";

export interface WebSocketForwardOptions {
  /** ws: or wss: */
  url: string;
  headers: Record<string, string>;
  client: Deno.HttpClient;
  signal?: AbortSignal | undefined;
  /** Finds out why the upgrade failed. */
  refused: (cause: unknown) => Promise<Error>;
}

/** Writers wait while more than this is on its way into the socket. */
const highWater = 1 << 20;
/** Longest time for the upgrade and the two first messages. */
const openMilliseconds = 15_000;

/** Opens the stream; rejects when the server or the pod refuses. */
export async function openWebSocketForward(options: WebSocketForwardOptions): Promise<LinkStream> {
  const { url, headers, client, signal } = options;
  signal?.throwIfAborted();
  const socket = new WebSocket(url, { protocols: ["v4.channel.k8s.io"], headers, client });
  const stream = new WebSocketForward(socket);
  const limit = AbortSignal.timeout(openMilliseconds);
  const stop = () => stream.fail(signal?.aborted ? signal.reason : limit.reason);
  signal?.addEventListener("abort", stop);
  limit.addEventListener("abort", stop);
  try {
    await stream.opened;
    return stream;
  } catch (cause) {
    socket.close();
    signal?.throwIfAborted();
    throw stream.upgraded ? cause : await options.refused(cause);
  } finally {
    signal?.removeEventListener("abort", stop);
    limit.removeEventListener("abort", stop);
  }
}

class WebSocketForward implements LinkStream {
  /** Resolves once both first messages are there: the pod's side is connected. */
  readonly opened: Promise<void>;
  upgraded = false;
  readonly #socket: WebSocket;
  readonly #last: LastBytes;
  readonly #received: Uint8Array[] = [];
  /** The channel byte (0), what was written in this turn of the event loop, and room. */
  #message = new Uint8Array(1 + 65_536 + 64);
  #length = 1;
  readonly #open = Promise.withResolvers<void>();
  #first = [true, true];
  #wake: (() => void) | undefined;
  #ended = false;
  #failure: Error | undefined;

  constructor(socket: WebSocket) {
    this.#socket = socket;
    this.#last = new LastBytes(socket);
    this.opened = this.#open.promise;
    socket.binaryType = "arraybuffer";
    socket.onopen = () => this.upgraded = true;
    socket.onmessage = (event) => this.#take(event.data);
    socket.onerror = (event) => this.fail(errorOf(event));
    socket.onclose = () => this.#end();
  }

  /** Ends the stream: readers, writers and the opener get `cause`. */
  fail(cause: unknown): void {
    this.#failure ??= cause instanceof Error ? cause : new Error(String(cause));
    this.#end();
  }

  async read(into: Uint8Array): Promise<number | null> {
    for (;;) {
      const head = this.#received[0];
      if (head !== undefined) {
        const count = Math.min(head.length, into.length);
        into.set(head.subarray(0, count));
        if (count === head.length) this.#received.shift();
        else this.#received[0] = head.subarray(count);
        return count;
      }
      if (this.#failure !== undefined) throw this.#failure;
      if (this.#ended) return null;
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
  }

  /**
   * What one turn of the event loop writes goes out as one message: the next packet would follow at once
   * anyway.
   */
  async write(bytes: Uint8Array): Promise<void> {
    this.#check();
    this.#put(bytes);
    // There is no event for it: look again until the socket took enough.
    while (this.#socket.bufferedAmount > highWater && !this.#ended) {
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    this.#check();
  }

  close(): void {
    this.#flush();
    this.#end();
    this.#socket.close();
  }

  #put(bytes: Uint8Array): void {
    if (this.#message.length - this.#length < bytes.length) this.#flush();
    if (this.#message.length <= bytes.length) this.#message = new Uint8Array(1 + bytes.length);
    this.#message.set(bytes, this.#length);
    if (this.#length === 1) setImmediate(() => this.#flush());
    this.#length += bytes.length;
  }

  #flush(): void {
    if (this.#length === 1 || this.#ended) return;
    try {
      // It copies before it returns, so the memory serves the next message too.
      this.#socket.send(this.#message.subarray(0, this.#length));
      this.#last.sent();
    } catch (cause) {
      this.fail(cause); // the other side is closing
    }
    this.#length = 1;
  }

  #check(): void {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#ended) throw new Error("the port-forward is closed");
  }

  #take(received: unknown): void {
    if (!(received instanceof ArrayBuffer) || received.byteLength === 0) return;
    const message = new Uint8Array(received);
    const channel = message[0] ?? 0;
    const body = message.subarray(1);
    if (this.#first[channel] === true) {
      this.#first[channel] = false;
      if (!this.#first.includes(true)) this.#open.resolve();
      return;
    }
    if (body.length === 0) return;
    if (channel === 1) return this.fail(new Error(new TextDecoder().decode(body).trim()));
    if (channel !== 0) return;
    this.#received.push(body);
    this.#wakeReader();
  }

  #end(): void {
    this.#ended = true;
    this.#last[Symbol.dispose]();
    this.#open.reject(this.#failure ?? new Error("the port-forward ended before it began"));
    this.#open.promise.catch(() => {}); // a stream that was never awaited is no unhandled rejection
    this.#wakeReader();
  }

  #wakeReader(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }
}

function errorOf(event: Event): Error {
  if (event instanceof ErrorEvent) {
    return event.error instanceof Error ? event.error : new Error(event.message);
  }
  return new Error("the WebSocket failed");
}
