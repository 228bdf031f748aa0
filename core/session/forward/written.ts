// What `-L` and `-R` of `mirrord port-forward` mean, from their texts. Called by cmd/port_forward.ts before
// anything is opened. A text with two meanings is refused with the way to write each.

import { type Address, formatIp, parseIp } from "../../../protocol-wasm/mod.ts";
import { exitCodes, MirrordError } from "../../base/errors.ts";

/** A host and its port as they were written; the host is a name or an address. */
export interface Place {
  host: string;
  port: number;
}

/** `-L`: what comes to `at` on this machine goes to `to`, from the target. */
export interface LocalForward {
  written: string;
  protocol: "tcp" | "udp";
  at: Address;
  to: Place;
}

/** `-R`: what comes to `port` of the target goes to `to`, from this machine. */
export interface RemoteForward {
  written: string;
  port: number;
  to: Place;
}

/** `host:port`, an IPv6 address in brackets. */
export function placeText({ host, port }: Place): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

const localForm =
  "[[address:]port:]host:port[/udp], such as 5432:db.shop:5432 or [::1]:5353:10.96.0.10:53/udp";
const remoteForm = "[port:][host:]port, such as 8080, 80:8080 or 80:[::1]:8080";

/** `[[address:]port:]host:port[/tcp|/udp]`. Throws MirrordError (exit code 2). */
export function readLocal(written: string): LocalForward {
  const refuse = refusing(written, localForm);
  const [, text = "", protocol = "tcp"] = /^(.*?)(?:\/(tcp|udp))?$/i.exec(written) ?? [];
  const parts = split(text);
  if (/::/.test(text.replace(/\[[^\]]*\]/g, "host"))) throw refuse("an IPv6 address stands in brackets");
  if (parts === null || parts.length < 2 || parts.length > 4) throw refuse("it is not of this form");
  const port = portOf(parts.at(-1) ?? "", 1);
  const host = parts.at(-2) ?? "";
  if (port === null) throw refuse(`"${parts.at(-1)}" is no port`);
  if (/^\d*$/.test(host)) {
    throw host === "" ? refuse("it names no host") : refuse(
      `"${host}" is no host`,
      `Port ${port} of the target itself is: -L ${host}:localhost:${port}.`,
    );
  }
  const own = parts.length === 2 ? port : portOf(parts.at(-3) ?? "", 0);
  if (own === null) throw refuse(`"${parts.at(-3)}" is no port of this machine`);
  const address = parts.length === 4 ? ownAddress(parts[0] ?? "") : "127.0.0.1";
  if (address === null) throw refuse(`"${parts[0]}" is no address of this machine`);
  return {
    written,
    protocol: protocol.toLowerCase() === "udp" ? "udp" : "tcp",
    at: { address, port: own },
    to: { host, port },
  };
}

/** `[port:][host:]port`. Throws MirrordError (exit code 2). */
export function readRemote(written: string): RemoteForward {
  const refuse = refusing(written, remoteForm);
  if (/\/udp$/i.test(written)) throw refuse("datagrams that come to a target cannot be taken, only TCP");
  const parts = split(written.replace(/\/tcp$/i, ""));
  if (parts === null || parts.length > 3) throw refuse("it is not of this form");
  const port = portOf(parts.at(-1) ?? "", 1);
  if (port === null) throw refuse(`"${parts.at(-1)}" is no port`);
  const [first = "", second = ""] = parts;
  const isPair = parts.length === 2 && /^\d+$/.test(first);
  const host = parts.length === 3 ? second : parts.length === 2 && !isPair ? first : "127.0.0.1";
  const own = parts.length === 3 || isPair ? portOf(first, 1) : port;
  if (own === null) throw refuse(`"${first}" is no port of the target`);
  if (/^\d*$/.test(host)) throw refuse(`"${host}" is no host`);
  return { written, port: own, to: { host, port } };
}

/** The parts between colons; brackets stand around an IPv6 address. null: they do not fit. */
function split(text: string): string[] | null {
  const parts: string[] = [];
  for (let rest = text;;) {
    const [whole = "", bracketed, plain = ""] = /^(?:\[([^\]]*)\]|([^:[\]]*))(?=:|$)/.exec(rest) ?? ["none"];
    if (whole === "none" || /[\s/]/.test(whole)) return null;
    if (bracketed !== undefined && ip(bracketed, 6) === null) return null;
    parts.push(bracketed === undefined ? plain : ip(bracketed, 6) ?? "");
    if (whole.length === rest.length) return parts;
    rest = rest.slice(whole.length + 1);
  }
}

/** The address in its usual form; null: it is none of that family. */
function ip(text: string, family: 4 | 6): string | null {
  const parsed = parseIp(text);
  return parsed?.family === family ? formatIp(family, parsed.bytes) : null;
}

/** Where this machine listens: an address, or the one name that all machines share. */
function ownAddress(text: string): string | null {
  if (text.toLowerCase() === "localhost") return "127.0.0.1";
  return ip(text, 4) ?? ip(text, 6);
}

function portOf(text: string, lowest: number): number | null {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : NaN;
  return port >= lowest && port <= 65_535 ? port : null;
}

function refusing(written: string, form: string): (state: string, help?: string) => MirrordError {
  return (state, help = `Write ${form}.`) =>
    new MirrordError(`Cannot forward "${written}": ${state}`, { help, exitCode: exitCodes.usage });
}
