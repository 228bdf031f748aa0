// Rules over destinations, as written in `network.outgoing.filter` and `dns.filter`: text → Rules. The
// session's policy asks them which way a connection goes. Text is parsed here, assembly/address.ts matches.
// Invariant: Rules own one Wasm instance and end with it.

import { FilterError } from "../errors.ts";
import { type Family, parseIp } from "./ip_address.ts";
import { instantiate } from "../wasm.ts";

/** What assembly/address.ts exports; `rules` is a place in the instance's memory. */
interface RulesCore {
  readonly memory: WebAssembly.Memory;
  rules_open(): number;
  rules_text(rules: number): number;
  rules_add(
    rules: number,
    protocol: number,
    kind: number,
    family: number,
    prefix: number,
    low: number,
    high: number,
    length: number,
  ): void;
  rules_match(rules: number, protocol: number, family: number, port: number, length: number): number;
}

/** Where a connection goes: the name it was looked up by, the address, or both. */
export interface Destination {
  readonly host?: string;
  readonly address?: string;
  readonly port: number;
  readonly protocol: "tcp" | "udp";
}

/** Compiled rules. */
export interface Rules extends Disposable {
  /** True when one of the rules matches. */
  matches(destination: Destination): boolean;
}

type Host = { kind: number; name: string; family: Family; bytes: Uint8Array; prefix: number };

const nameLimit = 1024;
const kinds = { any: 0, name: 1, suffix: 2, network: 3 } as const;
const protocols: Record<string, number> = { tcp: 1, udp: 2 };

/**
 * Compiles rules of the form `[tcp://|udp://][HOST][:PORT]`. HOST is a name (`db.svc`), `*.SUFFIX` (any name
 * that ends so), `*`, an address, or a network (`10.0.0.0/8`, `fd00::/8`); an IPv6 HOST before a port stands
 * in brackets. PORT is a number or a range `8000-8100`, and may stand alone, with or without the colon. A
 * name rule looks at `host`, a network at `address`; names are compared without letter case and final dot.
 * Throws FilterError.
 */
export function compileRules(texts: readonly string[]): Rules {
  const rules = new WasmRules();
  for (const text of texts) rules.add(text);
  return rules;
}

class WasmRules implements Rules {
  #core: RulesCore | null = instantiate<RulesCore>();
  readonly #rules = this.#claim().rules_open();

  add(text: string): void {
    const [scheme, rest] = text.includes("://") ? split(text, "://") : ["", text];
    const protocol = scheme === "" ? 0 : protocols[scheme];
    if (protocol === undefined) throw refused(text, `unknown protocol "${scheme}"; tcp or udp is expected`);
    if (rest === "") throw refused(text, "a host, a network or a port is expected");
    const { host, port } = splitPort(rest);
    const [low, high] = parsePorts(text, port);
    const { kind, name, family, bytes, prefix } = parseHost(text, host);
    const length = this.#write(bytes, name);
    if (length < 0) throw refused(text, "the host name is too long");
    this.#claim().rules_add(this.#rules, protocol, kind, family, prefix, low, high, length);
  }

  matches(destination: Destination): boolean {
    const literal = parseIp(destination.host ?? "");
    const address = parseIp(destination.address ?? "") ?? { family: 0, bytes: new Uint8Array(16) };
    const ip = address.family === 0 && literal !== null ? literal : address;
    const name = literal === null ? plainName(destination.host ?? "") : "";
    const length = Math.max(this.#write(ip.bytes, name), 0);
    const protocol = protocols[destination.protocol] ?? 0;
    return this.#claim().rules_match(this.#rules, protocol, ip.family, destination.port, length) === 1;
  }

  [Symbol.dispose](): void {
    this.#core = null;
  }

  #claim(): RulesCore {
    if (this.#core === null) throw new TypeError("These Rules are disposed");
    return this.#core;
  }

  /** Bytes of the name written to the text of the instance, -1 when it does not fit. */
  #write(address: Uint8Array, name: string): number {
    const core = this.#claim();
    const bytes = new TextEncoder().encode(name);
    if (bytes.length > nameLimit) return -1;
    const text = new Uint8Array(core.memory.buffer, core.rules_text(this.#rules), 16 + bytes.length);
    text.set(address);
    text.set(bytes, 16);
    return bytes.length;
  }
}

function split(text: string, by: string): [string, string] {
  const at = text.indexOf(by);
  return [text.slice(0, at), text.slice(at + by.length)];
}

/** HOST and PORT ("" when absent). With a port an IPv6 host needs brackets, since it has colons itself. */
function splitPort(text: string): { host: string; port: string } {
  const bracketed = /^\[([^\]]*)\](\/\d+)?(?::(.*))?$/.exec(text);
  if (bracketed !== null) {
    return { host: (bracketed[1] ?? "") + (bracketed[2] ?? ""), port: bracketed[3] ?? "" };
  }
  if (/^\d+(-\d+)?$/.test(text)) return { host: "", port: text };
  const colon = text.indexOf(":");
  if (colon < 0 || colon !== text.lastIndexOf(":")) return { host: text, port: "" };
  return { host: text.slice(0, colon), port: text.slice(colon + 1) || "?" };
}

function parsePorts(rule: string, text: string): [number, number] {
  if (text === "") return [0, 65535];
  const parts = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text);
  const low = Number(parts?.[1]);
  const high = Number(parts?.[2] ?? parts?.[1]);
  if (!(low <= high && high <= 65535)) throw refused(rule, "a port or a range such as 8000-8100 is expected");
  return [low, high];
}

function parseHost(rule: string, text: string): Host {
  const none = { name: "", family: 0, bytes: new Uint8Array(16), prefix: 0 } as const;
  if (text === "" || text === "*") return { ...none, kind: kinds.any };
  const [address, bits] = text.includes("/") ? split(text, "/") : [text, undefined];
  const ip = parseIp(address);
  if (ip !== null && ip.family !== 0) {
    const most = ip.family === 4 ? 32 : 128;
    const prefix = bits === undefined ? most : /^\d{1,3}$/.test(bits) ? Number(bits) : most + 1;
    if (prefix > most) throw refused(rule, `a prefix length of 0 to ${most} is expected`);
    return { name: "", ...ip, kind: kinds.network, prefix };
  }
  if (bits !== undefined) throw refused(rule, "an address is expected before the slash");
  const suffix = text.startsWith("*.");
  const name = plainName(suffix ? text.slice(1) : text);
  // A last label of digits only would be a mistyped address (RFC 3696, 2).
  if (!/^\.?[a-z0-9_][a-z0-9_-]*(\.[a-z0-9_-]+)*$/.test(name) || /(^|\.)\d+$/.test(name)) {
    throw refused(rule, "a host name, *.suffix, an address or a network is expected");
  }
  return { ...none, kind: suffix ? kinds.suffix : kinds.name, name };
}

function plainName(name: string): string {
  return name.toLowerCase().replace(/\.$/, "");
}

function refused(rule: string, reason: string): FilterError {
  return new FilterError(`Cannot use rule "${rule}": ${reason}`);
}
