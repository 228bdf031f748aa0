// The stolen ports of the target's network namespace: the kernel part of stealing, owned by one client.
// Called by incoming.ts (subscribe, unsubscribe) and by steal.ts and route.ts (connections to the original).
// Invariant: a port is in the BPF map only while its lock is held and its subscription is in this table.

import { Failure } from "../failure.ts";
import type { Endpoint } from "../../core/net/address.ts";
import { keepOpenings } from "../../core/net/linux/delivery.ts";
import { type Listener, listenIfThere, listenTcp, type Socket } from "../../core/net/linux/socket.ts";
import { E, SystemError } from "../sys/libc.ts";
import { type PortLock, takePort } from "../sys/port_lock.ts";
import { StealProgram } from "../sys/steal_program.ts";
import { compileFilter, type Filter } from "../../protocol-wasm/mod.ts";
import type { Gate } from "./heartbeat.ts";
import { WayToOriginal } from "./original.ts";
import { Reaches } from "./reach.ts";
import type { Taker } from "./taker.ts";
import { explainKernelRefusal, requireKernel } from "./requirements.ts";

/** One stolen port. `filter` null: all of its connections. */
export interface Subscription {
  readonly port: number;
  readonly filter: Filter | null;
  readonly taker: Taker;
}

/** Where an accepted connection goes. */
export type Claim = { kind: "stolen"; subscription: Subscription } | { kind: "original" } | { kind: "none" };

