// Outgoing: the app's connections into the target's network. Owned by session.ts, which hands it the layers'
// questions.
//
// Theory of operation. The app's socket stays the app's own. The layer asks before it connects. For a
// destination of the target it dials a gate of the session instead (core/net/linux/gate.ts), where the socket
// waits as any that dials far away, and reports its own address. Meanwhile the agent connects. When both are
// known the socket is admitted and relayed, or refused when the agent failed: then it was never connected.
// The layer asks for the outcome as soon as the socket waits no longer, and gives the app the errno.
// Where the kernel cannot leave a connect waiting (core/net/darwin/gate.ts) the layer asks for the outcome
// first, which is answered once there is one, and dials only when it is good.
//   asked      the agent connects; the layer dials.
//   decided    the agent's answer is here: from now on `outcome` is answered.
//   open       admitted, relayed until both ways have ended.
//   over       remembered for a while, for an app that asks late.
// UDP is datagrams.ts.

import {
  type Address,
  type AgentLink,
  decode,
  E,
  layerMessages,
  LinkError,
  RemoteError,
} from "../../protocol-wasm/mod.ts";
import { relay } from "../net/relay.ts";
import { SystemError } from "../net/system_error.ts";
import { agentMessages } from "../../protocol-wasm/mod.ts";
import type { Emit } from "./events.ts";
import type { AppProcess, Floor, Question } from "./floor.ts";
import { Associations } from "./datagrams.ts";
import { Deliveries } from "./deliveries.ts";
import { addressText } from "../net/address.ts";
import type { OutgoingRules } from "./outgoing_rules.ts";
import type { OwnSockets } from "./own_sockets.ts";
import { connectFromTarget } from "./target_network.ts";
import type { Gate, Socket } from "../net/platform.ts";
import { platform } from "../net/this_platform.ts";

const { waitingPorts, openGate } = await platform.network();

/** Closed connections whose outcome can still be asked for. */
const remembered = 4096;
const nowhere: Address = { address: "", port: 0 };

/** One connection of the app. */
interface Connection {
  readonly remote: Address;
  /** The address of the target's that the app's socket is bound to; none when it is bound to no such one. */
  readonly source: Address;
  readonly process: AppProcess;
  /** Where the app's socket waits; rejects when it never will. */
  readonly waiting: PromiseWithResolvers<Address>;
  readonly giveUp: AbortController;
  /** Resolves when there is an outcome. */
  readonly decided: PromiseWithResolvers<void>;
  readonly gate: Gate;
  at: Address | null;
  /** The app's socket is being connected, or is: the kernel decides how it ends. */
  admitted: boolean;
  outcome: { errno: number; local: Address; peer: Address };
}

export class Outgoing implements Floor {
  readonly kinds = [
    "connect",
    "dialled",
    "outcome",
    "connection",
    "abandoned",
    "associate",
    "sender",
  ] as const;
  readonly #agent: AgentLink;
  readonly #emit: Emit;
  readonly #rules: OutgoingRules;
  readonly #deliveries: Deliveries;
  readonly #associations: Associations;
  readonly #connections = new Map<number, Connection>();
  /** Open ones by where the app's socket is. */
  readonly #byPlace = new Map<string, number>();
  readonly #over = new Map<number, Connection>();
  readonly #gates = new Map<string, Gate>();
  readonly #serving = new Set<Promise<void>>();
  #lastNumber = 0;
  #closed = false;

  constructor(
    agent: AgentLink,
    rules: OutgoingRules,
    { own, deliveries = new Deliveries(), emit }: { own: OwnSockets; deliveries?: Deliveries; emit: Emit },
  ) {
    this.#agent = agent;
    this.#emit = emit;
    this.#rules = rules;
    this.#deliveries = deliveries;
    const nextNumber = () => this.#number();
    this.#associations = new Associations({ agent, rules, own, nextNumber, deliveries, emit });
  }

