// The floor "incoming": the layer's questions about listeners (bind, listen, accept), and every stolen or
// mirrored connection on its way into the app. Made by session.ts. Invariant: a port is subscribed
// (subscriptions.ts) exactly while the app listens on it; a stolen connection that cannot reach the app is
// handed back to the original, with every byte.

import {
  type Address,
  type AgentLink,
  type Body,
  type ByteChannel,
  decode,
  layerMessages,
  RemoteError,
} from "../../protocol-wasm/mod.ts";
import { relay } from "../net/relay.ts";
import { E, SystemError } from "../net/system_error.ts";
import { isLoopback } from "../net/fit.ts";
import { Deliveries } from "./deliveries.ts";
import { dialApp, dialsKnown } from "./dial_app.ts";
import { addressText } from "../net/address.ts";
import { isVacant, key, type Listener, Listeners } from "./listeners.ts";
import { play } from "./mirror.ts";
import { News, type Openness, opennessOf } from "./openness.ts";
import type { Details } from "./details.ts";
import type { Emit, SessionEvent } from "./events.ts";
import type { AppProcess, Floor, Question } from "./floor.ts";
import type { Debuggers } from "./debuggers.ts";
import { type IncomingRules, noPorts } from "./incoming_rules.ts";
import type { OwnSockets } from "./own_sockets.ts";
import { Requests, type Subscribed } from "./requests.ts";
import { Subscriptions } from "./subscriptions.ts";
import { Vacancies } from "./vacancies.ts";
import type { Socket } from "../net/platform.ts";
import { platform } from "../net/this_platform.ts";

const { isKernelsPort, sockets } = await platform.network();

type Accepted = Body<typeof layerMessages.acceptedReply>;

const nowhere: Address = { address: "", port: 0 };

/** A socket that begins to listen, as the layer reports it. */
export interface Listening {
  asked: Address;
  actual: Address;
  only6: boolean;
  /** The kernel chose its port, as far as its process knows. */
  anyPort: boolean;
}

/** A connection that the agent stole or mirrors, not yet taken. */
export interface StolenConnection {
  port: number;
  peer: Address;
  local: Address;
  channel: ByteChannel;
  take(): Promise<void>;
  refuse(errno: number, text: string): Promise<void>;
}

export interface IncomingOptions {
  /** null: no port is stolen or mirrored. */
  agent: AgentLink | null;
  /** null: the app's listeners are not looked at. */
  rules: IncomingRules | null;
  own: OwnSockets;
  debuggers: Debuggers;
  deliveries?: Deliveries;
  emit: Emit;
  /** Emit `request` events. */
  requests?: boolean;
  details?: Details;
}

export class Incoming implements Floor {
  readonly kinds = ["bind", "listen", "listener", "accepted", "bound", "looped", "closed"] as const;
  /** The ports at the agent; null: none is ever subscribed. */
  readonly subscriptions: Subscriptions | null;
  readonly #rules: IncomingRules;
  readonly #deliveries: Deliveries;
  readonly #listeners = new Listeners();
  readonly #vacancies = new Vacancies(this.#listeners, (vacant) => this.#sweep(vacant));
  readonly #news = new News();
  readonly #emit: Emit;
  readonly #told = new Set<string>();
  /** Ports that a process of the app named when it bound a socket. */
  readonly #asked = new Set<number>();
  readonly #own: OwnSockets;
  readonly #debuggers: Debuggers;
  readonly #requests: Requests;

