// The app's own sockets by the addresses that it bound, and which addresses are the target's own. Owned by
// session.ts; asked by the floors incoming and outgoing. Theory: an address that the target has and this
// machine does not is bound on loopback here instead. Each IPv4 address has a loopback address of its own, so
// that the kernel decides about conflicts as it would beside the target; IPv6 has only ::1. Invariant: a
// connection of the app to itself finds the socket that the kernel beside the target would find, by the
// address that was bound.

import {
  type Address,
  type AgentLink,
  agentMessages,
  decode,
  E,
  LinkError,
  RemoteError,
} from "../../protocol-wasm/mod.ts";
import { fit, isLoopback, isWildcard } from "../net/fit.ts";
import type { BoundSocket } from "../net/platform.ts";
import { platform } from "../net/this_platform.ts";

const { holds, loopbacks, sockets } = await platform.network();

export type Protocol = "tcp" | "udp";

/** Sockets bound elsewhere than asked whose asked address can still be looked up. */
const rememberedBinds = 1024;
/** Addresses of which it is remembered whether they are the target's, and for how long. */
const rememberedAddresses = 1024;
const addressMs = 10_000;
/** How long a list of sockets is new: one question takes no longer. */
const listedMs = 2;

export interface OwnSocketsOptions {
  /** null = targetless: no address is the target's. */
  agent: AgentLink | null;
  /** The processes of the app. */
  pids: () => Iterable<number>;
  /** Is a listener of the app known to be at that place? */
  listens: (actual: Address) => boolean;
}

