// UDP towards the target's network: for each pair of an app's socket and a remote address one loopback socket
// of the session, to which the layer sends instead, and one in the target. Called by outgoing.ts. Invariant:
// the session's socket takes datagrams from the app's socket only. It lives until the app's socket is closed
// (the layer reports that, or the kernel refuses a datagram) and everything that the app sent before has been
// carried.

import {
  type Address,
  type AgentLink,
  agentMessages,
  decode,
  E,
  layerMessages,
  LinkError,
  RemoteError,
} from "../../protocol-wasm/mod.ts";
import { log } from "../base/log.ts";
import { lateMs, relayDatagrams } from "../net/datagram_relay.ts";
import { SystemError } from "../net/system_error.ts";
import type { Deliveries } from "./deliveries.ts";
import type { Emit } from "./events.ts";
import type { AppProcess, Question } from "./floor.ts";
import { addressText } from "../net/address.ts";
import type { OutgoingRules } from "./outgoing_rules.ts";
import type { OwnSockets } from "./own_sockets.ts";
import type { DatagramSocket } from "../net/platform.ts";
import { platform } from "../net/this_platform.ts";

const { bindDatagrams, boundUdpPorts } = await platform.network();

/** Associations at a time; beyond it the longest-standing one is given up. */
const associationLimit = 4096;
/** Hosts that are remembered as having been reached. */
const reachedLimit = 1024;
const nowhere: Address = { address: "", port: 0 };

interface Association {
  readonly number: number;
  readonly process: AppProcess;
  /** The app's socket. */
  readonly app: Address;
  readonly remote: Address;
  readonly socket: DatagramSocket;
  readonly endpoint: Address;
  readonly giveUp: AbortController;
  /** The app's socket is closed. */
  closed: boolean;
  /** The target's own address, once the agent has reported it. */
  local: Promise<Address>;
}

interface AssociationsOptions {
  agent: AgentLink;
  rules: OutgoingRules;
  own: OwnSockets;
  nextNumber: () => number;
  deliveries: Deliveries;
  emit: Emit;
}

export class Associations implements Disposable {
  readonly #agent: AgentLink;
  readonly #emit: Emit;
  readonly #rules: OutgoingRules;
  readonly #own: OwnSockets;
  readonly #nextNumber: () => number;
  readonly #deliveries: Deliveries;
  readonly #open = new Map<number, Association>();
  /** Those whose app's socket is closed, the longest closed first. */
  readonly #closing = new Set<Association>();
  /** Hosts to which the target had a way when it was asked last, the longest known first. */
  readonly #reached = new Set<string>();
  #dropped = 0;

  constructor({ agent, rules, own, nextNumber, deliveries, emit }: AssociationsOptions) {
    this.#emit = emit;
    this.#agent = agent;
    this.#rules = rules;
    this.#own = own;
    this.#deliveries = deliveries;
    this.#nextNumber = nextNumber;
  }

