// UDP sockets of a session by the runtime's own, which cannot be connected: this file takes datagrams of one
// remote only, as a connected socket would. Used by core/session/datagrams.ts. An answer of ICMP's reaches no
// unconnected socket, so the end of the app's socket is known by the layer's word alone.

import { within } from "../../base/pause.ts";
import { lateMs as usualLateMs } from "../datagram_relay.ts";
import type { Endpoint } from "../address.ts";
import { E, SystemError } from "../system_error.ts";
import { systemError } from "./failure.ts";

/** Bytes of datagrams that wait here for their reader; what comes beyond it is dropped and counted. */
const queueBytes = 4 << 20;

/** A bound UDP socket. */
export class DatagramSocket {
  readonly localAddress: Endpoint;
  readonly #conn: Deno.DatagramConn;
  readonly #queue: Uint8Array<ArrayBuffer>[] = [];
  #queued = 0;
  #remote: Endpoint | null = null;
  #dropped = 0;
  #isClosed = false;
  /** Resolves when there is something new for `next`. */
  #news = Promise.withResolvers<void>();
  /** Set by `finish`: when nothing came for that long, that was all. */
  #lateMs: number | null = null;

  constructor(host: string) {
    try {
      this.#conn = Deno.listenDatagram({ transport: "udp", hostname: host, port: 0 });
    } catch (error) {
      throw systemError("bind", error);
    }
    this.localAddress = { address: host, port: (this.#conn.addr as Deno.NetAddr).port };
    void this.#serve();
  }

  /** Datagrams that there was no room for. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Bytes that came and were not read yet. */
  get unread(): number {
    return this.#queued;
  }

  /** From now on it takes datagrams of `remote` only, and sends there. */
  connect(remote: Endpoint): void {
    this.#remote = remote;
  }

  /** The next datagram; null once `finish` was called and nothing more came. Rejects with SystemError. */
  async next(): Promise<Uint8Array<ArrayBuffer> | null> {
    for (;;) {
      const first = this.#queue.shift();
      if (first !== undefined) {
        this.#queued -= first.length;
        return first;
      }
      if (this.#isClosed) throw new SystemError("recv", E.ECONNRESET);
      if (this.#lateMs === null) await this.#news.promise;
      else if (!await within(this.#news.promise.then(() => true), this.#lateMs, false)) return null;
    }
  }

  /** Sends. Rejects with SystemError. */
  async send(bytes: Uint8Array<ArrayBuffer>): Promise<boolean> {
    if (this.#isClosed || this.#remote === null) return false;
    try {
      const { address: hostname, port } = this.#remote;
      await this.#conn.send(bytes, { transport: "udp", hostname, port });
      return true;
    } catch (error) {
      const failure = systemError("send", error);
      if (failure.errno === E.ENOBUFS) return false;
      throw failure;
    }
  }

  /** The other end is closed: what waits here, or comes within `lateMs`, is the last. */
  finish(lateMs = usualLateMs): void {
    if (this.#isClosed || this.#lateMs !== null) return;
    this.#lateMs = lateMs;
    this.#wake();
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#conn.close();
    this.#wake();
  }

  async #serve(): Promise<void> {
    while (!this.#isClosed) {
      try {
        const [bytes, from] = await this.#conn.receive();
        this.#take(bytes as Uint8Array<ArrayBuffer>, from as Deno.NetAddr);
      } catch {
        if (this.#isClosed) return;
        // About one datagram, never about the socket; it must not turn without end.
        await new Promise((resolve) => setTimeout(resolve, usualLateMs));
      }
    }
  }

  #take(bytes: Uint8Array<ArrayBuffer>, { hostname, port }: Deno.NetAddr): void {
    if (this.#remote === null || this.#remote.port !== port || this.#remote.address !== hostname) return;
    if (this.#queued + bytes.length > queueBytes) {
      this.#dropped++;
      return;
    }
    this.#queue.push(bytes);
    this.#queued += bytes.length;
    this.#wake();
  }

  #wake(): void {
    this.#news.resolve();
    this.#news = Promise.withResolvers();
  }
}

/** A socket at a free port of `host`. Throws SystemError where the family is missing. */
export function bindDatagrams(host: string): DatagramSocket {
  return new DatagramSocket(host);
}