  async answer(question: Question): Promise<void> {
    const { link, frame, process } = question;
    switch (frame.name) {
      case "connect": {
        const { address, source } = decode(layerMessages.connect, frame.body);
        const way = await this.#rules.decide(address, "tcp", process.pid);
        if (way !== "remote") {
          return await link.reply(frame, "connectReply", { remote: false, connection: 0, endpoint: way });
        }
        const { number, endpoint } = this.#begin(address, source, process);
        return await link.reply(frame, "connectReply", { remote: true, connection: number, endpoint });
      }
      case "dialled": {
        const { connection, local } = decode(layerMessages.dialled, frame.body);
        return this.#connections.get(connection)?.waiting.resolve(local);
      }
      case "outcome": {
        const { connection } = decode(layerMessages.outcome, frame.body);
        const known = this.#connections.get(connection) ?? this.#over.get(connection);
        if (known?.gate.holdsConnects === false) await known.decided.promise;
        const outcome = known?.outcome ?? { errno: E.EIO, local: nowhere, peer: nowhere };
        return await link.reply(frame, "outcomeReply", outcome);
      }
      case "connection":
        return await this.#identify(question);
      case "abandoned": {
        const { connection } = decode(layerMessages.abandoned, frame.body);
        this.#left(this.#connections.get(connection), process);
        return this.#associations.abandoned(connection);
      }
      case "associate":
        return await this.#associations.associate(question);
      case "sender":
        return await this.#associations.sender(question);
    }
  }

  /** What `process` asked for and never dialled is given up; what it dialled may be another's by now. */
  async ended(process: AppProcess): Promise<void> {
    for (const connection of [...this.#connections.values()]) {
      if (connection.process === process && connection.at === null) this.#abandon(connection);
    }
    await this.#associations.ended(process);
  }

  /**
   * The app's first process ended, and those that live on are known: what nobody waits for any more is given
   * up.
   */
  appEnded(): void {
    const waiting = waitingPorts();
    for (const connection of [...this.#connections.values()]) {
      const { at, admitted } = connection;
      if (!admitted && at !== null && !waiting.has(at.port)) this.#abandon(connection);
    }
    this.#associations.appEnded();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    for (const connection of [...this.#connections.values()]) this.#abandon(connection);
    this.#associations[Symbol.dispose]();
    for (const gate of this.#gates.values()) gate[Symbol.dispose]();
    await Promise.all(this.#serving);
  }

  #number(): number {
    this.#lastNumber = this.#lastNumber % 0xffffffff + 1;
    return this.#lastNumber;
  }

  #begin(remote: Address, source: Address, process: AppProcess): { number: number; endpoint: Address } {
    const number = this.#number();
    const gate = this.#gate(remote.address.includes(":"));
    const connection: Connection = {
      remote,
      source,
      process,
      waiting: Promise.withResolvers(),
      giveUp: new AbortController(),
      decided: Promise.withResolvers(),
      gate,
      at: null,
      admitted: false,
      outcome: { errno: E.EINPROGRESS, local: nowhere, peer: nowhere },
    };
    connection.waiting.promise.then((at) => connection.at = at, () => {});
    this.#connections.set(number, connection);
    const serving = this.#serve(number, connection).catch((error) => {
      if (this.#closed) return;
      this.#emit({ type: "carryFailed", protocol: "tcp", peer: addressText(remote), reason: String(error) });
    }).finally(() => this.#serving.delete(serving));
    this.#serving.add(serving);
    return { number, endpoint: gate.address };
  }

  /** A machine without IPv6 lets its sockets of that family wait at an IPv4 gate. */
  #gate(ipv6: boolean): Gate {
    const host = ipv6 ? "::1" : "127.0.0.1";
    const known = this.#gates.get(host);
    if (known !== undefined) return known;
    let gate: Gate;
    try {
      gate = openGate(host);
    } catch (error) {
      if (!ipv6 || !(error instanceof SystemError)) throw error;
      gate = this.#gate(false);
    }
    this.#gates.set(host, gate);
    return gate;
  }

  /**
   * `process` has the socket no longer. A fork parent or child may still: then it waits in the kernel, or,
   * where it has not dialled yet, it is another's.
   */
  #left(connection: Connection | undefined, process: AppProcess): void {
    if (connection === undefined || connection.admitted) return;
    const { at } = connection;
    const had = at === null ? connection.process !== process : waitingPorts().has(at.port);
    if (!had) this.#abandon(connection);
  }

