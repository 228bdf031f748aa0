// The target's hosts file, as glibc's "files" reads it (hosts(5)). Called by lookup.ts.
// Invariant: names are compared without letter case and as they are written, the final dot included.

import { lowerBytes } from "../../core/net/byte_text.ts";
import { formatIp, parseIp } from "../../protocol-wasm/mod.ts";
import type { Named } from "./answer.ts";

/** One line: its address, the host's name and its other names. */
export interface HostsLine {
  address: string;
  family: 4 | 6;
  /** An IPv4 address that is written as IPv6 (::ffff:…). */
  mapped: boolean;
  names: string[];
}

/** The lines that can be read. */
export function parseHosts(text: string): HostsLine[] {
  return text.split("\n").flatMap((line) => {
    const [written = "", ...names] = line.replace(/#.*$/, "").split(/[ \t\r\v\f]+/).filter(Boolean);
    const ip = parseIp(written);
    if (ip === null || ip.family === 0 || names.length === 0) return [];
    const address = formatIp(ip.family, ip.bytes) ?? "";
    return [{ address, family: ip.family, mapped: ip.family === 4 && written.includes(":"), names }];
  });
}

/**
 * The addresses of `name`, in the order of the lines; null when no line has it. As glibc does it, the first
 * line is all unless `multi` (host.conf(5)).
 */
export function hostsOfAny(lines: readonly HostsLine[], name: string, multi: boolean): Named | null {
  const found = lines.filter((line) => hasName(line, name)).slice(0, multi ? undefined : 1);
  const [first] = found;
  if (first === undefined) return null;
  return { name: first.names[0] ?? name, aliases: [], addresses: found.map(({ address }) => address) };
}

/** The same for one family, where for IPv4 a line of ::1 counts as 127.0.0.1. */
export function hostsOfFamily(
  lines: readonly HostsLine[],
  name: string,
  family: 4 | 6,
  multi: boolean,
): Named | null {
  const all = lines.filter((line) => hasName(line, name)).flatMap((line) => {
    const address = addressAs(line, family);
    return address === null ? [] : [{ ...line, address }];
  });
  const found = multi ? all : all.slice(0, 1);
  const [first] = found;
  if (first === undefined) return null;
  const [canonical = name, ...others] = first.names;
  // A further line's other names come before its first one, unless that is the host's own.
  const further = found.slice(1).flatMap(({ names: [own = "", ...rest] }) =>
    own === canonical ? rest : [...rest, own]
  );
  return {
    name: canonical,
    aliases: [...others, ...further],
    addresses: found.map(({ address }) => address),
  };
}

/** The names of an address; null when no line has it. */
export function namesOfAddress(lines: readonly HostsLine[], address: string, family: 4 | 6): Named | null {
  const found = lines.find((line) => addressAs(line, family) === address);
  if (found === undefined) return null;
  const [name = "", ...aliases] = found.names;
  return { name, aliases, addresses: [address] };
}

function hasName(line: HostsLine, name: string): boolean {
  const wanted = lowerBytes(name);
  return line.names.some((one) => lowerBytes(one) === wanted);
}

/** The line's address when it is read as one of `family`; null when the line does not count then. */
function addressAs(line: HostsLine, family: 4 | 6): string | null {
  if (line.family === family && !(family === 6 && line.mapped)) return line.address;
  return family === 4 && line.address === "::1" ? "127.0.0.1" : null;
}