export class OwnSockets {
  readonly #agent: AgentLink | null;
  readonly #pids: () => Iterable<number>;
  readonly #listens: (actual: Address) => boolean;
  /** The asked address by the actual one. */
  readonly #bound = { tcp: new Map<string, Address>(), udp: new Map<string, Address>() };
  /** The names of the app's ends of connections to itself, by the real ones. */
  readonly #looped = { tcp: new Map<string, Address>(), udp: new Map<string, Address>() };
  readonly #addresses = new Map<string, { own: boolean; until: number }>();
  #listed: { protocol: Protocol; all: BoundSocket[]; at: number } = {
    protocol: "tcp",
    all: [],
    at: -Infinity,
  };

  constructor({ agent, pids, listens }: OwnSocketsOptions) {
    this.#agent = agent;
    this.#pids = pids;
    this.#listens = listens;
  }

  /** A socket was bound elsewhere than asked, or where it asked. */
  bound(asked: Address, actual: Address, protocol: Protocol): void {
    const known = this.#bound[protocol];
    known.delete(key(actual));
    if (key(asked) === key(actual)) return;
    known.set(key(actual), asked);
    forgetOldest(known, rememberedBinds);
  }

  /**
   * A socket of the app, really at `actual`, speaks to another one of it by an address of the target's, where
   * it is `name`.
   */
  looped(name: Address, actual: Address, protocol: Protocol): void {
    const known = this.#looped[protocol];
    known.delete(key(actual));
    known.set(key(actual), name);
    forgetOldest(known, rememberedBinds);
  }

  /**
   * What the app is to see of its other end at `actual`, if that speaks to it by an address of the target's.
   */
  nameOf(actual: Address, protocol: Protocol): Address | null {
    return this.#looped[protocol].get(key(actual)) ?? null;
  }

  /**
   * What the app asked for when it bound the socket that is really at `actual`; null when that is no other
   * address.
   */
  asked(actual: Address, protocol: Protocol): Address | null {
    return this.#bound[protocol].get(key(actual)) ?? null;
  }

  /**
   * What the app is to see of a connection that it accepted from `peer`, which no client of the target's
   * made.
   */
  accepted(listener: Address, peer: Address): { known: boolean; peer: Address; local: Address } {
    const asked = this.asked(listener, "tcp") ?? listener;
    const name = this.nameOf(peer, "tcp");
    if (name !== null) return { known: true, peer: name, local: { address: name.address, port: asked.port } };
    // A client that bound an address of the target's and asked by loopback: the place of that address here is
    // not to be seen.
    const bound = peer.address === loopbackOf(peer.address) ? null : this.asked(peer, "tcp");
    if (bound === null) return { known: false, peer, local: listener };
    const address = isWildcard(asked.address) ? loopbackOf(peer.address) : asked.address;
    return { known: true, peer: bound, local: { address, port: asked.port } };
  }

  /** Where this machine binds what the app binds to `address`; null when that is none of the target's own. */
  async place({ address, port }: Address, protocol: Protocol): Promise<Address | null> {
    if (isLoopback(address) || isWildcard(address)) {
      const taken = protocol === "udp" && this.asked({ address, port }, protocol) !== null;
      return { address, port: taken ? 0 : port };
    }
    return await this.#isOwn(address, true) ? { address: placeOf(address), port } : null;
  }

  /**
   * Is `address` one of the target's own? `otherwise` is for an agent of an older release, which cannot
   * answer.
   */
  async #isOwn(address: string, otherwise: boolean): Promise<boolean> {
    const known = this.#addresses.get(address);
    if (known !== undefined && known.until > performance.now()) return known.own;
    const own = await this.#ask(address, otherwise);
    this.#addresses.delete(address);
    this.#addresses.set(address, { own, until: performance.now() + addressMs });
    forgetOldest(this.#addresses, rememberedAddresses);
    return own;
  }

  /** Where the app's own socket is that gets what is sent to `destination`; null without one. */
  async find({ address, port }: Address, protocol: Protocol): Promise<Address | null> {
    const wanted = isWildcard(address) ? loopbackOf(address) : address;
    if (this.#isForeign(wanted)) return null;
    const all = sockets(protocol);
    this.#listed = { protocol, all, at: performance.now() };
    const here = all.map((actual) => ({
      actual,
      asked: this.asked(actual, protocol) ?? this.nameOf(actual, protocol) ?? actual,
    }));
    const fitting = here.filter(({ asked }) => asked.port === port)
      .map(({ actual, asked }) => ({ actual, asked, rank: fit({ ...asked, only6: actual.only6 }, wanted) }))
      .filter(({ rank }) => rank > 0).sort((a, b) => b.rank - a.rank);
    for (const { actual, asked } of fitting) {
      const known = protocol === "tcp" && this.#listens(actual);
      if (!known && !holds(this.#pids(), actual.inode)) continue;
      const own = isLoopback(wanted) || asked.address === wanted || await this.#isOwn(wanted, false);
      return own ? { address: reachedAt(actual.address, wanted), port: actual.port } : null;
    }
    return null;
  }

  /** This machine's sockets, for a caller right after `find`: they are listed once for a question. */
  listed(protocol: Protocol): BoundSocket[] {
    const { protocol: one, all, at } = this.#listed;
    return one === protocol && performance.now() - at < listedMs ? all : sockets(protocol);
  }

  /**
   * Is `address` known to be none of the target's own? When that is not known, it is asked meanwhile: the
   * next one need not look.
   */
  #isForeign(address: string): boolean {
    if (isLoopback(address)) return false;
    const known = this.#addresses.get(address);
    if (known !== undefined && known.until > performance.now()) return !known.own;
    this.#isOwn(address, false).catch(() => {}); // a caller that needs it asks again, and gets the error
    return false;
  }

  async #ask(address: string, otherwise: boolean): Promise<boolean> {
    const agent = this.#agent;
    if (agent === null) return false;
    if (agent.version < agentMessages.held.since) return otherwise;
    try {
      const [frame] = await agent.request("held", { address: { address, port: 0 } });
      if (frame === undefined) {
        throw new LinkError("Cannot ask whose address it is: the agent's answer is empty");
      }
      return decode(agentMessages.heldReply, frame.body).own;
    } catch (error) {
      throw error instanceof LinkError ? new RemoteError(E.EIO, error.message) : error;
    }
  }
}

function key({ address, port }: Address): string {
  return `${address} ${port}`;
}

function forgetOldest(known: Map<string, unknown>, limit: number): void {
  const [oldest] = known.keys();
  if (known.size > limit && oldest !== undefined) known.delete(oldest);
}

function loopbackOf(address: string): string {
  return address.includes(":") ? "::1" : "127.0.0.1";
}

/**
 * 10.1.2.3 is 127.1.2.3 here; the net of 127.0.0.1 is left to what is really bound there. Where there is but
 * one loopback address, two of the target's share it.
 */
function placeOf(address: string): string {
  if (address.includes(":")) return "::1";
  if (loopbacks === "one") return "127.0.0.1";
  const [, second = "", third = "", fourth = ""] = address.split(".");
  return `127.${second === "0" ? "255" : second}.${third}.${fourth}`;
}

/** Where a socket bound to `actual` is met by what is for `wanted`. */
function reachedAt(actual: string, wanted: string): string {
  if (!isWildcard(actual)) return actual;
  return isLoopback(wanted) ? wanted : loopbackOf(wanted);
}
