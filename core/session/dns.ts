// Names of hosts for every process of the app: which look-up goes to the target, and its answer. A floor of
// session.ts. The agent looks names up as a program beside the target would; what the filter leaves here is
// libc's. It also remembers which names led to which address, for rules that are written over names. There is
// no cache: an answer is shared only by questions that came while it was on its way.

import { domainToASCII } from "node:url";
import { byteText, textBytes } from "../net/byte_text.ts";
import { addressesIn, questionOf } from "../net/dns_message.ts";
import {
  type AgentLink,
  agentMessages,
  type Body,
  compileRules,
  decode,
  formatIp,
  type LayerFrame,
  type LayerLink,
  layerMessages,
  lookupFlags,
  resolveFlags,
  type Rules,
  unpackAddresses,
} from "../../protocol-wasm/mod.ts";
import type { DnsConfig } from "../config/config.ts";
import type { Details } from "./details.ts";
import type { Emit } from "./events.ts";
import type { AppProcess, Floor, Question } from "./floor.ts";
import { KnownNames } from "./known_names.ts";
import { SharedAnswers } from "./shared_answers.ts";
import { SideRules } from "./side_rule.ts";
import { type LookedUp, lookUp, tryAgain, unlessBusy } from "./target_network.ts";

const nothing = new Uint8Array();
const noReply = { pending: false, local: false, ending: tryAgain, errno: 0, stream: false, reply: nothing };
const noHost = { pending: false, local: false, ending: 0, name: nothing, aliases: nothing };

type Answer = LookedUp;
type Resolved = Body<typeof agentMessages.resolveReply>;
/** `details` takes each decision, while somebody watches. */
interface DnsOptions {
  config: DnsConfig;
  emit: Emit;
  details?: Details;
}

type Host = { name: string; search: string[] };

export class Dns implements Floor {
  readonly kinds = ["lookup", "reverse", "hostName", "found", "resolve", "resolved"] as const;
  readonly known: KnownNames = new KnownNames();
  readonly #agent: AgentLink;
  readonly #config: DnsConfig;
  readonly #emit: Emit;
  readonly #rules: Rules | null;
  readonly #answers = new SharedAnswers<Answer>();
  readonly #replies = new SharedAnswers<Resolved>();
  readonly #sides: SideRules;
  readonly #details: Details | undefined;
  #isOldSaid = false;
  #host: Promise<Host> | null = null;

  constructor(agent: AgentLink, { config, emit, details }: DnsOptions) {
    this.#agent = agent;
    this.#emit = emit;
    this.#config = config;
    this.#rules = config.filter === null ? null : compileRules(config.filter.rules);
    this.#sides = new SideRules(config.filter, "feature.network.dns.filter");
    this.#details = details;
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#rules?.[Symbol.dispose]();
    this.#answers[Symbol.dispose]();
    this.#replies[Symbol.dispose]();
    return Promise.resolve();
  }

  async answer(question: Question): Promise<void> {
    const { link, frame } = question;
    if (frame.name === "lookup") await this.#lookup(question);
    else if (frame.name === "reverse") await this.#reverse(question);
    else if (frame.name === "hostName") await this.#hostName(link, frame);
    else if (frame.name === "resolve") await this.#resolve(question);
    else if (frame.name === "resolved") {
      const { name, reply } = decode(layerMessages.resolved, frame.body);
      this.#learn(byteText(name), reply);
      await link.reply(frame, "resolvedReply", {});
    } else {
      const { name, addresses } = decode(layerMessages.found, frame.body);
      this.known.add([byteText(name)], unpackAddresses(addresses));
      await link.reply(frame, "foundReply", {});
    }
  }

  async #lookup({ link, frame, process }: Question): Promise<void> {
    const { again, name, family, flags, port } = decode(layerMessages.lookup, frame.body);
    const written = hostText(name, (flags & lookupFlags.idn) !== 0);
    const reply = (found: Partial<Body<typeof layerMessages.lookupReply>>) =>
      link.reply(frame, "lookupReply", { ...noHost, addresses: nothing, ...found });
    if (!await this.#isRemote(written, { port, process })) return await reply({ local: true });
    const key = `lookup ${family} ${flags} ${written}`;
    const answer = await this.#answers.ask(
      { key, process, again },
      () => lookUp(this.#agent, { name: written, family, flags: flags & ~lookupFlags.idn }),
    );
    if (answer === null) return await reply({ pending: true });
    const { ending, addresses } = answer;
    if (ending === 0) this.known.add([written, answer.name], unpackAddresses(addresses));
    await reply({ ending, name: textBytes(answer.name), aliases: textBytes(answer.aliases), addresses });
  }

