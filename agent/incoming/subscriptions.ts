// Who has which port of the target's network namespace: the kernel part of stealing, owned by one client. Called
// by client.ts (subscribe, unsubscribe) and by steal.ts and http.ts (the way to the original).
// Invariant: a port is in the BPF map only while its lock is held and a subscription stands here.

import { Failure } from "../failure.ts";
import type { Endpoint } from "../../core/net/address.ts";
import { type Listener, listenIfThere, listenTcp, type Socket } from "../../core/net/socket.ts";
import { E, SystemError } from "../sys/libc.ts";
import { portHolder, PortLock } from "../sys/port_lock.ts";
import { StealProgram } from "../sys/steal_program.ts";
import { compileFilter, type Filter } from "../../protocol-wasm/mod.ts";
import { WayToOriginal } from "./original.ts";
import { explainKernelRefusal, requireKernel } from "./requirements.ts";

/**
 * One stolen port. `filter` null: all of its connections, but for those whose first request `probe` matches (null: none):
 * the kubelet opens a connection for each of its probes.
 */
export interface Subscription {
  readonly port: number;
  readonly filter: Filter | null;
  readonly probe: Filter | null;
}

/** Where an accepted connection goes. */
export type Claim = { kind: "stolen"; subscription: Subscription } | { kind: "original" } | { kind: "none" };

/** How the kubelet's HTTP probes name themselves (Kubernetes documentation, "HTTP probes"). */
const probeFilter = JSON.stringify({ header: "^user-agent: kube-probe/" });

/** `source` without the kubelet's probes: these are always the original's. */
function sparingProbes(source: string): string {
  // Put together as text: a source that is no JSON stays none, and compileFilter names it.
  return `{"all_of": [{"not": ${probeFilter}}, ${source}]}`;
}

export class Subscriptions implements Disposable {
  readonly #owner: string;
  readonly #onConnection: (connection: Socket) => void;
  readonly #ports = new Map<number, Subscription & { lock: PortLock }>();
  /** Ports given back: what the kernel had accepted for them before is the original's. */
  readonly #released = new Set<number>();
  readonly #original = new WayToOriginal({
    addBypass: (source) => this.#program?.addBypass(source),
    removeBypass: (source) => this.#program?.removeBypass(source),
  });
  #listeners: Listener[] = [];
  #program: StealProgram | null = null;

  /** `owner` names the session to others that want the same port; `onConnection` gets each accepted connection. */
  constructor(owner: string, onConnection: (connection: Socket) => void) {
    this.#owner = owner;
    this.#onConnection = onConnection;
  }

  /** Loads and attaches the BPF program; nothing is stolen yet. Throws Failure with what lacks. */
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

  /** From when this resolves, new connections for `port` are stolen. Rejects with Failure. */
  async add(port: number, { filter: source, probes }: { filter: string; probes: boolean }): Promise<void> {
    const action = `Cannot steal port ${port}`;
    if (port === 0) throw new Failure(E.EINVAL, `${action}: it is not a port`);
    if (this.#ports.has(port)) throw new Failure(E.EEXIST, `${action}: this session has it already`);
    this.prepare();
    const filter = source === "" ? null : compileFilter(probes ? sparingProbes(source) : source);
    const probe = source === "" && probes ? compileFilter(probeFilter) : null;
    let lock: PortLock | undefined;
    try {
      lock = await this.#lock(port);
      this.#program?.steal(port);
      this.#ports.set(port, { port, filter, probe, lock });
      this.#released.delete(port);
    } catch (error) {
      lock?.close();
      filter?.[Symbol.dispose]();
      probe?.[Symbol.dispose]();
      if (!(error instanceof SystemError)) throw error;
      throw new Failure(error.errno, `${action}: ${error.message}`, { cause: error });
    }
  }

  /** New connections for `port` go to the original; those already stolen go on. Throws Failure. */
  remove(port: number): void {
    const subscription = this.#ports.get(port);
    if (subscription === undefined) {
      throw new Failure(E.ENOENT, `Cannot give back port ${port}: it is not stolen`);
    }
    this.#program?.release(port);
    this.#ports.delete(port);
    this.#released.add(port);
    subscription.lock.close();
  }

  /** Whether `port` is stolen by this client. */
  has(port: number): boolean {
    return this.#ports.has(port);
  }

  /** Whose an accepted connection is, by the port its client dialled. */
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
    this.#original.close();
    this.#program?.close();
    this.#program = null;
    this.#closeListeners();
  }

  async #lock(port: number): Promise<PortLock> {
    try {
      return new PortLock(port, `${this.#owner}, since ${new Date().toISOString()}`);
    } catch (error) {
      if (!(error instanceof SystemError && error.errno === E.EADDRINUSE)) throw error;
      const holder = await portHolder(port);
      const who = holder === "" ? "another session" : `another session (${holder})`;
      throw new Failure(E.EADDRINUSE, `Cannot steal port ${port}: ${who} has it`, { cause: error });
    }
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
