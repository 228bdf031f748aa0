// The target's resolv.conf and nsswitch.conf, as glibc reads them (resolv.conf(5), nsswitch.conf(5)). Called
// by settings.ts. Whatever they contain, the result can be used: what is not understood is ignored.

import { parseIp } from "../../protocol-wasm/mod.ts";

/** A name server; `scope` is the interface of a link-local one: its number, or its name. */
export interface NameServer {
  address: string;
  scope?: string;
}

/** The settings of resolv.conf. */
export interface ResolvConf {
  servers: NameServer[];
  search: string[];
  ndots: number;
  timeoutSeconds: number;
  attempts: number;
  rotate: boolean;
  useTcp: boolean;
  /** Never two questions at a time. */
  single: boolean;
  /** Each question from a socket of its own. */
  singleReopen: boolean;
  useEdns: boolean;
  /** A name without a dot is not asked for as it is. */
  noTldQuery: boolean;
  /** No question for an IPv6 address. */
  noAaaa: boolean;
  /** The servers' flag that a reply is authentic is asked for and trusted. */
  trustAd: boolean;
}

const mostServers = 3;
const most = { ndots: 15, timeoutSeconds: 30, attempts: 5 } as const;

/** `hostname` gives the search domain when the file names none. */
export function parseResolvConf(text: string, hostname: string): ResolvConf {
  const conf: ResolvConf = {
    servers: [],
    search: [],
    ndots: 1,
    timeoutSeconds: 5,
    attempts: 2,
    rotate: false,
    useTcp: false,
    single: false,
    singleReopen: false,
    useEdns: false,
    noTldQuery: false,
    noAaaa: false,
    trustAd: false,
  };
  let search: string[] | null = null;
  for (const line of text.split("\n")) {
    const [, keyword = "", rest = ""] = /^([a-z]+)[ \t]+(.*)$/.exec(line) ?? [];
    const words = rest.split(/[ \t]+/).filter(Boolean);
    const [first = ""] = words;
    if (keyword === "nameserver") addServer(conf.servers, first);
    else if (keyword === "search") search = words;
    else if (keyword === "domain" && first !== "") search = [first];
    else if (keyword === "options") words.forEach((word) => takeOption(conf, word));
  }
  if (conf.servers.length === 0) conf.servers.push({ address: "127.0.0.1" });
  const dot = hostname.indexOf(".");
  conf.search = search ?? (dot < 0 ? [] : [hostname.slice(dot + 1)]);
  return conf;
}

function addServer(servers: NameServer[], word: string): void {
  if (servers.length >= mostServers) return;
  const [address = "", scope] = word.split("%");
  const ip = parseIp(address);
  if (ip === null || ip.family === 0) return;
  servers.push(scope === undefined ? { address } : { address, scope });
}

function takeOption(conf: ResolvConf, word: string): void {
  const [name, value = ""] = word.split(":");
  const number = /^\d+/.test(value) ? parseInt(value, 10) : 0;
  if (name === "ndots") conf.ndots = Math.min(number, most.ndots);
  else if (name === "timeout") conf.timeoutSeconds = Math.min(number, most.timeoutSeconds);
  else if (name === "attempts") conf.attempts = Math.min(number, most.attempts);
  else if (name === "rotate") conf.rotate = true;
  else if (name === "use-vc") conf.useTcp = true;
  else if (name === "single-request") conf.single = true;
  else if (name === "single-request-reopen") conf.single = conf.singleReopen = true;
  else if (name === "edns0") conf.useEdns = true;
  else if (name === "no-tld-query") conf.noTldQuery = true;
  else if (name === "no-aaaa") conf.noAaaa = true;
  else if (name === "trust-ad") conf.trustAd = true;
}

/** How a source of names ended. */
export type Outcome = "success" | "notfound" | "unavail" | "tryagain";

/** One source of names, and after which outcomes the next is not asked. */
export interface Source {
  name: string;
  stops: ReadonlySet<Outcome>;
}

const outcomes: readonly Outcome[] = ["success", "notfound", "unavail", "tryagain"];

/** The sources of the `hosts` line; where there is none, "files dns" as glibc since 2.34. */
export function parseNsswitch(text: string): Source[] {
  const lines = text.split("\n").map((line) => line.replace(/#.*$/, ""));
  const line = lines.map((one) => /^\s*hosts\s*:(.*)$/.exec(one)?.[1]).find((one) => one !== undefined);
  const sources: { name: string; stops: Set<Outcome> }[] = [];
  for (const [, actions, name] of (line ?? "files dns").matchAll(/\[([^\]]*)\]|([^\s[\]]+)/g)) {
    if (name !== undefined) sources.push({ name, stops: new Set(["success"]) });
    else sources.at(-1)?.stops && takeActions(sources.at(-1)?.stops ?? new Set(), actions ?? "");
  }
  return sources;
}

/** `NOTFOUND=return !UNAVAIL=return` and the like. */
function takeActions(stops: Set<Outcome>, text: string): void {
  for (const [, not, name, action] of text.toLowerCase().matchAll(/(!?)\s*([a-z]+)\s*=\s*([a-z]+)/g)) {
    for (const outcome of outcomes) {
      if ((outcome === name) === (not === "!")) continue;
      if (action === "return") stops.add(outcome);
      else stops.delete(outcome);
    }
  }
}
