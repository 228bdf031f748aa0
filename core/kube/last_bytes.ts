// Brings the last bytes of a WebSocket on their way. Used by websocket_forward.ts and attach_input.ts. Deno's
// TLS takes a message, writes what the socket has room for, and calls it sent: up to 64 KiB wait then for the
// next write, or for something to arrive (rustls-tokio-stream 0.8, `poll_perform_write`; nothing flushes it).
// A message that follows is written only after them. So when nothing was sent for a moment an empty one is:
// whatever of it stays behind is nothing, and the kubelet's side skips it (k8s.io/apimachinery, wsstream).

/** Longer than the messages of one burst are apart; twice it is the longest wait of its last bytes. */
const quietMilliseconds = 5;
const nothing = new Uint8Array(0);

/** One socket's. Call `sent` after each message; disposing stops it. */
export class LastBytes implements Disposable {
  readonly #socket: Pick<WebSocket, "send" | "readyState">;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #sentSince = false;

  constructor(socket: Pick<WebSocket, "send" | "readyState">) {
    this.#socket = socket;
  }

  /** A message was handed to the socket. */
  sent(): void {
    this.#sentSince = true;
    this.#timer ??= setTimeout(this.#look, quietMilliseconds);
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  readonly #look = () => {
    if (this.#sentSince) {
      this.#sentSince = false;
      this.#timer = setTimeout(this.#look, quietMilliseconds);
      return;
    }
    this.#timer = undefined;
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(nothing);
  };
}
