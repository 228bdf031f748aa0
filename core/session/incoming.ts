// Incoming: the app's listeners, the ports subscribed for them at the agent, and every stolen or mirrored connection on
// its way into the app. Owned by session.ts. The invariant: a port is subscribed exactly while the app listens
// on it; a stolen connection that cannot reach the app is handed back to the original, with every byte.

import { type Address, type Body, type layerMessages, RemoteError } from "../../protocol-wasm/mod.ts";
import { log } from "../base/log.ts";
import { relay } from "../base/relay.ts";
import { E, SystemError } from "../net/libc.ts";
import { dialTcp, type Socket } from "../net/socket.ts";
import { play } from "./mirror.ts";
import { listeningPorts } from "./listening.ts";
import { errno, type IncomingAgent, type IncomingConfig, type StolenConnection } from "./incoming_types.ts";

/** Finished connections whose real client is still told to an app that accepts late. */
const rememberedPeers = 1024;

/** Sockets bound elsewhere than asked whose asked address is still told. */
const rememberedBinds = 1024;

type Accepted = Body<typeof layerMessages.acceptedReply>;

/** One listening socket of the app. */
interface Listener {
  asked: Address;
  actual: Address;
  /** The pod's port whose connections it gets. */
  port: number;
  /** The processes (layer links) that hold it. */
  holders: Set<object>;
  /** Dials under way to it: an `accepted` question waits for them before it is answered "unknown". */
  dialing: Set<Promise<unknown>>;
  /** Real client and pod address by the local port that the session dialled from. */
  peers: Map<number, { peer: Address; local: Address }>;
}

export class Incoming {
  readonly #config: IncomingConfig;
  readonly #agent: IncomingAgent;
  readonly #listeners = new Map<string, Listener>();
  /** The asked address by the actual one. */
  readonly #bound = new Map<string, Address>();
  readonly #subscriptions = new Map<number, Promise<void>>();
  /** Ports being given back: a new subscription of one waits, so that the two cannot overtake each other. */
  readonly #leaving = new Map<number, Promise<void>>();

  readonly #told = new Set<string>();

  constructor(agent: IncomingAgent, config: IncomingConfig) {
    this.#agent = agent;
    this.#config = config;
  }

  /** The pod's port for a port the app asks for; null when it is none of the pod's business. */
  remotePort(asked: Address): number | null {
    const { ports, ignorePorts, portMapping, ignoreLocalhost } = this.#config;
    if (asked.port === 0 || ignorePorts.includes(asked.port)) return null;
    if (ignoreLocalhost && isLoopback(asked.address)) return null;
    const port = portMapping.get(asked.port) ?? asked.port;
    if (ports !== null && !ports.includes(port)) return null;
    return ignorePorts.includes(port) ? null : port;
  }

  /**
   * The local port of the app's listener that asked for the same address, 0 without one: a second process can then share it
   * by SO_REUSEPORT or fails with EADDRINUSE, as it would in the pod.
   */
  suggestedPort(asked: Address): number {
    const twin = [...this.#listeners.values()].find((one) =>
      key(one.asked) === key(asked) && one.holders.size > 0
    );
    return twin?.actual.port ?? 0;
  }

