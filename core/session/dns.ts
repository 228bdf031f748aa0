// Names of hosts for every process of the app: which look-up is the target's business, and its answer. A floor of
// session.ts. The agent looks names up as a program beside the target would; what the filter leaves here is libc's.
// It also remembers which names led to which address, for rules that are written over names. Nothing is answered from
// memory: an answer is shared only by those who asked while it was on its way.

import { domainToASCII } from "node:url";
import {
  agentMessages,
  type Body,
  compileRules,
  decode,
  layerMessages,
  lookupFlags,
  RemoteError,
  type Rules,
  unpackAddresses,
} from "../../protocol-wasm/mod.ts";
import type { DnsConfig } from "../config/config.ts";
import type { AgentLink, Floor, LayerFrame, LayerLink, Question } from "./floor.ts";
import { KnownNames } from "./known_names.ts";

const eagain = 11;
/** h_errno of "ask again later" (<netdb.h>). */
const tryAgain = 2;
const latin1 = new TextDecoder("latin1");

type Answer = Body<typeof agentMessages.lookupReply>;
type Host = { name: string; search: string[] };

export class Dns implements Floor {
  readonly kinds = ["lookup", "reverse", "hostName", "found"] as const;
  readonly known: KnownNames = new KnownNames();
  readonly #agent: AgentLink;
  readonly #config: DnsConfig;
  readonly #rules: Rules | null;
  /** Look-ups on their way, by what was asked. */
  readonly #asking = new Map<string, Promise<Answer>>();
  #host: Promise<Host> | null = null;

  constructor(agent: AgentLink, config: DnsConfig) {
    this.#agent = agent;
    this.#config = config;
    this.#rules = config.filter === null ? null : compileRules(config.filter.rules);
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#rules?.[Symbol.dispose]();
    return Promise.resolve();
  }

  async answer({ link, frame }: Question): Promise<void> {
    if (frame.name === "lookup") await this.#lookup(link, frame);
    else if (frame.name === "reverse") await this.#reverse(link, frame);
    else if (frame.name === "hostName") await this.#hostName(link, frame);
    else {
      const { name, addresses } = decode(layerMessages.found, frame.body);
      this.known.add([latin1.decode(name)], unpackAddresses(addresses));
      await link.reply(frame, "foundReply", {});
    }
  }

  async #lookup(link: LayerLink, frame: LayerFrame): Promise<void> {
    const { name, family, flags, port } = decode(layerMessages.lookup, frame.body);
    const written = hostText(name, (flags & lookupFlags.idn) !== 0);
    if (!await this.#isRemote(written, port)) {
      const none = new Uint8Array();
      const reply = { local: true, ending: 0, name: none, aliases: none, addresses: none };
      return await link.reply(frame, "lookupReply", reply);
    }
    const answer = await this.#ask(written, family, flags & ~lookupFlags.idn);
    if (answer.ending === 0) this.known.add([written, answer.name], unpackAddresses(answer.addresses));
    await link.reply(frame, "lookupReply", {
      local: false,
      ending: answer.ending,
      name: textBytes(answer.name),
      aliases: textBytes(answer.aliases),
      addresses: answer.addresses,
    });
  }

  /** One question to the agent, however many of the app's threads ask it at the same time. */
  async #ask(name: string, family: number, flags: number): Promise<Answer> {
    const key = `${family} ${flags} ${name}`;
    const asked = this.#asking.get(key) ?? this.#request(name, family, flags);
    this.#asking.set(key, asked);
    try {
      return await asked;
    } finally {
      this.#asking.delete(key);
    }
  }

  async #request(name: string, family: number, flags: number): Promise<Answer> {
    try {
      const [frame] = await this.#agent.request("lookup", { name, family, flags });
      return decode(agentMessages.lookupReply, frame?.body ?? new Uint8Array());
    } catch (error) {
      if (!(error instanceof RemoteError) || error.errno !== eagain) throw error;
      return { ending: tryAgain, name: "", aliases: "", addresses: new Uint8Array() };
    }
  }

  async #reverse(link: LayerLink, frame: LayerFrame): Promise<void> {
    const { address } = decode(layerMessages.reverse, frame.body);
    if (!this.#isRemoteAddress(address.address)) {
      const none = new Uint8Array();
      return await link.reply(frame, "reverseReply", { local: true, ending: 0, name: none, aliases: none });
    }
    const [reply] = await this.#agent.request("reverse", { address });
    const { ending, name, aliases } = decode(agentMessages.reverseReply, reply?.body ?? new Uint8Array());
    await link.reply(frame, "reverseReply", {
      local: false,
      ending,
      name: textBytes(name),
      aliases: textBytes(aliases),
    });
  }

  async #hostName(link: LayerLink, frame: LayerFrame): Promise<void> {
    const local = !this.#config.hostname;
    const name = local ? "" : (await this.#target()).name;
    await link.reply(frame, "hostNameReply", { local, name: textBytes(name) });
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
   * Whether the target looks `written` up. A rule may name the host as the app writes it, or whole, as the target's
   * search domains make it.
   */
  async #isRemote(written: string, port: number): Promise<boolean> {
    const { enabled, filter, hostname } = this.#config;
    if (!enabled) return false;
    // The app knows this machine's name only when it was not told the target's: here alone that name leads anywhere.
    if (!hostname && written.toLowerCase() === Deno.hostname().toLowerCase()) return false;
    if (filter === null) return true;
    const forms = [written];
    if (!written.endsWith(".")) {
      const { search } = await this.#target();
      forms.push(...search.map((domain) => `${written}.${domain.replace(/^\./, "")}`));
    }
    return forms.some((host) => this.#matches({ host }, port)) === (filter.side === "remote");
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
 * The app's environment with Go's own resolver off: it reads this machine's files and asks by itself, past every rule over
 * names (Go's net package, "Name Resolution"). Who chose a resolver keeps it.
 */
export function libcResolves(env: Record<string, string>): Record<string, string> {
  const settings = (env["GODEBUG"] ?? "").split(",").filter(Boolean);
  if (settings.some((setting) => setting.startsWith("netdns="))) return env;
  return { ...env, GODEBUG: [...settings, "netdns=cgo"].join(",") };
}

/** The app's bytes as text: a character for each byte, but for international names that are to be converted (RFC 3490). */
function hostText(bytes: Uint8Array, isInternational: boolean): string {
  const text = latin1.decode(bytes);
  if (!isInternational || bytes.every((byte) => byte < 128)) return text;
  return domainToASCII(new TextDecoder().decode(bytes)) || text;
}

function textBytes(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0) & 255);
}
