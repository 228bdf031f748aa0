// UDP of `mirrord port-forward`: one socket of this machine, and for each client that sends to it a socket in
// the target, so that an answer finds its client. Made by forwarder.ts. Nothing says when a client is gone:
// one that neither sent nor got anything for a while counts as gone.

import { within } from "../../base/pause.ts";
import { DatagramQueue, receiveAll } from "../../net/datagram_queue.ts";
import { lateMs } from "../../net/datagram_relay.ts";
import { isWildcard } from "../../net/fit.ts";
import type { ClientDatagrams } from "./outward.ts";

/** A client that is silent for longer is gone, as for the kernel (nf_conntrack_udp_timeout_stream). */
const silentMs = 120_000;
/** Clients at a time; beyond it the one that is silent for longest goes. */
const mostClients = 1024;
/** So long the end waits for its mark. */
const closeMs = 500;

export interface DatagramPortOptions {
  /** Carries what the client sends and gets, until the client is finished. Never rejects. */
  carry: (client: ClientDatagrams) => Promise<void>;
  silentMs?: number;
}

export class DatagramPort {
  readonly #conn: Deno.DatagramConn;
  readonly #carry: DatagramPortOptions["carry"];
  readonly #silentMs: number;
  readonly #timer: number;
  /** The one that was heard of last stands last. */
  readonly #clients = new Map<string, Client>();
  readonly #carrying = new Set<Promise<void>>();
  /** No client's datagrams are taken any more. */
  #isOver = false;
  #isClosed = false;
  /** Where our own last datagram comes from. */
  #marked: { port: number; seen: () => void } | null = null;

  constructor(conn: Deno.DatagramConn, options: DatagramPortOptions) {
    this.#conn = conn;
    this.#carry = options.carry;
    this.#silentMs = options.silentMs ?? silentMs;
    this.#timer = setInterval(() => this.#forget(), this.#silentMs / 4);
    Deno.unrefTimer(this.#timer);
  }

  /** Takes datagrams until it is closed. */
  serve(): Promise<void> {
    return receiveAll(this.#conn, {
      take: (bytes, from) => this.#take(bytes, from),
      isClosed: () => this.#isClosed,
    });
  }

  /**
   * Takes no more; what had come is still carried. A datagram of our own marks the last one: it comes behind
   * what waits in the kernel, unless there is no room for it.
   */
  async close(): Promise<void> {
    const { hostname, port } = this.#conn.addr as Deno.NetAddr;
    const loopback = hostname.includes(":") ? "::1" : "127.0.0.1";
    const own = { hostname: isWildcard(hostname) ? loopback : hostname, port, transport: "udp" } as const;
    const marking = Deno.listenDatagram({ ...own, port: 0 });
    const marked = Promise.withResolvers<void>();
    this.#marked = { port: (marking.addr as Deno.NetAddr).port, seen: marked.resolve };
    await marking.send(new Uint8Array(0), own).catch(() => {});
    await within(marked.promise, closeMs, undefined);
    marking.close();
    this.#isOver = true;
    for (const client of this.#clients.values()) client.finish(lateMs);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    clearInterval(this.#timer);
    this.#conn.close();
    for (const client of this.#clients.values()) client.close();
    await Promise.all(this.#carrying);
  }

  #take(bytes: Uint8Array<ArrayBuffer>, from: Deno.NetAddr): void {
    if (from.port === this.#marked?.port) this.#marked.seen();
    if (this.#isOver || from.port === this.#marked?.port) return;
    const key = `${from.hostname} ${from.port}`;
    const client = this.#clients.get(key) ?? this.#begin(key, from);
    this.#heard(key, client);
    client.put(bytes);
  }

  #begin(key: string, from: Deno.NetAddr): Client {
    const [oldest] = this.#clients;
    if (oldest !== undefined && this.#clients.size >= mostClients) this.#end(...oldest);
    const client = new Client(async (bytes) => {
      this.#heard(key, client);
      await this.#conn.send(bytes, from);
    });
    this.#clients.set(key, client);
    const carrying = this.#carry(client).finally(() => {
      this.#carrying.delete(carrying);
      client.close();
      if (this.#clients.get(key) === client) this.#clients.delete(key);
    });
    this.#carrying.add(carrying);
    return client;
  }

  #heard(key: string, client: Client): void {
    if (this.#clients.get(key) !== client) return; // an answer to one that is gone
    client.heardAt = performance.now();
    this.#clients.delete(key);
    this.#clients.set(key, client);
  }

  #forget(): void {
    for (const [key, client] of [...this.#clients]) {
      if (performance.now() - client.heardAt < this.#silentMs) return;
      this.#end(key, client);
    }
  }

  /** What it sent is still carried; it is another client if it sends again. */
  #end(key: string, client: Client): void {
    this.#clients.delete(key);
    client.finish(lateMs);
  }
}

/** One client, as core/net/datagram_relay.ts takes it. */
class Client implements ClientDatagrams {
  heardAt = performance.now();
  readonly #queue = new DatagramQueue();
  readonly #reply: (bytes: Uint8Array<ArrayBuffer>) => Promise<void>;
  #finished = false;

  constructor(reply: (bytes: Uint8Array<ArrayBuffer>) => Promise<void>) {
    this.#reply = reply;
  }

  get dropped(): number {
    return this.#queue.dropped;
  }

  get unread(): number {
    return this.#queue.unread;
  }

  get finished(): boolean {
    return this.#finished;
  }

  put(bytes: Uint8Array<ArrayBuffer>): void {
    this.#queue.put(bytes);
  }

  next(): Promise<Uint8Array<ArrayBuffer> | null> {
    return this.#queue.next();
  }

  /** A client that cannot be reached is as one that does not read: the datagram is lost. */
  async send(bytes: Uint8Array<ArrayBuffer>): Promise<boolean> {
    return await this.#reply(bytes).then(() => true, () => false);
  }

  finish(limitMs: number): void {
    this.#finished = true;
    this.#queue.finish(limitMs);
  }

  close(): void {
    this.#finished = true;
    this.#queue.close();
  }
}