  async #reverse({ link, frame, process }: Question): Promise<void> {
    const { again, address } = decode(layerMessages.reverse, frame.body);
    const reply = (found: Partial<Body<typeof layerMessages.reverseReply>>) =>
      link.reply(frame, "reverseReply", { ...noHost, ...found });
    if (!this.#isRemoteAddress(address.address)) return await reply({ local: true });
    const key = `reverse ${address.address}`;
    const answer = await this.#answers.ask({ key, process, again }, async () => {
      const [frame] = await unlessBusy(this.#agent.request("reverse", { address }));
      if (frame === undefined) return { ending: tryAgain, name: "", aliases: "", addresses: nothing };
      return { ...decode(agentMessages.reverseReply, frame.body), addresses: nothing };
    });
    if (answer === null) return await reply({ pending: true });
    const { ending, name, aliases } = answer;
    await reply({ ending, name: textBytes(name), aliases: textBytes(aliases) });
  }

  async #hostName(link: LayerLink, frame: LayerFrame): Promise<void> {
    const local = !this.#config.hostname;
    const name = local ? "" : (await this.#target()).name;
    await link.reply(frame, "hostNameReply", { local, name: textBytes(name) });
  }

  async #resolve({ link, frame, process }: Question): Promise<void> {
    const { again, name, query, ...rest } = decode(layerMessages.resolve, frame.body);
    const isQuery = query.length > 0;
    const written = isQuery ? questionOf(query)?.name ?? "" : byteText(name);
    const searches = (rest.flags & resolveFlags.search) !== 0;
    const reply = (found: Partial<Body<typeof layerMessages.resolveReply>>) =>
      link.reply(frame, "resolveReply", { ...noReply, ...found });
    if (!await this.#isRemote(written, { port: 0, process, searches })) return await reply({ local: true });
    const asked = { ...rest, name: isQuery ? "" : written, query };
    const key = `${Object.values(rest).join(" ")} ${asked.name} ${byteText(query)}`;
    const answer = await this.#replies.ask({ key, process, again }, () => this.#requestReply(asked));
    if (answer === null) return await reply({ pending: true });
    if (answer.ending === 0) this.#learn(isQuery ? "" : written, answer.reply);
    await reply(answer);
  }

  async #requestReply(asked: Body<typeof agentMessages.resolve>): Promise<Resolved> {
    if (this.#agent.version < agentMessages.resolve.since) {
      if (!this.#isOldSaid) this.#emit({ type: "agentTooOld", lacks: "res_query" });
      this.#isOldSaid = true;
      return noReply;
    }
    const [frame] = await unlessBusy(this.#agent.request("resolve", asked));
    return frame === undefined ? noReply : decode(agentMessages.resolveReply, frame.body);
  }

  /** Rules over names are about the addresses in a reply too; `written`: the name as the app wrote it. */
  #learn(written: string, reply: Uint8Array): void {
    const asked = questionOf(reply)?.name;
    for (const { name, address } of addressesIn(reply)) {
      const text = formatIp(address.length === 4 ? 4 : 6, address);
      if (text) this.known.add(name === asked ? [written, name] : [name], [text]);
    }
  }

  /** The target's name and search domains: asked for once. */
  #target(): Promise<Host> {
    const asked = this.#host ?? this.#agent.request("hostName", {}).then(([frame]) => {
      const { name, search } = decode(agentMessages.hostNameReply, frame?.body ?? new Uint8Array());
      return { name, search: search.split("\n").filter(Boolean) };
    });
    this.#host = asked;
    asked.catch(() => this.#host = null);
    return asked;
  }

  /**
   * Whether the target looks `written` up. A rule may name the host as the app writes it, or whole, as the
   * target's search domains make it, unless it is looked up as it is.
   */
  async #isRemote(
    written: string,
    { port, process, searches = true }: { port: number; process: AppProcess; searches?: boolean },
  ): Promise<boolean> {
    const { enabled, filter, hostname } = this.#config;
    const tell = (remote: boolean, why: () => string): boolean => {
      if (this.#details?.isWatched !== true) return remote;
      const whose = remote ? "target" : "machine";
      this.#details.tell({ type: "name", name: written, whose, why: why(), pid: process.pid });
      return remote;
    };
    if (!enabled) return tell(false, () => "feature.network.dns is off");
    // The app knows this machine's name only when it was not given the target's: that name can be resolved
    // here alone.
    if (!hostname && written.toLowerCase() === Deno.hostname().toLowerCase()) {
      return tell(false, () => "it is this machine's own name");
    }
    const reason = (forms: string[]) =>
      this.#sides.of(forms.map((host) => ({ host, port })), ["tcp", "udp"]).why;
    if (filter === null) return tell(true, () => reason([]));
    const forms = [written];
    if (searches && !written.endsWith(".")) {
      const { search } = await this.#target();
      forms.push(...search.map((domain) => `${written}.${domain.replace(/^\./, "")}`));
    }
    const remote = forms.some((host) => this.#matches({ host }, port)) === (filter.side === "remote");
    return tell(remote, () => reason(forms));
  }

  #isRemoteAddress(address: string): boolean {
    const { enabled, filter } = this.#config;
    if (!enabled || filter === null) return enabled;
    const isNamed = this.known.of(address).some((host) => this.#matches({ host }, 0));
    return (isNamed || this.#matches({ address }, 0)) === (filter.side === "remote");
  }

  #matches(what: { host: string } | { address: string }, port: number): boolean {
    const protocols = ["tcp", "udp"] as const;
    return protocols.some((protocol) => this.#rules?.matches({ ...what, port, protocol }) ?? false);
  }
}

/**
 * The app's environment with Go's own resolver off: it reads this machine's files and asks by itself, past
 * every rule over names (Go's net package, "Name Resolution"). A resolver that the developer chose stays.
 */
export function libcResolves(env: Record<string, string>): Record<string, string> {
  const settings = (env["GODEBUG"] ?? "").split(",").filter(Boolean);
  if (settings.some((setting) => setting.startsWith("netdns="))) return env;
  return { ...env, GODEBUG: [...settings, "netdns=cgo"].join(",") };
}

/**
 * The app's bytes as text: a character for each byte, but for international names that are to be converted
 * (RFC 3490).
 */
function hostText(bytes: Uint8Array, isInternational: boolean): string {
  const text = byteText(bytes);
  if (!isInternational || bytes.every((byte) => byte < 128)) return text;
  return domainToASCII(new TextDecoder().decode(bytes)) || text;
}
