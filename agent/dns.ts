// Names for a client: answers the section "dns" of its requests with what a program beside the target would
// get. Made by client.ts. The look-up itself is dns/lookup.ts. Nothing is remembered between two requests but
// the target's files, and those only until they change: an answer is never older than its question.

import {
  type AgentFrame,
  type AgentLink,
  agentMessages,
  decode,
  lookupFlags,
  packAddresses,
  resolveFlags,
} from "../protocol-wasm/mod.ts";
import type { Floor } from "./floor.ts";
import { Failure } from "./failure.ts";
import type { Answer } from "./dns/answer.ts";
import { Exchanger } from "./dns/exchange.ts";
import { Lookup } from "./dns/lookup.ts";
import { type OwnOptions, resolve, send } from "./dns/resolve.ts";
import { Settings } from "./dns/settings.ts";
import { E } from "./sys/libc.ts";
import type { TargetProcess } from "./sys/proc.ts";
import { TargetPlace } from "./sys/target_place.ts";

/** Requests that may be under way; each costs up to two sockets. */
const mostRequests = 512;
/** The length before a DNS message has two bytes (RFC 1035, 4.2.2). */
const longestMessage = 65535;

export class Dns implements Floor {
  readonly kinds = ["lookup", "reverse", "hostName", "resolve"] as const;
  readonly #link: AgentLink;
  readonly #settings: Settings;
  readonly #lookup: Lookup;
  readonly #exchanger = new Exchanger();
  readonly #target: TargetPlace;
  #requests = 0;

  constructor(link: AgentLink, target: TargetProcess) {
    this.#link = link;
    this.#target = new TargetPlace(target);
    this.#settings = new Settings(this.#target);
    this.#lookup = new Lookup(this.#settings, this.#exchanger);
  }

  async answer(frame: AgentFrame): Promise<void> {
    if (this.#requests >= mostRequests) {
      throw new Failure(E.EAGAIN, `Cannot look up more than ${mostRequests} names at a time`);
    }
    this.#requests++;
    try {
      this.#target.look();
      if (frame.name === "lookup") await this.#addresses(frame);
      else if (frame.name === "reverse") await this.#names(frame);
      else if (frame.name === "resolve") await this.#resolve(frame);
      else await this.#hostName(frame);
    } finally {
      this.#requests--;
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#exchanger[Symbol.dispose]();
    this.#lookup[Symbol.dispose]();
    this.#target[Symbol.dispose]();
    return Promise.resolve();
  }

  async #addresses(frame: AgentFrame): Promise<void> {
    const { name, family, flags } = decode(agentMessages.lookup, frame.body);
    const sorted = (flags & lookupFlags.sorted) !== 0;
    if (family !== 4 && family !== 6 && (family !== 0 || !sorted)) {
      throw new Failure(E.EINVAL, `Cannot look up a name in address family ${family}`);
    }
    let answer: Answer;
    if (!sorted && family !== 0) answer = await this.#lookup.host(name, family);
    else {
      answer = await this.#lookup.addresses({
        name,
        family,
        addrConfig: (flags & lookupFlags.addrConfig) !== 0,
        v4Mapped: (flags & lookupFlags.v4Mapped) !== 0,
        all: (flags & lookupFlags.all) !== 0,
        canonName: (flags & lookupFlags.canonName) !== 0,
      });
    }
    const { ending, host } = answer;
    await this.#link.reply(frame, "lookupReply", {
      ending,
      name: host?.name ?? "",
      aliases: zeroEnded(host?.aliases ?? []),
      addresses: packAddresses(host?.addresses ?? []),
    });
  }

  async #names(frame: AgentFrame): Promise<void> {
    const { address } = decode(agentMessages.reverse, frame.body);
    if (address.address === "") throw new Failure(E.EINVAL, "Cannot look up the names of no address");
    const { ending, host } = await this.#lookup.names(address.address);
    const aliases = zeroEnded(host?.aliases ?? []);
    await this.#link.reply(frame, "reverseReply", { ending, name: host?.name ?? "", aliases });
  }

  async #hostName(frame: AgentFrame): Promise<void> {
    const name = this.#settings.hostName();
    const search = this.#settings.resolvConf().search.join("\n");
    await this.#link.reply(frame, "hostNameReply", { name, search });
  }

  async #resolve(frame: AgentFrame): Promise<void> {
    const { flags, query, ...question } = decode(agentMessages.resolve, frame.body);
    if (query.length > longestMessage) throw new Failure(E.EMSGSIZE, "Cannot send a query that long");
    const conf = this.#settings.resolvConf();
    const own = ownOptions(flags);
    const search = (flags & resolveFlags.search) !== 0;
    const resolved = query.length > 0
      ? await send(Uint8Array.from(query), own, conf, this.#exchanger)
      : await resolve({ ...question, search }, own, conf, this.#exchanger);
    const { ending, refused, byTcp, reply } = resolved;
    const errno = refused === null ? 0 : refused ? E.ECONNREFUSED : E.ETIMEDOUT;
    await this.#link.reply(frame, "resolveReply", { ending, errno, stream: byTcp, reply });
  }
}

function ownOptions(flags: number): OwnOptions {
  const has = (flag: number) => (flags & flag) !== 0;
  return {
    useTcp: has(resolveFlags.useTcp),
    ignoreTruncation: has(resolveFlags.ignoreTruncation),
    edns: has(resolveFlags.edns),
    dnssec: has(resolveFlags.dnssec),
    trustAd: has(resolveFlags.trustAd),
    noRecursion: has(resolveFlags.noRecursion),
    noDefaultDomain: has(resolveFlags.noDefaultDomain),
    noSearchList: has(resolveFlags.noSearchList),
  };
}

function zeroEnded(names: readonly string[]): string {
  return names.map((name) => `${name}\0`).join("");
}