  async associate({ link, frame, process }: Question): Promise<void> {
    const { address, local } = decode(layerMessages.associate, frame.body);
    const way = await this.#rules.decide(address, "udp", process.pid);
    if (way !== "remote") {
      return await link.reply(frame, "associateReply", { remote: false, connection: 0, endpoint: way });
    }
    const known = this.#find(local, address) ?? this.#begin(local, address, process);
    const { number: connection, endpoint } = known;
    // Programs wait for an error such as ENETUNREACH, to ask another server or to order addresses. For a host
    // that was reached before, no program waits for it again.
    if (!this.#reached.has(address.address)) await this.#reach(known);
    await link.reply(frame, "associateReply", { remote: true, connection, endpoint });
  }

  /** Waits until the target has a socket for it. Rejects with RemoteError: the errno of its connect(2). */
  async #reach(one: Association): Promise<void> {
    try {
      await one.local;
    } catch (error) {
      throw error instanceof RemoteError ? error : new RemoteError(E.EIO, "the agent is gone");
    }
    this.#reached.add(one.remote.address);
    const [oldest] = this.#reached;
    if (this.#reached.size > reachedLimit && oldest !== undefined) this.#reached.delete(oldest);
  }

  async sender({ link, frame }: Question): Promise<void> {
    const { endpoint } = decode(layerMessages.sender, frame.body);
    const found = [...this.#open.values()].find((one) => one.endpoint.port === endpoint.port);
    const address = found?.remote ?? this.#own.nameOf(endpoint, "udp");
    await link.reply(frame, "senderReply", { known: address !== null, address: address ?? endpoint });
  }

  /** The association between the app's socket at `local` and ours at `peer`; null without one. */
  async identify(
    local: Address,
    peer: Address,
  ): Promise<{ connection: number; local: Address; peer: Address } | null> {
    const found = [...this.#open.values()].find((one) =>
      one.endpoint.port === peer.port && one.app.port === local.port
    );
    if (found === undefined) return null;
    return { connection: found.number, local: await found.local.catch(() => nowhere), peer: found.remote };
  }

  /** A process closed the socket of `number`; another may still have it. */
  abandoned(number: number): void {
    const found = this.#open.get(number);
    if (found === undefined || boundUdpPorts().has(found.app.port)) return;
    for (const one of [...this.#open.values()]) {
      if (one.app.port === found.app.port) this.#finish(one);
    }
  }

  async ended(process: AppProcess): Promise<void> {
    const touched = [...this.#open.values()].filter((one) => one.process === process);
    if (touched.length === 0) return;
    const bound = boundUdpPorts();
    for (const one of touched) if (!bound.has(one.app.port)) this.#finish(one);
    await Promise.resolve();
  }

  /** The app's first process ended: what no process has any more is closed. */
  appEnded(): void {
    const bound = boundUdpPorts();
    for (const one of [...this.#open.values()]) if (!bound.has(one.app.port)) this.#finish(one);
  }

  [Symbol.dispose](): void {
    for (const one of [...this.#open.values(), ...this.#closing]) this.#end(one);
    if (this.#dropped > 0) this.#emit({ type: "datagramsDropped", count: this.#dropped });
  }

  #find(app: Address, remote: Address): Association | undefined {
    return [...this.#open.values()].find((one) =>
      one.app.port === app.port && one.remote.port === remote.port &&
      one.remote.address === remote.address
    );
  }

  #begin(app: Address, remote: Address, process: AppProcess): Association {
    const [oldest] = this.#open.values();
    if (this.#open.size >= associationLimit && oldest !== undefined) this.#finish(oldest);
    const [closed] = this.#closing;
    if (this.#closing.size >= associationLimit && closed !== undefined) this.#end(closed);
    const socket = bindLike(remote);
    try {
      socket.connect({ address: reachableFrom(app, socket.localAddress), port: app.port });
    } catch (error) {
      socket.close(); // the app says that it is where it cannot be met
      throw error;
    }
    const giveUp = new AbortController();
    const local = Promise.withResolvers<Address>();
    local.promise.catch(() => {});
    const one: Association = {
      number: this.#nextNumber(),
      process,
      app,
      remote,
      socket,
      endpoint: socket.localAddress,
      giveUp,
      closed: false,
      local: local.promise,
    };
    this.#open.set(one.number, one);
    void this.#serve(one, local).catch((error) => {
      const passing = error instanceof SystemError || error instanceof RemoteError ||
        error instanceof LinkError;
      if (!passing) {
        this.#emit({ type: "carryFailed", protocol: "udp", peer: remote.address, reason: String(error) });
      } else if (!giveUp.signal.aborted) log.debug(`datagrams to ${remote.address} end: ${error.message}`);
      this.#reached.delete(remote.address);
      local.reject(error);
    }).finally(() => this.#end(one));
    return one;
  }

  async #serve(one: Association, local: PromiseWithResolvers<Address>): Promise<void> {
    using _entry = this.#deliveries.enter({
      name: addressText(one.remote),
      left: () => one.socket.unread,
      ending: () => one.closed,
    });
    const id = this.#agent.nextId();
    const options = { id, signal: one.giveUp.signal };
    const source = this.#agent.version < agentMessages.associateFrom.since
      ? null
      : this.#own.asked(one.app, "udp");
    const [frame] =
      await (source === null
        ? this.#agent.request("associate", { remote: one.remote }, options)
        : this.#agent.request("associateFrom", { remote: one.remote, source }, options));
    if (frame === undefined) throw new LinkError("Cannot associate: the agent's answer is empty");
    local.resolve(decode(agentMessages.associateReply, frame.body).local);
    await relayDatagrams(this.#agent.openChannel(id), one.socket, {
      endsRefused: true,
      dropped: (count) => this.#dropped += count,
    });
  }

  /** The app's socket is closed, or has been silent for the longest time: what it sent is still carried. */
  #finish(one: Association): void {
    if (!this.#open.delete(one.number)) return;
    one.closed = true;
    this.#closing.add(one);
    one.socket.finish(lateMs);
  }

  #end(one: Association): void {
    if (!this.#open.delete(one.number) && !this.#closing.delete(one)) return;
    this.#dropped += one.socket.dropped;
    one.giveUp.abort(new RemoteError(104, "the app's socket is closed"));
    one.socket.close();
  }
}

/** A socket of the family in which the app's socket can speak to `remote`. */
function bindLike(remote: Address): DatagramSocket {
  if (!remote.address.includes(":")) return bindDatagrams("127.0.0.1");
  try {
    return bindDatagrams("::1");
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    return bindDatagrams("127.0.0.1");
  }
}

/** The address under which a socket bound to `app` is met from `ours`. */
function reachableFrom(app: Address, ours: Address): string {
  const unspecified = ["0.0.0.0", "::", ""].includes(app.address);
  return unspecified || app.address.includes(":") !== ours.address.includes(":") ? ours.address : app.address;
}