  constructor(options: IncomingOptions) {
    const { agent, rules, own, debuggers, deliveries = new Deliveries(), emit } = options;
    this.#rules = agent === null || rules === null ? noPorts : rules;
    this.subscriptions = agent === null || rules === null
      ? null
      : new Subscriptions(agent, { rules, listeners: this.#listeners, news: this.#news, emit });
    this.#emit = emit;
    this.#requests = new Requests(options.requests === true ? emit : null, options.details);
    this.#own = own;
    this.#debuggers = debuggers;
    this.#deliveries = deliveries;
  }

  async answer({ link, frame, process }: Question): Promise<void> {
    switch (frame.name) {
      case "bind": {
        const { address, stream } = decode(layerMessages.bind, frame.body);
        return await link.reply(frame, "bindReply", {
          ...(stream ? this.bind(process, address) : { managed: false, suggested: 0, fixed: false }),
          place: await this.#own.place(address, stream ? "tcp" : "udp") ?? nowhere,
        });
      }
      case "listen": {
        const told = decode(layerMessages.listen, frame.body);
        this.#own.bound(told.asked, told.actual, "tcp");
        const { code, managed } = await this.listen(process, told);
        if (code !== 0) return await link.fail(frame, code, "");
        return await link.reply(frame, "listenReply", { managed });
      }
      case "listener": {
        const { actual, stream } = decode(layerMessages.listener, frame.body);
        const asked = (stream ? this.asked(process, actual) : null) ??
          this.#own.asked(actual, stream ? "tcp" : "udp");
        return await link.reply(frame, "listenerReply", { known: asked !== null, asked: asked ?? actual });
      }
      case "accepted": {
        const { listener, peer } = decode(layerMessages.accepted, frame.body);
        return await link.reply(frame, "acceptedReply", await this.accepted(listener, peer));
      }
      case "closed": {
        const { actual } = decode(layerMessages.closed, frame.body);
        // Answered at once; giving the port back may take the agent's time, not the app's.
        const released = this.released(process, actual);
        await link.reply(frame, "closedReply", {});
        return await released;
      }
    }
    await this.#placed({ link, frame, process });
  }

  /** Where a socket is that may be asked about from another process. */
  async #placed({ link, frame }: Question): Promise<void> {
    if (frame.name === "bound") {
      const { asked, actual, stream } = decode(layerMessages.bound, frame.body);
      this.#own.bound(asked, actual, stream ? "tcp" : "udp");
      await link.reply(frame, "boundReply", {});
    } else {
      const { name, actual, stream } = decode(layerMessages.looped, frame.body);
      this.#own.looped(name, actual, stream ? "tcp" : "udp");
      await link.reply(frame, "loopedReply", {});
    }
  }

  async ended(process: AppProcess): Promise<void> {
    await this.released(process);
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#vacancies[Symbol.dispose]();
    this.subscriptions?.[Symbol.dispose]();
    return Promise.resolve();
  }

  /**
   * The app is about to bind `asked`: may it become the pod's, and where else is it bound when it cannot be
   * had there?
   */
  bind(process: AppProcess, asked: Address): { managed: boolean; suggested: number; fixed: boolean } {
    this.#asked.add(asked.port);
    const port = this.#remotePort(asked);
    const open = port === null ? null : this.#openness(process, asked, { port, anyPort: false });
    const twin = this.#listeners.twin(asked)?.actual.port;
    if (open === null || open.who === "nobody") return { managed: false, suggested: twin ?? 0, fixed: false };
    const chosen = this.#rules.listenPorts.get(asked.port);
    const suggested = twin ?? chosen ?? 0;
    return { managed: true, suggested, fixed: chosen !== undefined && suggested !== asked.port };
  }

  /** The pod's port for a port that the app has; null when the pod has none for it. */
  #remotePort(asked: Address): number | null {
    const { ports, ignorePorts, portMapping, ignoreLocalhost } = this.#rules;
    if (asked.port === 0 || ignorePorts.includes(asked.port)) return null;
    if (ignoreLocalhost && isLoopback(asked.address)) return null;
    const port = portMapping.get(asked.port) ?? asked.port;
    if (ports !== null && !ports.includes(port)) return null;
    return ignorePorts.includes(port) ? null : port;
  }

