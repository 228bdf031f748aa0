// UDP towards the target's network: for each pair of an app's socket and a remote address one loopback socket of ours, which
// the layer sends to instead, and one in the target. Called by outgoing.ts. Invariant: a socket of ours takes datagrams from
// the app's one only, and lives until the app's is closed, seen by the layer or by the kernel's refusal.

import {
  type Address,
  agentMessages,
  decode,
  layerMessages,
  LinkError,
  RemoteError,
} from "../../protocol-wasm/mod.ts";
import { log } from "../base/log.ts";
import { DatagramSocket, relayDatagrams } from "../net/datagram.ts";
import { SystemError } from "../net/libc.ts";
import type { AgentLink, AppProcess, Question } from "./floor.ts";
import { boundUdpPorts } from "./listening.ts";
import type { OutgoingRules } from "./outgoing_rules.ts";

/** Associations at a time; beyond it the longest-standing one is given up. */
const associationLimit = 4096;
/** Hosts that are remembered as having been reached. */
const reachedLimit = 1024;
const nowhere: Address = { address: "", port: 0 };
const EIO = 5;

interface Association {
  readonly number: number;
  readonly process: AppProcess;
  /** The app's socket. */
  readonly app: Address;
  readonly remote: Address;
  readonly socket: DatagramSocket;
  readonly endpoint: Address;
  readonly giveUp: AbortController;
  /** The target's own address, once the agent told it. */
  local: Promise<Address>;
}

export class Associations implements Disposable {
  readonly #agent: AgentLink;
  readonly #rules: OutgoingRules;
  readonly #nextNumber: () => number;
  readonly #open = new Map<number, Association>();
  /** Hosts to which the target had a way when it was asked last, the longest known first. */
  readonly #reached = new Set<string>();
  #dropped = 0;

  constructor(agent: AgentLink, rules: OutgoingRules, nextNumber: () => number) {
    this.#agent = agent;
    this.#rules = rules;
    this.#nextNumber = nextNumber;
  }

  async associate({ link, frame, process }: Question): Promise<void> {
    const { address, local } = decode(layerMessages.associate, frame.body);
    const way = this.#rules.decide(address, "udp");
    if (way !== "remote") {
      return await link.reply(frame, "associateReply", { remote: false, connection: 0, endpoint: way });
    }
    const known = this.#find(local, address) ?? this.#begin(local, address, process);
    const { number: connection, endpoint } = known;
    // No way there (ENETUNREACH, say) is an answer that programs wait for, to ask another or to order addresses. Of a host
    // that was reached before nobody waits for it again.
    if (!this.#reached.has(address.address)) await this.#reach(known);
    await link.reply(frame, "associateReply", { remote: true, connection, endpoint });
  }

  /** Waits until the target has a socket for it. Rejects with RemoteError: the errno of its connect(2). */
  async #reach(one: Association): Promise<void> {
    try {
      await one.local;
    } catch (error) {
      throw error instanceof RemoteError ? error : new RemoteError(EIO, "the agent is gone");
    }
    this.#reached.add(one.remote.address);
    const [oldest] = this.#reached;
    if (this.#reached.size > reachedLimit && oldest !== undefined) this.#reached.delete(oldest);
  }

  async sender({ link, frame }: Question): Promise<void> {
    const { endpoint } = decode(layerMessages.sender, frame.body);
    const found = [...this.#open.values()].find((one) => one.endpoint.port === endpoint.port);
    await link.reply(frame, "senderReply", {
      known: found !== undefined,
      address: found?.remote ?? endpoint,
    });
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
      if (one.app.port === found.app.port) this.#end(one);
    }
  }

  async ended(process: AppProcess): Promise<void> {
    const touched = [...this.#open.values()].filter((one) => one.process === process);
    if (touched.length === 0) return;
    const bound = boundUdpPorts();
    for (const one of touched) if (!bound.has(one.app.port)) this.#end(one);
    await Promise.resolve();
  }

  [Symbol.dispose](): void {
    for (const one of [...this.#open.values()]) this.#end(one);
    if (this.#dropped > 0) {
      log.warning(`${this.#dropped} UDP datagrams were dropped: more came than could be carried`);
    }
  }

  #find(app: Address, remote: Address): Association | undefined {
    return [...this.#open.values()].find((one) =>
      one.app.port === app.port && one.remote.port === remote.port &&
      one.remote.address === remote.address
    );
  }

  #begin(app: Address, remote: Address, process: AppProcess): Association {
    const [oldest] = this.#open.values();
    if (this.#open.size >= associationLimit && oldest !== undefined) this.#end(oldest);
    const socket = bindLike(remote);
    const reachable = { address: reachableFrom(app, socket.localAddress), port: app.port };
    socket.connect(reachable);
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
      local: local.promise,
    };
    this.#open.set(one.number, one);
    void this.#serve(one, local).catch((error) => {
      const passing = error instanceof SystemError || error instanceof RemoteError ||
        error instanceof LinkError;
      if (!passing) log.error(`Cannot carry datagrams to ${remote.address}: ${error}`);
      else if (!giveUp.signal.aborted) log.debug(`datagrams to ${remote.address} end: ${error.message}`);
      this.#reached.delete(remote.address);
      local.reject(error);
    }).finally(() => this.#end(one));
    return one;
  }

  async #serve(one: Association, local: PromiseWithResolvers<Address>): Promise<void> {
    const id = this.#agent.nextId();
    const request = this.#agent.request("associate", { remote: one.remote }, {
      id,
      signal: one.giveUp.signal,
    });
    const [frame] = await request;
    if (frame === undefined) throw new LinkError("Cannot associate: the agent's answer is empty");
    local.resolve(decode(agentMessages.associateReply, frame.body).local);
    await relayDatagrams(this.#agent.openChannel(id), one.socket, {
      endsRefused: true,
      dropped: () => this.#dropped++,
    });
  }

  #end(one: Association): void {
    if (!this.#open.delete(one.number)) return;
    one.giveUp.abort(new RemoteError(104, "the app's socket is closed"));
    one.socket.close();
  }
}

/** A socket of the family in which the app's socket can speak to `remote`. */
function bindLike(remote: Address): DatagramSocket {
  if (!remote.address.includes(":")) return DatagramSocket.bind("127.0.0.1");
  try {
    return DatagramSocket.bind("::1");
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    return DatagramSocket.bind("127.0.0.1");
  }
}

/** The address under which a socket bound to `app` is met from `ours`. */
function reachableFrom(app: Address, ours: Address): string {
  const unspecified = ["0.0.0.0", "::", ""].includes(app.address);
  return unspecified || app.address.includes(":") !== ours.address.includes(":") ? ours.address : app.address;
}
