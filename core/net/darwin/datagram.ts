// UDP sockets of a session by the runtime's own, which cannot be connected: this file takes datagrams of one
// remote only, as a connected socket would. Used by core/session/datagrams.ts. An answer of ICMP's reaches no
// unconnected socket, so the end of the app's socket is known by the layer's word alone.

import { lateMs as usualLateMs } from "../datagram_relay.ts";
import type { Endpoint } from "../address.ts";
import { DatagramQueue, receiveAll } from "../datagram_queue.ts";
import { E } from "../system_error.ts";
import { systemError } from "./failure.ts";

/** A bound UDP socket. */
export class DatagramSocket {
  readonly localAddress: Endpoint;
  readonly #conn: Deno.DatagramConn;
  readonly #queue = new DatagramQueue();
  #remote: Endpoint | null = null;
  #isClosed = false;

  constructor(host: string) {
    try {
      this.#conn = Deno.listenDatagram({ transport: "udp", hostname: host, port: 0 });
    } catch (error) {
      throw systemError("bind", error);
    }
    this.localAddress = { address: host, port: (this.#conn.addr as Deno.NetAddr).port };
    void receiveAll(this.#conn, {
      take: (bytes, from) => this.#take(bytes, from),
      isClosed: () => this.#isClosed,
    });
  }

  /** Datagrams that there was no room for. */
  get dropped(): number {
    return this.#queue.dropped;
  }

  /** Bytes that came and were not read yet. */
  get unread(): number {
    return this.#queue.unread;
  }

  /** From now on it takes datagrams of `remote` only, and sends there. */
  connect(remote: Endpoint): void {
    this.#remote = remote;
  }

  /** The next datagram; null once `finish` was called and nothing more came. Rejects with SystemError. */
  next(): Promise<Uint8Array<ArrayBuffer> | null> {
    return this.#queue.next();
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
    this.#queue.finish(lateMs);
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#conn.close();
    this.#queue.close();
  }

  #take(bytes: Uint8Array<ArrayBuffer>, { hostname, port }: Deno.NetAddr): void {
    if (this.#remote === null || this.#remote.port !== port || this.#remote.address !== hostname) return;
    this.#queue.put(bytes);
  }
}

/** A socket at a free port of `host`. Throws SystemError where the family is missing. */
export function bindDatagrams(host: string): DatagramSocket {
  return new DatagramSocket(host);
}
