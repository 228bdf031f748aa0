// A name to addresses and an address to names, by the sources that the target's nsswitch.conf lists. Called
// by dns.ts. Follows glibc's getaddrinfo(3) and gethostbyname(3) step by step: the app must find the same
// hosts as a program in the pod, in the same order, or fail in the same way.

import { formatIp } from "../../protocol-wasm/mod.ts";
import { addressBytes } from "../../core/net/address.ts";
import { type Answer, type Ending, ending, missing, type Named } from "./answer.ts";
import { sortDestinations, usableFamilies } from "./destinations.ts";
import type { Exchanger } from "./exchange.ts";
import { hostsOfAny, hostsOfFamily, namesOfAddress } from "./hosts.ts";
import { type DnsRecord, isHostName, recordType, type Reply, sameName } from "../../core/net/dns_message.ts";
import type { Outcome, Source } from "./resolv_conf.ts";
import { search, type Searched, searchNothing } from "./search.ts";
import type { Settings } from "./settings.ts";
import { AddressList } from "../sys/address_list.ts";

export type Family = 4 | 6;

/** How getaddrinfo was asked; the flags are those of <netdb.h>. */
export interface AddressQuestion {
  name: string;
  /** 0: both. */
  family: 0 | Family;
  addrConfig: boolean;
  v4Mapped: boolean;
  all: boolean;
  canonName: boolean;
}

/** What one source said. */
interface Said {
  outcome: Outcome;
  answer: Answer;
}

const absent: Said = { outcome: "notfound", answer: missing(ending.notFound) };
/** CNAMEs followed in one answer. */
const mostAliases = 32;

export class Lookup implements Disposable {
  readonly #addresses = new AddressList();
  readonly #settings: Settings;
  readonly #exchanger: Exchanger;

  constructor(settings: Settings, exchanger: Exchanger) {
    this.#settings = settings;
    this.#exchanger = exchanger;
  }

  [Symbol.dispose](): void {
    this.#addresses[Symbol.dispose]();
  }

  /** As getaddrinfo(3): sorted addresses; `name` is the canonical one. */
  async addresses(question: AddressQuestion): Promise<Answer> {
    const { name } = question;
    const families = question.addrConfig ? usableFamilies(this.#addresses.now()) : { ipv4: true, ipv6: true };
    let { family } = question;
    if (family === 0 && families.ipv4 !== families.ipv6) family = families.ipv4 ? 4 : 6;
    else if ((family === 4 && !families.ipv4) || (family === 6 && !families.ipv6)) {
      return missing(ending.notFound);
    }
    const { answer, outcome } = await this.#bySources((source) =>
      family === 0 ? this.#both(source, name) : this.#ofKind(source, { ...question, family })
    );
    const { host } = answer;
    if (host === undefined) {
      return family === 4 && !question.canonName ? missing(plainEnding(answer.ending, outcome)) : answer;
    }
    const addresses = sortDestinations(host.addresses, () => this.#addresses.now());
    return { ending: ending.found, host: { ...host, addresses } };
  }

  /** As gethostbyname2(3): in the order of the source, with the host's other names. */
  async host(name: string, family: Family): Promise<Answer> {
    return (await this.#bySources((source) => this.#ofFamily(source, name, family))).answer;
  }

  /** As gethostbyaddr(3). */
  async names(address: string): Promise<Answer> {
    const bytes = addressBytes(address);
    const family = bytes.length === 4 ? 4 : 6;
    const { answer } = await this.#bySources(async (source) => {
      if (source.name === "files") return said(namesOfAddress(this.#settings.hosts(), address, family));
      if (source.name !== "dns") return unavailable;
      const conf = this.#settings.resolvConf();
      const asked = reverseName(bytes);
      return this.#judged(
        await searchNothing(asked, { types: [recordType.ptr] }, conf, this.#exchanger),
        (replies) => {
          const records = replies[0]?.answers ?? [];
          // The first alone: glibc makes no other names of further ones.
          const name = records.find(({ type, target }) => type === recordType.ptr && isHostName(target ?? ""))
            ?.target;
          return name === undefined ? null : { name, aliases: [], addresses: [address] };
        },
      );
    });
    return answer;
  }

  /** Asks source after source until the rule for an outcome is to stop. */
  async #bySources(ask: (source: Source) => Promise<Said>): Promise<Said> {
    let last = absent;
    for (const source of this.#settings.sources()) {
      last = await ask(source);
      if (source.stops.has(last.outcome)) break;
    }
    return last;
  }

  async #both(source: Source, name: string): Promise<Said> {
    if (source.name === "files") {
      return said(hostsOfAny(this.#settings.hosts(), name, this.#settings.multi()));
    }
    if (source.name !== "dns") return unavailable;
    const conf = this.#settings.resolvConf();
    const types = conf.noAaaa ? [recordType.a] : [recordType.a, recordType.aaaa];
    return this.#judged(await search(name, { types }, conf, this.#exchanger), (replies, asked) => {
      const hosts = replies.flatMap((reply, index) => {
        const host = reply === null ? null : hostOf(reply, asked, types[index] ?? 0);
        return host === null || host.addresses.length === 0 ? [] : [host];
      });
      const [first] = hosts;
      if (first === undefined) return null;
      return { ...first, addresses: hosts.flatMap(({ addresses }) => addresses) };
    });
  }