  /** Where the app's listener really is that asked for `port`; null without one. */
  listenerAt(port: number): Address | null {
    return [...this.#listeners.values()].find(({ asked, holders }) => asked.port === port && holders.size > 0)
      ?.actual ?? null;
  }

  /** The app listens: subscribes the pod's port (once for all its listeners). Returns 0 or the app's errno. */
  async listen(holder: object, asked: Address, actual: Address): Promise<number> {
    const port = this.remotePort(asked);
    if (port === null) return 0;
    const listener = this.#add(asked, actual, port);
    listener.holders.add(holder);
    try {
      await this.#subscribe(port);
    } catch (error) {
      this.#forget(listener);
      const { code, text } = errno(error);
      const action = `Cannot ${this.#config.mode} port`;
      log.error(text.startsWith(action) ? text : `${action} ${port}: ${text}`);
      return code;
    }
    if (actual.port !== asked.port) {
      log.warning(
        `Local port ${asked.port} cannot be had: the app listens on local port ${actual.port} instead ` +
          `and still gets the pod's port ${port}`,
      );
    }
    return 0;
  }

  /** A socket was bound elsewhere than asked: whoever is handed it before it listens can ask for that. */
  bound(asked: Address, actual: Address): void {
    this.#bound.delete(key(actual));
    this.#bound.set(key(actual), asked);
    const [oldest] = this.#bound.keys();
    if (this.#bound.size > rememberedBinds && oldest !== undefined) this.#bound.delete(oldest);
  }

  /** What the app asked for when it made the socket that is really at `actual`; null if it is not ours. */
  asked(holder: object, actual: Address): Address | null {
    const [listener] = this.#fitting(actual);
    listener?.holders.add(holder);
    return listener?.asked ?? this.#bound.get(key(actual)) ?? null;
  }

  /** The app accepted a connection from the local `peer`: which client of the pod is that? */
  async accepted(actual: Address, peer: Address): Promise<Accepted> {
    const find = () =>
      this.#fitting(actual).map((listener) => listener.peers.get(peer.port)).find((one) => one !== undefined);
    if (find() === undefined) {
      await Promise.allSettled(this.#fitting(actual).flatMap(({ dialing }) => [...dialing]));
    }
    const found = isLoopback(peer.address) ? find() : undefined;
    return found === undefined ? { known: false, peer, local: actual } : { known: true, ...found };
  }

  /** `holder` closed the listener, or (no `actual`) is gone: gives back the ports nobody listens on any more. */
  async released(holder: object, actual?: Address): Promise<void> {
    const touched = [...this.#listeners.values()].filter((listener) =>
      listener.holders.has(holder) && (actual === undefined || key(listener.actual) === key(actual))
    );
    for (const listener of touched) listener.holders.delete(holder);
    await this.#sweep(touched.filter((listener) => listener.holders.size === 0));
  }

  /** A connection of a subscribed port: dials the app and pumps until both sides are done. */
  async connection(stolen: StolenConnection): Promise<void> {
    const listener = this.#choose(stolen.port, stolen.local);
    const conn = listener === undefined ? null : await this.#dial(listener, stolen);
    if (listener === undefined || conn === null) {
      await stolen.refuse(111, `the app does not listen on port ${stolen.port} any more`);
      if (listener !== undefined) await this.#sweep([listener]);
      return;
    }
    this.#tellForeignFamily(listener, stolen);
    try {
      await stolen.take();
      if (this.#config.mode === "steal") await relay(stolen.channel, conn);
      else await this.#play(stolen, conn);
    } finally {
      conn.close();
    }
  }

  async #play(mirrored: StolenConnection, conn: Socket): Promise<void> {
    const { discarded } = await play(mirrored.channel, conn, async () => {
      const listener = this.#choose(mirrored.port, mirrored.local);
      return listener === undefined ? null : await this.#dial(listener, mirrored);
    });
    log.debug(
      `Port ${mirrored.port}: a mirrored connection ended, ${discarded} bytes of the app's were dropped`,
    );
  }

  #add(asked: Address, actual: Address, port: number): Listener {
    const known = this.#listeners.get(key(actual));
    const same = known?.port === port && key(known.asked) === key(asked);
    if (known !== undefined && (same || known.holders.size > 0)) return known;
    const listener = {
      asked,
      actual,
      port,
      holders: new Set<object>(),
      dialing: new Set<Promise<unknown>>(),
      peers: new Map(),
    };
    this.#listeners.set(key(actual), listener);
    // Whoever held the one before never spoke to us, and ended unseen.
    if (known !== undefined) void this.#giveBackUnused(known.port);
    return listener;
  }

  /** The listeners that `actual` may mean: the one bound to it, or those bound to every address. */
  #fitting(actual: Address): Listener[] {
    const exact = this.#listeners.get(key(actual));
    if (exact !== undefined) return [exact];
    return [...this.#listeners.values()].filter(({ actual: { address, port } }) =>
      port === actual.port && isWildcard(address)
    );
  }

  #choose(port: number, local: Address): Listener | undefined {
    const fitting = [...this.#listeners.values()].filter((listener) => listener.port === port);
    return fitting.find((one) => isV6(one.actual.address) === isV6(local.address)) ?? fitting[0];
  }

  #tellUndeclared(port: number): void {
    const { declaredPorts } = this.#config;
    if (declaredPorts.length === 0 || declaredPorts.includes(port)) return;
    log.warning(
      `The pod declares no port ${port}, only ${declaredPorts.join(", ")}: ` +
        `if nothing comes, map it: "port_mapping": [[${port}, ${declaredPorts[0]}]]`,
    );
  }

