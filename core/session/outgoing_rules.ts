// Which way an outgoing connection goes: the config's rules and the loopback's. Asked by outgoing.ts for
// every connect. Invariant: a connection to the app itself, or to its debugger, stays here. Everything else
// on loopback goes to the target's loopback, except ports that a program of this machine serves and the
// target does not.

import { type Address, compileRules, type Rules } from "../../protocol-wasm/mod.ts";
import type { OutgoingConfig } from "../config/config.ts";
import type { Details } from "./details.ts";
import type { Emit } from "./events.ts";
import { addressText } from "../net/address.ts";
import { SideRules } from "./side_rule.ts";

/** "remote": the target's network; otherwise where on this machine. */
export type Way = "remote" | Address;

/** Where name servers answer (RFC 1035, section 4.2). */
const domainPort = 53;

export interface OutgoingSurroundings {
  /** Names are the target's: so are the datagrams by which an app asks for them itself. */
  names: boolean;
  /** The names that the app looked up and found `address` by; newest first or in any order. */
  namesOf(address: string): Iterable<string>;
  /**
   * Where a socket of the app's own really is that gets what is sent to `destination`; null when the app has
   * none.
   */
  ownSocket(destination: Address, protocol: "tcp" | "udp"): Promise<Address | null>;
  /** The debugger that process `pid` dials there; null: it is none. */
  dialsDebugger(pid: number, destination: Address): string | null;
  /** Is `port` one that the developer's editor calls a debugger's? */
  isDebuggers(port: number): boolean;
  /**
   * The sockets of this machine and of the target that get what is sent to `destination`, a loopback address;
   * null: not known.
   */
  servers(destination: Address, protocol: "tcp" | "udp"): Promise<Servers | null>;
  /** A TCP connection goes to a port of this machine's own loopback, where no socket of the app's is. */
  staysHere?(port: number): void;
  emit: Emit;
  /** Takes each decision, while somebody watches. */
  details?: Details;
}

/** A decision, and why it was made. */
interface Judged {
  way: Way;
  why: string;
}

const key = "feature.network.outgoing";

/**
 * Which sides serve an address: this machine, the target, and whether the two are one socket (a target in
 * this network).
 */
export interface Servers {
  here: boolean;
  there: boolean;
  same: boolean;
}

export class OutgoingRules {
  readonly #told = new Set<string>();
  readonly #config: OutgoingConfig;
  readonly #around: OutgoingSurroundings;
  readonly #rules: Rules | null;
  readonly #sides: SideRules;

  constructor(config: OutgoingConfig, around: OutgoingSurroundings) {
    this.#config = config;
    this.#around = around;
    this.#rules = config.filter === null ? null : compileRules(config.filter.rules);
    this.#sides = new SideRules(config.filter, `${key}.filter`);
  }

  /** Which way process `pid` gets to `destination`. */
  async decide(destination: Address, protocol: "tcp" | "udp", pid: number): Promise<Way> {
    const { way, why } = await this.#judge(destination, protocol, pid);
    const { details, namesOf } = this.#around;
    if (details?.isWatched === true) {
      const [peer, names] = [addressText(destination), [...namesOf(destination.address)]];
      const whose = way === "remote" ? "target" : "machine";
      details.tell({ type: "connection", protocol, peer, names, whose, why, pid });
    }
    return way;
  }

  async #judge(destination: Address, protocol: "tcp" | "udp", pid: number): Promise<Judged> {
    const here = (why: string): Judged => ({ way: destination, why });
    if (!this.#carries(destination, protocol)) return here(`${key}.${protocol} is off`);
    if (destination.port === 0) return here("port 0 is nobody's");
    if (staysHere(destination.address)) return here("multicast, broadcast and link-local stay here");
    const own = await this.#around.ownSocket(destination, protocol);
    if (own !== null) return { way: own, why: "a socket of the app itself is there" };
    const name = protocol === "tcp" ? this.#around.dialsDebugger(pid, destination) : null;
    if (name !== null) {
      this.#tell(destination, "debugger", name);
      return here(`it is the debugger ${name}`);
    }
    const ownHost = isOwnHost(destination.address);
    const ignored = ownHost && this.#config.ignoreLocalhost;
    const isTargets = !ignored && this.#matchesSide(destination, protocol);
    const isHelpers = isTargets && ownHost && await this.#isHelper(destination, protocol);
    if (isTargets && !isHelpers) return { way: "remote", why: this.#sideOf(destination, protocol) };
    if (ownHost && protocol === "tcp") this.#around.staysHere?.(destination.port);
    if (isHelpers) return here("this machine serves it, and the target does not, or a debugger is there");
    return here(ignored ? `${key}.ignore_localhost` : this.#sideOf(destination, protocol));
  }

  /** The rule, for those who watch. */
  #sideOf({ address, port }: Address, protocol: "tcp" | "udp"): string {
    if (this.#around.details?.isWatched !== true) return "";
    const hosts = [...this.#around.namesOf(address)].map((host) => ({ host, address, port }));
    return this.#sides.of([{ address, port }, ...hosts], [protocol]).why;
  }

  /**
   * Is loopback's `destination` served by this machine alone, or for a debugger? Where both serve it the
   * target gets it, and that is reported. A rule that names it for the target decides, and so do the target's
   * name servers: those are asked, not this machine's.
   */
  async #isHelper(destination: Address, protocol: "tcp" | "udp"): Promise<boolean> {
    const { port } = destination;
    if (this.#config.filter?.side === "remote" || (port === domainPort && this.#around.names)) return false;
    const servers = await this.#around.servers(destination, protocol);
    if (servers === null || !servers.here || servers.same) return false;
    if (this.#around.isDebuggers(port)) {
      this.#tell(destination, "debugger");
      return true;
    }
    this.#tell(destination, servers.there ? "both" : "here");
    return !servers.there;
  }

  #tell(destination: Address, served: "here" | "both" | "debugger", name: string | null = null): void {
    const peer = addressText(destination);
    const subject = `${peer} ${served} ${name}`;
    if (this.#told.has(subject)) return;
    this.#told.add(subject);
    this.#around.emit({ type: "loopbackChosen", peer, served, debugger: name });
  }

  /**
   * Is it on at all? An app that asks name servers by itself has the target's, whether other datagrams go
   * there or not.
   */
  #carries({ port }: Address, protocol: "tcp" | "udp"): boolean {
    return this.#config[protocol] || (protocol === "udp" && port === domainPort && this.#around.names);
  }

  /** Does the filter, if any, let it go to the target? */
  #matchesSide({ address, port }: Address, protocol: "tcp" | "udp"): boolean {
    const rules = this.#rules;
    if (rules === null) return true;
    const hosts = [undefined, ...this.#around.namesOf(address)];
    const matches = hosts.some((host) =>
      rules.matches({ address, port, protocol, ...(host === undefined ? {} : { host }) })
    );
    return matches === (this.#config.filter?.side === "remote");
  }
}

/** Loopback, or the unspecified address, which connect(2) takes for it (ip(7), INADDR_ANY). */
function isOwnHost(address: string): boolean {
  return address.startsWith("127.") || ["::1", "0.0.0.0", "::"].includes(address);
}

/**
 * Multicast, broadcast and link-local IPv6 (RFC 4291, RFC 5771) mean the network that a machine stands in.
 */
export function staysHere(address: string): boolean {
  if (address.includes(":")) return /^(ff|fe[89ab])/i.test(address);
  const first = Number(address.split(".")[0]);
  return (first >= 224 && first < 240) || address === "255.255.255.255";
}