  /** One family, and with AI_V4MAPPED IPv4 in place of what IPv6 has not. */
  async #ofKind(source: Source, question: AddressQuestion & { family: Family }): Promise<Said> {
    const { name, family, v4Mapped, all } = question;
    const first = await this.#ofFamily(source, name, family);
    if (family === 4 || !v4Mapped || (first.answer.host !== undefined && !all)) return first;
    const second = await this.#ofFamily(source, name, 4);
    const hosts = [first.answer.host, second.answer.host].filter((host) => host !== undefined);
    const [host] = hosts;
    if (host !== undefined) {
      const addresses = hosts.flatMap(({ addresses }) => addresses);
      return said({ ...host, addresses });
    }
    const endings = [first.answer.ending, second.answer.ending];
    const known = (one: Ending) => one === ending.noAddress || one === ending.tryAgain;
    const why = endings.every((one) => one === ending.tryAgain)
      ? ending.tryAgain
      : endings.every(known)
      ? ending.noAddress
      : ending.notFound;
    return { outcome: first.outcome === "tryagain" ? first.outcome : second.outcome, answer: missing(why) };
  }

  async #ofFamily(source: Source, name: string, family: Family): Promise<Said> {
    if (source.name === "files") {
      return said(hostsOfFamily(this.#settings.hosts(), name, family, this.#settings.multi()));
    }
    if (source.name !== "dns") return unavailable;
    const conf = this.#settings.resolvConf();
    const type = family === 4 ? recordType.a : recordType.aaaa;
    if (family === 6 && conf.noAaaa) return { outcome: "notfound", answer: missing(ending.noAddress) };
    return this.#judged(await search(name, { types: [type] }, conf, this.#exchanger), (replies, asked) => {
      const host = replies[0] ? hostOf(replies[0], asked, type) : null;
      return host === null || host.addresses.length === 0 ? null : host;
    }, ending.noRecovery);
  }

  /**
   * What the name servers said; `read` gives null when the records lead to no host: that is `nowhere` then.
   */
  #judged(
    searched: Searched,
    read: (replies: (Reply | null)[], asked: string) => Named | null,
    nowhere: Exclude<Ending, 0> = ending.notFound,
  ): Said {
    if (searched.ending === ending.found) {
      const host = read(searched.replies, searched.asked);
      const outcome = nowhere === ending.noRecovery ? "tryagain" : "notfound";
      return host === null ? { outcome, answer: missing(nowhere) } : said(host);
    }
    return {
      outcome: searched.unavailable ? "unavail" : "notfound",
      answer: missing(searched.ending),
    };
  }
}

/**
 * A source that we know nothing of: systemd's, mDNS, LDAP. The pod's own programs would reach it by a socket
 * of theirs.
 */
const unavailable: Said = { outcome: "unavail", answer: missing(ending.notFound) };

/**
 * For IPv4 alone and no canonical name, getaddrinfo calls gethostbyname2_r, and distinguishes failures by
 * what that returns: nothing found, or not now.
 */
function plainEnding(how: Ending, outcome: Outcome): Exclude<Ending, 0> {
  if (outcome !== "notfound" && how === ending.tryAgain) return ending.tryAgain;
  return how === ending.noAddress || outcome === "tryagain" ? ending.noAddress : ending.notFound;
}

function said(host: Named | null): Said {
  return host === null ? absent : { outcome: "success", answer: { ending: ending.found, host } };
}

/** The addresses of `type` that `asked` has in a reply, CNAMEs followed. */
function hostOf(reply: Reply, asked: string, type: number): Named | null {
  let name = asked;
  const aliases: string[] = [];
  const addresses: string[] = [];
  for (const record of reply.answers) {
    if (!isHostName(record.name) || !sameName(record.name, name)) continue;
    if (record.type === recordType.cname && record.target !== undefined && aliases.length < mostAliases) {
      if (!isHostName(record.target)) continue;
      aliases.push(record.name);
      name = record.target;
    } else if (record.type === type) {
      const text = addressText(record);
      if (text !== null) addresses.push(text);
      if (addresses.length === 1) name = record.name;
    }
  }
  return { name, aliases, addresses };
}

function addressText({ address }: DnsRecord): string | null {
  return address === undefined ? null : formatIp(address.length === 4 ? 4 : 6, address);
}

/** The name that stands for an address (RFC 1035, 3.5; RFC 3596, 2.5). */
export function reverseName(bytes: Uint8Array): string {
  if (bytes.length === 4) return [...bytes].reverse().join(".") + ".in-addr.arpa";
  const digits = [...bytes].flatMap((byte) => [byte >> 4, byte & 15]).reverse();
  return digits.map((digit) => digit.toString(16)).join(".") + ".ip6.arpa";
}
