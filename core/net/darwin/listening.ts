// Which local ports some process has, by lsof(8), which every Mac has; of processes of other users it tells
// nothing without root. Asked by core/session through ../this_platform.ts. It takes some ten milliseconds, in
// which the session stands still, so one listing answers what one question asks.

import { parseIp } from "../../../protocol-wasm/mod.ts";
import type { BoundSocket, SocketList } from "../platform.ts";
import { lsof, outputOf } from "./tools.ts";

/** Of which sockets lsof is asked. */
const asked: Record<Exclude<SocketList, "waiting">, string[]> = {
  tcp: ["-iTCP", "-sTCP:LISTEN"],
  udp: ["-iUDP"],
};
/** The ports that Darwin chooses from (net.inet.ip.portrange.first and .last, ip(4)). */
const kernelsPorts = { first: 49152, last: 65535 };

/** A socket as a process has it. */
export interface HeldSocket extends BoundSocket {
  pid: number;
}

/** The last listing, for `holds` right after `sockets`. */
const last: { sockets: HeldSocket[] } = { sockets: [] };

/** All of a list. Connects that are under way are none of this machine's: they wait in the session. */
export function sockets(list: SocketList): BoundSocket[] {
  if (list === "waiting") return [];
  last.sockets = readListing(listing(asked[list]));
  const seen = new Map(last.sockets.map((one) => [`${one.inode} ${one.address} ${one.port}`, one]));
  return [...seen.values()].map(({ address, port, inode, only6 }) => ({ address, port, inode, only6 }));
}

/** Ports that UDP sockets are bound to. */
export function boundUdpPorts(): Set<number> {
  return new Set(sockets("udp").map(({ port }) => port));
}

/** Local ports of TCP sockets whose connect is under way. */
export function waitingPorts(): Set<number> {
  return new Set();
}

/** Has one of the processes `pids` a descriptor of the socket `inode`, by the last listing? */
export function holds(pids: Iterable<number>, inode: number): boolean {
  const all = new Set(pids);
  return last.sockets.some((one) => one.inode === inode && all.has(one.pid));
}

/** Which of the processes `pids` has a TCP listener at `port`; null: none of them. */
export function listenerAt(port: number, pids: Iterable<number>): number | null {
  const all = new Set(pids);
  return readListing(listing(asked.tcp)).find((one) => one.port === port && all.has(one.pid))?.pid ?? null;
}

/** Is `port` one of those that the kernel chooses from for a socket that asks for none? */
export function isKernelsPort(port: number): boolean {
  return port >= kernelsPorts.first && port <= kernelsPorts.last;
}

/** What lsof prints of the sockets that `which` names. */
function listing(which: readonly string[]): string {
  // -w: no warnings; -F: one field a line, process, descriptor, type, device and name (lsof(8)).
  return outputOf(lsof, ["-nPw", ...which, "-Fpftdn"]);
}

/** The sockets of lsof's output for other programs: lines of a letter and a value. */
export function readListing(text: string): HeldSocket[] {
  const found: HeldSocket[] = [];
  let pid = 0;
  let six = false;
  let inode = 0;
  for (const line of text.split("\n")) {
    const value = line.slice(1);
    switch (line[0]) {
      case "p":
        pid = Number(value);
        break;
      case "t":
        six = value === "IPv6";
        break;
      case "d": // an address of the kernel's in hexadecimal on Darwin, the socket's inode on Linux
        inode = Number(value);
        break;
      case "n": {
        const bound = readName(value, six);
        if (bound !== null) found.push({ ...bound, inode, only6: false, pid });
      }
    }
  }
  return found;
}

/** `*:80`, `127.0.0.1:80`, `[::1]:80`, each perhaps with `->` and the remote end. */
function readName(name: string, six: boolean): { address: string; port: number } | null {
  const [local = ""] = name.split("->");
  const [, host = "", digits = ""] = /^(.*):(\d+)$/.exec(local) ?? [];
  if (digits === "") return null; // not bound
  if (host === "*") return { address: six ? "::" : "0.0.0.0", port: Number(digits) };
  const address = host.replace(/^\[|\]$/g, "").replace(/%.*$/, "");
  return parseIp(address) === null ? null : { address, port: Number(digits) };
}
