// TCP connections of a session by the runtime's own sockets, where there is no epoll: to the app's listeners,
// and from the app's sockets to a gate. Called by gate.ts and, through ../this_platform.ts, by core/session.
// The runtime does not tell what waits to be read, so each connection reads one piece ahead: `unread` and
// `peerIsOver` know of that. It has no reset either: a reset of one side arrives at the other as an end.

import type { Endpoint } from "../address.ts";
import type { DialOptions } from "../platform.ts";
import { freeBytes } from "../../../protocol-wasm/mod.ts";
import { E, SystemError } from "../system_error.ts";
import { systemError } from "./failure.ts";

const pieceBytes = 65536;

/** A connected stream with half-close; a `ByteChannel` as core/net/relay.ts joins. */
export class Socket {
  readonly localAddress: Endpoint;
  readonly peerAddress: Endpoint;
  readonly #conn: Deno.TcpConn;
  /** The next piece, or how the stream ended. */
  #ahead: Promise<Uint8Array<ArrayBuffer> | null>;
  #writing: Promise<void> = Promise.resolve();
  #unread = 0;
  #isOver = false;
  #isClosed = false;

  constructor(conn: Deno.TcpConn) {
    this.#conn = conn;
    this.localAddress = endpointOf(conn.localAddr);
    this.peerAddress = endpointOf(conn.remoteAddr);
    conn.setNoDelay(true);
    this.#ahead = this.#fetch();
  }

  /** Bytes of the piece that was read ahead. */
  get unread(): number {
    return this.#unread;
  }

  /** The peer half-closed or closed it, behind what is unread. */
  get peerIsOver(): boolean {
    return this.#isClosed || this.#isOver;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** The next bytes (64 KiB at most), null after the peer's half-close. Rejects with SystemError. */
  async read(): Promise<Uint8Array<ArrayBuffer> | null> {
    if (this.#isClosed) throw new SystemError("recv", E.ECONNRESET);
    const bytes = await this.#ahead;
    if (bytes !== null) {
      this.#unread = 0;
      this.#ahead = this.#fetch();
    }
    return bytes;
  }

  /** As of every `ByteChannel`: of bytes from `read` only. */
  release(bytes: Uint8Array): void {
    freeBytes(bytes);
  }

  /** Resolves when the kernel took every byte; calls are served in order. Rejects with SystemError. */
  async write(bytes: Uint8Array): Promise<void> {
    const turn = this.#writing.then(() => this.#transmit(bytes));
    this.#writing = turn.catch(() => {});
    await turn;
  }

  /** Half-close, after what was written. */
  async closeWrite(): Promise<void> {
    await this.#writing;
    if (this.#isClosed) return;
    try {
      await this.#conn.closeWrite();
    } catch {
      // The connection is over: its reader learns that.
    }
  }

  /** As `reset`, once the kernel has what was written. */
  async resetInOrder(): Promise<void> {
    await this.#writing;
    this.reset();
  }

  /** Ends both ways at once. */
  reset(): void {
    this.close();
  }

  /** Ends both ways; what was written is still delivered. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    try {
      this.#conn.close();
    } catch {
      // The runtime closed it by itself.
    }
  }

  #fetch(): Promise<Uint8Array<ArrayBuffer> | null> {
    const fetched = this.#receive();
    fetched.catch(() => {}); // the next read rejects with it
    return fetched;
  }

  async #receive(): Promise<Uint8Array<ArrayBuffer> | null> {
    const piece = new Uint8Array(pieceBytes);
    try {
      const count = await this.#conn.read(piece);
      this.#unread = count ?? 0;
      if (count !== null) return count < pieceBytes / 2 ? piece.slice(0, count) : piece.subarray(0, count);
      this.#isOver = true;
      return null;
    } catch (error) {
      this.#isOver = true;
      throw systemError("recv", error);
    }
  }

  async #transmit(bytes: Uint8Array): Promise<void> {
    try {
      for (let sent = 0; sent < bytes.length;) sent += await this.#conn.write(bytes.subarray(sent));
    } catch (error) {
      throw systemError("send", error);
    }
  }
}

/**
 * Connects. Rejects with SystemError (ECONNREFUSED when nobody listens), or the signal's reason. The runtime
 * cannot choose the source address: EOPNOTSUPP.
 */
export async function dialTcp({ destination, source, began, signal }: DialOptions): Promise<Socket> {
  signal?.throwIfAborted();
  if (source !== undefined) throw new SystemError("bind", E.EOPNOTSUPP);
  let conn: Deno.TcpConn;
  try {
    conn = await Deno.connect({ hostname: destination.address, port: destination.port });
  } catch (error) {
    throw systemError("connect", error);
  }
  if (signal?.aborted) conn.close();
  signal?.throwIfAborted();
  began?.(endpointOf(conn.localAddr));
  return new Socket(conn);
}

function endpointOf({ hostname, port }: Deno.NetAddr): Endpoint {
  return { address: hostname, port };
}