  #abandon(connection: Connection): void {
    connection.giveUp.abort(new RemoteError(E.EIO, "the app does not wait any more"));
    connection.waiting.reject(new RemoteError(E.EIO, "the app does not wait any more"));
  }

  /** From the first question to the last byte; rejects only by a bug. */
  async #serve(number: number, connection: Connection): Promise<void> {
    const { remote, giveUp, waiting, gate } = connection;
    const id = this.#agent.nextId();
    let opened = false;
    try {
      connection.outcome = await this.#connect(id, connection);
      connection.decided.resolve();
      if (connection.outcome.errno !== 0 && !gate.holdsConnects) return;
      const at = await waiting.promise;
      this.#byPlace.set(place(at, gate.address), number);
      connection.admitted = true;
      if (connection.outcome.errno !== 0) return gate.refuse(at);
      const socket = await this.#admit(gate, at, remote);
      if (giveUp.signal.aborted) return socket.reset();
      using channel = this.#deliveries.follow(this.#agent.openChannel(id), socket, addressText(remote));
      opened = true;
      this.#emit({ type: "connectionOpened", direction: "outgoing", port: null, peer: addressText(remote) });
      giveUp.signal.addEventListener("abort", () => {
        socket.reset();
        channel.reset();
      }, { once: true });
      await relay(channel, socket);
      socket.close();
    } catch (error) {
      // The socket waits no longer: its time was up, or its process ended.
      if (!(error instanceof SystemError) && !(error instanceof RemoteError)) throw error;
    } finally {
      // Nobody waits for it any more, or the session ends.
      if (connection.outcome.errno === E.EINPROGRESS && !gate.holdsConnects) connection.outcome.errno = E.EIO;
      connection.decided.resolve();
      if (connection.outcome.errno === 0 && !opened) this.#agent.openChannel(id).reset();
      const facts = { direction: "outgoing", port: null, peer: addressText(remote) } as const;
      if (opened) this.#emit({ type: "connectionClosed", ...facts });
      this.#forget(number, connection);
    }
  }

  /** From here on the app may send, and end, before the session has its socket. */
  async #admit(gate: Gate, at: Address, remote: Address): Promise<Socket> {
    const name = addressText(remote);
    using _entry = this.#deliveries.enter({ name, left: () => 0, ending: () => true });
    return await gate.admit(at);
  }

  async #connect(id: number, { remote, source, giveUp }: Connection): Promise<Connection["outcome"]> {
    const { signal } = giveUp;
    const bound = source.address !== "" && this.#agent.version >= agentMessages.connectFrom.since;
    try {
      const wanted = { id, remote, signal, ...(bound ? { source } : {}) };
      return { errno: 0, ...await connectFromTarget(this.#agent, wanted) };
    } catch (error) {
      if (signal.aborted) throw error;
      if (error instanceof LinkError) return { errno: E.EIO, local: nowhere, peer: nowhere };
      if (!(error instanceof RemoteError)) throw error;
      this.#emit({ type: "targetUnreachable", peer: addressText(remote), reason: error.message });
      return { errno: error.errno, local: nowhere, peer: nowhere };
    }
  }

  #forget(number: number, connection: Connection): void {
    this.#connections.delete(number);
    if (connection.at !== null) this.#byPlace.delete(place(connection.at, connection.gate.address));
    this.#over.set(number, connection);
    const [oldest] = this.#over.keys();
    if (this.#over.size > remembered && oldest !== undefined) this.#over.delete(oldest);
  }

  async #identify({ link, frame }: Question): Promise<void> {
    const { local, peer } = decode(layerMessages.connection, frame.body);
    const number = this.#byPlace.get(place(local, peer));
    const found = number === undefined ? undefined : this.#connections.get(number);
    const known = found === undefined
      ? await this.#associations.identify(local, peer)
      : { connection: number ?? 0, local: found.outcome.local, peer: found.outcome.peer };
    await link.reply(frame, "connectionReply", {
      known: known !== null,
      ...(known ?? { connection: 0, local, peer }),
    });
  }
}

function place(local: Address, peer: Address): string {
  return `${local.address} ${local.port} ${peer.port}`;
}