  /** An IPv4 socket cannot name an IPv6 client: such an app sees the local end of our connection, and that is said once. */
  #tellForeignFamily(listener: Listener, { peer, port }: StolenConnection): void {
    if (isV6(listener.asked.address) || !isV6(peer.address)) return;
    this.#warnOnce(
      `foreign ${port}`,
      `The app listens on port ${port} by IPv4 only: it sees clients that come by IPv6, such as ${peer.address}, as 127.0.0.1`,
    );
  }

  #warnOnce(subject: string, text: string): void {
    if (this.#told.has(subject)) return;
    this.#told.add(subject);
    log.warning(text);
  }

  async #dial(listener: Listener, stolen: StolenConnection): Promise<Socket | null> {
    const dialing = this.#connect(listener, stolen);
    listener.dialing.add(dialing);
    try {
      return await dialing;
    } catch (error) {
      if (error instanceof SystemError && error.errno === E.ECONNREFUSED) return null;
      const why = error instanceof Error ? error.message : String(error);
      this.#warnOnce(
        `dial ${stolen.port} ${why}`,
        `Cannot reach the app on port ${stolen.port}, the original alone answers: ${why}`,
      );
      return null;
    } finally {
      listener.dialing.delete(dialing);
    }
  }

  async #connect(listener: Listener, stolen: StolenConnection): Promise<Socket> {
    const conn = await dialTcp({
      destination: { address: dialAddress(listener.actual.address), port: listener.actual.port },
    });
    const { port } = conn.localAddress;
    listener.peers.delete(port);
    listener.peers.set(port, { peer: stolen.peer, local: stolen.local });
    const [oldest] = listener.peers.keys();
    if (listener.peers.size > rememberedPeers && oldest !== undefined) listener.peers.delete(oldest);
    return conn;
  }

  #subscribe(port: number): Promise<void> {
    const known = this.#subscriptions.get(port);
    if (known !== undefined) return known;
    const filter = this.#config.filterFor(port);
    // A mirror shows the kubelet's probes as it shows all: they reach the original whatever the app does.
    const probes = this.#config.mode === "steal" && this.#config.probePorts.includes(port);
    const subscription = Promise.resolve(this.#leaving.get(port)).then(() =>
      this.#agent.subscribe(port, { mode: this.#config.mode, filter, probes })
    );
    this.#subscriptions.set(port, subscription);
    subscription.then(
      () => {
        const what = this.#config.mode === "steal" ? "Stealing" : "Mirroring";
        log.info(`${what} port ${port}${describeSubscription(filter, probes)}`);
        this.#tellUndeclared(port);
      },
      () => this.#subscriptions.delete(port),
    );
    return subscription;
  }

  /** Forgets those of `listeners` that no process listens on, by the kernel's own list. */
  async #sweep(listeners: Listener[]): Promise<void> {
    if (listeners.length === 0) return;
    const open = listeningPorts();
    for (const listener of listeners) {
      if (open.has(listener.actual.port) || this.#listeners.get(key(listener.actual)) !== listener) continue;
      await this.#forget(listener);
    }
  }

  async #forget(listener: Listener): Promise<void> {
    this.#listeners.delete(key(listener.actual));
    await this.#giveBackUnused(listener.port);
  }

  /** Ends the subscription of `port` unless a listener still wants it. Never rejects. */
  async #giveBackUnused(port: number): Promise<void> {
    if ([...this.#listeners.values()].some((other) => other.port === port)) return;
    const subscription = this.#subscriptions.get(port);
    this.#subscriptions.delete(port);
    if (subscription === undefined) return;
    const leaving = this.#leave(port, subscription);
    this.#leaving.set(port, leaving);
    await leaving;
    if (this.#leaving.get(port) === leaving) this.#leaving.delete(port);
  }

  async #leave(port: number, subscription: Promise<void>): Promise<void> {
    if (!(await subscription.then(() => true, () => false))) return;
    try {
      await this.#agent.unsubscribe(port);
      const left = this.#config.mode === "steal" ? "the original's again" : "no longer mirrored";
      log.info(`Port ${port} is ${left}: the app no longer listens on it`);
    } catch (error) {
      // With the link, every port went back; who lost it says so.
      if (error instanceof RemoteError) log.error(`Cannot give back port ${port}: ${error.message}`);
    }
  }
}

function describeSubscription(filter: string, probes: boolean): string {
  const parts = [
    ...(filter === "" ? [] : ["requests that match the filter"]),
    ...(probes ? ["not the kubelet's probes"] : []),
  ];
  return parts.length === 0 ? "" : ` (${parts.join(", ")})`;
}

function key(address: Address): string {
  return `${address.address} ${address.port}`;
}

function isV6(address: string): boolean {
  return address.includes(":");
}

function isWildcard(address: string): boolean {
  return address === "0.0.0.0" || address === "::";
}

function isLoopback(address: string): boolean {
  return address.startsWith("127.") || address === "::1";
}

/** Where to dial a listener bound to `address`: the loopback of its family for one bound to all. */
function dialAddress(address: string): string {
  if (address === "0.0.0.0") return "127.0.0.1";
  return address === "::" ? "::1" : address;
}
