// The standard input of a running container, through the API server (attach_socket.ts); the first lines of
// its output can be heard. Called by client.ts. Closing it closes the container's input where its spec says
// `stdinOnce`; an end of the input alone cannot be sent.

import { type AttachOptions, openAttachSocket } from "./attach_socket.ts";
import { LastBytes } from "./last_bytes.ts";

/** Writers wait while more than this is on its way into the socket. */
const highWater = 1 << 20;
const outputChannel = 1;
const errorChannel = 3;
/** So much of the output is listened to. */
const mostHeard = 1 << 14;

/** An open input. Disposing closes it. */
export class AttachInput implements Disposable {
  readonly #socket: WebSocket;
  readonly #last: LastBytes;
  #failure: Error | undefined;
  #heard = "";
  #wake = Promise.withResolvers<void>();

  constructor(socket: WebSocket) {
    this.#socket = socket;
    this.#last = new LastBytes(socket);
    socket.onmessage = ({ data }) => this.#take(data);
    socket.onerror = () => this.#fail("the connection failed");
    socket.onclose = () => this.#fail("the container's input was closed");
  }

  /** Resolves when there is room for more. */
  async write(bytes: Uint8Array): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    const message = new Uint8Array(1 + bytes.length);
    message.set(bytes, 1);
    this.#socket.send(message);
    this.#last.sent();
    await this.#until(highWater);
  }

  /** Resolves when all of it has left. */
  async flush(): Promise<void> {
    await this.#until(0);
  }

  /** Resolves with what `read` makes of a line of the container's output, unless that is null. */
  async hear<Found>(read: (line: string) => Found | null): Promise<Found> {
    for (;;) {
      for (const line of this.#heard.split("\n").slice(0, -1)) {
        const found = read(line.replace(/\r$/, ""));
        if (found !== null) return found;
      }
      if (this.#failure !== undefined) throw this.#failure;
      if (this.#heard.length >= mostHeard) throw new Error("the container says something else");
      this.#wake = Promise.withResolvers<void>();
      await this.#wake.promise;
    }
  }

  [Symbol.dispose](): void {
    this.#last[Symbol.dispose]();
    this.#socket.close();
  }

  /** There is no event for it: look again until the socket took enough. */
  async #until(bytes: number): Promise<void> {
    while (this.#socket.bufferedAmount > bytes && this.#failure === undefined) {
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** The last word on the container is a Status object: a failure of the attachment has a message. */
  #take(data: unknown): void {
    if (!(data instanceof ArrayBuffer)) return;
    const message = new Uint8Array(data);
    const text = () => new TextDecoder().decode(message.subarray(1));
    if (message[0] === errorChannel) this.#fail(text().slice(0, 500));
    if (message[0] !== outputChannel || this.#heard.length >= mostHeard) return;
    this.#heard += text();
    this.#wake.resolve();
  }

  #fail(why: string): void {
    this.#last[Symbol.dispose]();
    this.#failure ??= new Error(why);
    this.#wake.resolve();
  }
}

/** Opens the input; rejects when the server or the container's node refuses. */
export function openAttachInput(options: AttachOptions): Promise<AttachInput> {
  return openAttachSocket(options, (socket) => new AttachInput(socket));
}