  /** From where it is reached; that it stays on this machine is reported once for each port. */
  #openness(
    process: AppProcess,
    address: Address,
    { port, anyPort }: { port: number; anyPort: boolean },
  ): Openness {
    const name = this.#debuggers.listens(process.pid, address, anyPort);
    const open = opennessOf({ address, port, anyPort, debugger: name }, this.#rules);
    if (open.who !== "nobody") return open;
    // A test suite opens such listeners by the dozen: one stands for all.
    const isAny = open.reason === "anyPort";
    const first = !isAny || !this.#told.has("any port");
    if (isAny) this.#told.add("any port");
    const isNew = this.#news.isNew(`own ${address.port}`, open);
    const facts = { port: address.port, reason: open.reason, debugger: open.debugger };
    this.#emit({ type: "keptLocal", ...facts, isNews: first && isNew });
    return open;
  }

  /**
   * The app listens: subscribes the pod's port (once for all its listeners). managed: what it accepts is to
   * be asked about.
   */
  async listen(process: AppProcess, told: Listening): Promise<{ code: number; managed: boolean }> {
    const { asked, actual, only6 } = told;
    await this.#sweep(this.#listeners.vacant());
    const remote = this.#remotePort(asked);
    if (remote === null) return { code: 0, managed: false };
    // A socket that came from another process: a port that none of the app's named is the kernel's choice.
    const anyPort = told.anyPort || (!this.#asked.has(asked.port) && isKernelsPort(asked.port));
    const open = this.#openness(process, asked, { port: remote, anyPort });
    if (open.who === "nobody" && open.reason !== "anyPort") return { code: 0, managed: false };
    const port = open.who === "nobody" ? null : remote;
    const { listener, replaced } = this.#listeners.add({ asked, actual, only6, port, open });
    // The process that held the one before never opened a link, and ended unseen.
    if (replaced !== null) void this.#giveBackUnused(replaced);
    listener.holders.add(process);
    if (port === null) return { code: 0, managed: true };
    try {
      await this.subscriptions?.want(port);
    } catch (error) {
      this.#forget(listener);
      const { code, text } = refusal(error);
      this.#emit({ type: "subscriptionFailed", port, mode: this.#rules.mode, reason: text });
      return { code, managed: true };
    }
    if (actual.port !== asked.port && !this.#rules.listenPorts.has(asked.port)) {
      this.#emit({ type: "moved", asked: asked.port, actual: actual.port, port });
    }
    return { code: 0, managed: true };
  }

  /** What the app asked for when it made the listener that is really at `actual`; null if it is not ours. */
  asked(holder: object, actual: Address): Address | null {
    const [listener] = this.#listeners.fitting(actual);
    listener?.holders.add(holder);
    return listener?.asked ?? null;
  }

  /** Does a process of the app listen at `actual`? */
  has(actual: Address): boolean {
    return (this.#listeners.at(actual)?.holders.size ?? 0) > 0;
  }

  /** The app accepted a connection from the local `peer`: which client of the pod is that? */
  async accepted(actual: Address, peer: Address): Promise<Accepted> {
    const fitting = () => this.#listeners.fitting(actual);
    const find = () => fitting().map(({ peers }) => peers.of(peer)).find((one) => one !== undefined);
    let found = find();
    if (found === undefined) {
      await dialsKnown(fitting());
      found = find();
    }
    return found === undefined ? this.#own.accepted(actual, peer) : { known: true, ...found };
  }

  /**
   * `holder` closed the listener, or (no `actual`) is gone: gives back the ports nobody listens on any more.
   */
  async released(holder: object, actual?: Address): Promise<void> {
    const touched = this.#listeners.heldBy(holder, actual);
    for (const listener of touched) listener.holders.delete(holder);
    await this.#sweep(touched.filter(isVacant));
    if (this.#listeners.vacant().length > 0) this.#vacancies.look();
  }

  /** A connection of a subscribed port: dials the app and pumps until both sides are done. */
  async connection(stolen: StolenConnection): Promise<void> {
    // What listens at the place of one that is gone is none of the pod's.
    await this.#sweep(this.#listeners.on(stolen.port).filter(isVacant));
    const listener = this.#listeners.choose(stolen.port, stolen.local);
    const conn = listener === undefined ? null : await this.#dial(listener, stolen);
    if (listener === undefined || conn === null) {
      await stolen.refuse(111, `the app does not listen on port ${stolen.port} any more`);
      if (listener !== undefined) await this.#sweep([listener]);
      return;
    }
    this.#tellForeignFamily(listener, stolen);
    const [port, peer, { mode }] = [stolen.port, addressText(stolen.peer), this.#rules];
    const facts = { direction: "incoming", port, peer } as const;
    this.#emit({ type: "connectionOpened", ...facts });
    try {
      if (mode === "steal") await this.#relay(stolen, conn, { mode, port, peer });
      else await this.#play(stolen, conn, { mode, port, peer });
    } finally {
      conn.close();
      this.#emit({ type: "connectionClosed", ...facts });
    }
  }

  async #relay({ channel, take }: StolenConnection, conn: Socket, subscribed: Subscribed): Promise<void> {
    using followed = this.#deliveries.follow(channel, conn, subscribed.peer);
    using watched = this.#requests.watch(followed, subscribed);
    await take();
    await relay(watched, conn);
  }

  async #play(mirrored: StolenConnection, conn: Socket, subscribed: Subscribed): Promise<void> {
    await mirrored.take();
    const { discarded, lost } = await play(mirrored.channel, conn, {
      dial: async () => {
        const listener = this.#listeners.choose(mirrored.port, mirrored.local);
        return listener === undefined ? null : await this.#dial(listener, mirrored);
      },
      begin: (head) => this.#requests.begin(head, subscribed),
    });
    for (const reason of lost) {
      this.#emitOnce(`mirror ${mirrored.port} ${reason}`, {
        type: "mirrorIncomplete",
        port: mirrored.port,
        reason,
      });
    }
    this.#emit({ type: "mirrorEnded", port: mirrored.port, discarded });
  }

  /**
   * An IPv4 socket cannot name an IPv6 client: such an app sees the local end of the session's connection,
   * and that is reported once.
   */
  #tellForeignFamily(listener: Listener, { peer, port }: StolenConnection): void {
    if (isV6(listener.asked.address) || !isV6(peer.address)) return;
    this.#emitOnce(`foreign ${port}`, { type: "foreignFamily", port, client: peer.address });
  }

  #emitOnce(subject: string, event: SessionEvent): void {
    if (this.#told.has(subject)) return;
    this.#told.add(subject);
    this.#emit(event);
  }

  async #dial(listener: Listener, stolen: StolenConnection): Promise<Socket | null> {
    try {
      return await dialApp(listener, { peer: stolen.peer, local: stolen.local });
    } catch (error) {
      if (error instanceof SystemError && error.errno === E.ECONNREFUSED) return null;
      const { port } = stolen;
      const reason = error instanceof Error ? error.message : String(error);
      this.#emitOnce(`dial ${port} ${reason}`, { type: "appUnreachable", port, reason });
      return null;
    }
  }

  /** Forgets those of `listeners` that no process listens on, by the kernel's own list. */
  async #sweep(listeners: Listener[]): Promise<void> {
    if (listeners.length === 0) return;
    const open = new Set(sockets("tcp").map(key));
    for (const listener of listeners) {
      if (open.has(key(listener.actual)) || !this.#listeners.has(listener)) continue;
      await this.#forget(listener);
    }
  }

  async #forget(listener: Listener): Promise<void> {
    this.#listeners.remove(listener);
    await this.#giveBackUnused(listener);
  }

  /** Its port goes back unless another listener wants it. Never rejects. */
  async #giveBackUnused({ port }: Listener): Promise<void> {
    if (port !== null) await this.subscriptions?.leave(port);
  }
}

/** Errno and sentence of a refused request; EIO for a lost link. */
function refusal(error: unknown): { code: number; text: string } {
  if (error instanceof RemoteError) return { code: error.errno, text: error.message };
  return { code: E.EIO, text: error instanceof Error ? error.message : String(error) };
}

function isV6(address: string): boolean {
  return address.includes(":");
}