export class Subscriptions implements Disposable {
  #owner: string;
  readonly #onConnection: (connection: Socket) => void;
  readonly #notice: (text: string) => void;
  readonly #key: string;
  readonly #ports = new Map<number, Subscription & { lock: PortLock }>();
  /** Ports given back: connections that the kernel accepted for them before go to the original. */
  readonly #released = new Set<number>();
  readonly #original = new WayToOriginal({
    room: () => this.#program?.bypassRoom ?? 1,
    addBypass: (source) => this.#program?.addBypass(source),
    removeBypass: (source) => this.#program?.removeBypass(source),
  });
  /** For which addresses each port is stolen, or will be. */
  readonly reaches = new Reaches((port) => this.#aim(port));
  #listeners: Listener[] = [];
  #program: StealProgram | null = null;

  /**
   * `owner` names the session to others that want the same port, `key` is the beginning of its public key;
   * `onConnection` gets each accepted connection; `notice` notifies the developer.
   */
  constructor(
    owner: string,
    { key, onConnection, notice }: {
      key: string;
      onConnection: (connection: Socket) => void;
      notice: (text: string) => void;
    },
  ) {
    this.#owner = owner;
    this.#key = key;
    this.#onConnection = onConnection;
    this.#notice = notice;
  }

  /** The session's owner, for others that want a port which it takes from now on. */
  ownedBy(owner: string): void {
    this.#owner = owner;
  }

  /** Loads and attaches the BPF program; nothing is stolen yet. Throws Failure with what is missing. */
  prepare(): void {
    if (this.#program !== null) return;
    const action = "Cannot steal ports";
    requireKernel(action, 9);
    try {
      const ipv4 = listenTcp({ address: "127.0.0.1", port: 0 });
      this.#listeners.push(ipv4);
      const ipv6 = listenIfThere({ address: "::1", port: 0 });
      if (ipv6 !== null) this.#listeners.push(ipv6);
      this.#program = new StealProgram({ ipv4, ipv6 });
    } catch (error) {
      this.#closeListeners();
      if (!(error instanceof SystemError)) throw error;
      throw explainKernelRefusal(error, action, ["BPF", "NET_ADMIN"]);
    }
    for (const listener of this.#listeners) void this.#accept(listener);
  }

  /**
   * From when this resolves, new connections for `port` are stolen, those that `filter` matches, "" all, for
   * `taker`. Rejects with Failure.
   */
  async add(port: number, { filter, taker }: { filter: string; taker: Taker }): Promise<void> {
    const action = `Cannot steal port ${port}`;
    if (port === 0) throw new Failure(E.EINVAL, `${action}: it is not a port`);
    if (this.#ports.has(port)) throw new Failure(E.EEXIST, `${action}: this session has it already`);
    this.prepare();
    const compiled = filter === "" ? null : compileFilter(filter);
    let lock: PortLock | undefined;
    try {
      lock = await this.#lock(port);
      this.#program?.steal(port, this.reaches.now(port));
      this.#ports.set(port, { port, filter: compiled, taker, lock });
      this.#released.delete(port);
    } catch (error) {
      lock?.close();
      compiled?.[Symbol.dispose]();
      if (!(error instanceof SystemError)) throw error;
      throw new Failure(error.errno, `${action}: ${error.message}`, { cause: error });
    }
  }

  /** Connections are to know with how many hops to live they arrived. */
  keepOpenings(): void {
    this.prepare();
    for (const { fd } of this.#listeners) keepOpenings(fd);
  }

  /** New connections for `port` go to the original; those already stolen go on. Throws Failure. */
  remove(port: number): void {
    const subscription = this.#ports.get(port);
    if (subscription === undefined) {
      throw new Failure(E.ENOENT, `Cannot give back port ${port}: it is not stolen`);
    }
    this.#program?.release(port);
    this.#ports.delete(port);
    this.reaches.forget(port);
    this.#released.add(port);
    subscription.lock.close();
  }

  /** Until when the kernel hands over what is stolen; before the first call it hands over nothing. */
  readonly gate: Gate = gateOf(() => this.#program);

  /** Nothing is stolen. */
  get isEmpty(): boolean {
    return this.#ports.size === 0;
  }

  /** Whether `port` is stolen by this client. */
  has(port: number): boolean {
    return this.#ports.has(port);
  }

  /** The subscription of an accepted connection, by the port its client dialled. */
  claim(port: number): Claim {
    const subscription = this.#ports.get(port);
    if (subscription !== undefined) return { kind: "stolen", subscription };
    return this.#released.has(port) ? { kind: "original" } : { kind: "none" };
  }

  /** Connects to the original at a stolen connection's destination. Rejects with SystemError. */
  dialOriginal(destination: Endpoint): Promise<Socket> {
    return this.#original.dial(destination);
  }

  /** Gives every port back; connections that the kernel accepted before are still served, by the original. */
  removeAll(): void {
    for (const port of [...this.#ports.keys()]) this.remove(port);
  }

  /** Frees all the kernel holds for this client. */
  [Symbol.dispose](): void {
    this.removeAll();
    this.reaches[Symbol.dispose]();
    this.#original.close();
    this.#program?.close();
    this.#program = null;
    this.#closeListeners();
  }

  #aim(port: number): void {
    if (this.#ports.has(port)) this.#program?.steal(port, this.reaches.now(port));
  }

  async #lock(port: number): Promise<PortLock> {
    const outcome = await takePort(
      port,
      `${this.#owner}, key ${this.#key}, since ${new Date().toISOString()}`,
    );
    if (outcome.lock === null) {
      const who = outcome.holder === "" ? "another session" : `another session (${outcome.holder})`;
      throw new Failure(E.EADDRINUSE, `Cannot steal port ${port}: ${who} has it`);
    }
    if (outcome.strangers > 0) {
      this.#notice(
        `Another program of the pod poses as a session that has port ${port}; it has no right to steal and is ignored.`,
      );
    }
    return outcome.lock;
  }

  async #accept(listener: Listener): Promise<void> {
    for (;;) {
      const connection = await listener.accept();
      if (connection === null) return;
      this.#onConnection(connection);
    }
  }

  #closeListeners(): void {
    for (const listener of this.#listeners.splice(0)) listener.close();
  }
}

function gateOf(program: () => StealProgram | null): Gate {
  return {
    handOver: (milliseconds) => program()?.handOver(milliseconds),
    get passed() {
      return program()?.passed ?? 0;
    },
  };
}
