// Which local ports a process has, from the kernel by sock_diag(7), or by /proc/net where the kernel has no
// sock_diag. In core/session, incoming.ts asks whether a listener whose holders are gone lives on in a
// process that never opened a link, datagrams.ts and outgoing.ts ask the same about UDP sockets and waiting
// TCP sockets, own_sockets.ts asks whether a socket is the app's.

import { formatIp } from "../../../protocol-wasm/mod.ts";
import type { BoundSocket, SocketList } from "../platform.ts";
import { boundSockets } from "./sock_diag.ts";

/** The states of /proc/net/tcp that count (proc_pid_net(5)); a UDP socket has none. */
const states: Record<SocketList, string[] | null> = { tcp: ["0A"], waiting: ["02", "03"], udp: null };
/** How long it is believed that a listener is not the app's: another's does not become its own. */
const foreignMs = 1000;
/** Until when each inode is known not to be the app's. */
const foreign = new Map<number, number>();

/** Ports that UDP sockets are bound to in this network namespace. */
export function boundUdpPorts(): Set<number> {
  return new Set(sockets("udp").map(({ port }) => port));
}

/** Local ports of TCP sockets whose connect is under way. */
export function waitingPorts(): Set<number> {
  return new Set(sockets("waiting").map(({ port }) => port));
}

/** Has one of the processes `pids` a descriptor of the socket `inode`? */
export function holds(pids: Iterable<number>, inode: number): boolean {
  const now = performance.now();
  for (const [one, until] of foreign) if (until < now) foreign.delete(one);
  if (foreign.has(inode)) return false;
  if (holderOf([{ inode }], pids) !== null) return true;
  foreign.set(inode, now + foreignMs);
  return false;
}

/** Which of the processes `pids` has a TCP listener at `port`; null: none of them. */
export function listenerAt(port: number, pids: Iterable<number>): number | null {
  return holderOf(sockets("tcp").filter((one) => one.port === port), pids);
}

/** The inodes of all sockets that one of the processes `pids` has. */
export function heldInodes(pids: Iterable<number>): Set<number> {
  const found = new Set<number>();
  for (const pid of pids) {
    for (const target of descriptors(pid)) {
      const inode = /^socket:\[(\d+)\]$/.exec(target)?.[1];
      if (inode !== undefined) found.add(Number(inode));
    }
  }
  return found;
}

function holderOf(all: { inode: number }[], pids: Iterable<number>): number | null {
  const names = new Set(all.map(({ inode }) => `socket:[${inode}]`));
  for (const pid of names.size === 0 ? [] : pids) {
    for (const target of descriptors(pid)) if (names.has(target)) return pid;
  }
  return null;
}

/** Is `port` one of those that the kernel chooses from for a socket that asks for none (ip(7))? */
export function isKernelsPort(port: number): boolean {
  const [first = NaN, last = NaN] = readRange();
  return port >= first && port <= last;
}

function readRange(): number[] {
  try {
    return Deno.readTextFileSync("/proc/sys/net/ipv4/ip_local_port_range").trim().split(/\s+/).map(Number);
  } catch {
    return [32768, 60999]; // the kernel's own choice, where nobody may look
  }
}

/** All TCP listeners, or bound UDP sockets, of this network namespace. */
export function sockets(list: SocketList): BoundSocket[] {
  const table = list === "udp" ? "/proc/self/net/udp" : "/proc/self/net/tcp";
  return boundSockets(list) ?? [table, `${table}6`]
    .flatMap(readRows).flatMap((line) => {
      const [, local, , state = "", , , , , , inode = ""] = line.trim().split(/\s+/);
      if (local === undefined || states[list]?.includes(state) === false) return [];
      const [host = "", port = ""] = local.split(":");
      // Whether it is for IPv6 alone is not shown there.
      return [{ address: readHost(host), port: parseInt(port, 16), inode: Number(inode), only6: false }];
    });
}

/**
 * An address of /proc/net: words of 32 bits in the machine's order (little-endian), as hexadecimal numbers.
 */
function readHost(hex: string): string {
  const words = (hex.match(/.{8}/g) ?? []).map((word) => parseInt(word, 16));
  const bytes = new Uint8Array(new Uint32Array(words).buffer);
  return formatIp(bytes.length === 4 ? 4 : 6, bytes) ?? "";
}

function readRows(path: string): string[] {
  try {
    return Deno.readTextFileSync(path).split("\n").slice(1);
  } catch (error) {
    // No IPv6 in this kernel.
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

/** What the descriptors of `pid` name; nothing of a process that ended or is another user's. */
function* descriptors(pid: number): Iterable<string> {
  try {
    for (const { name } of Deno.readDirSync(`/proc/${pid}/fd`)) {
      yield linkOrNothing(`/proc/${pid}/fd/${name}`);
    }
  } catch (error) {
    const gone = error instanceof Deno.errors.NotFound || error instanceof Deno.errors.PermissionDenied ||
      /ESRCH|os error 3\b/.test(String(error));
    if (!gone) throw error;
  }
}

function linkOrNothing(path: string): string {
  try {
    return Deno.readLinkSync(path);
  } catch {
    return ""; // closed meanwhile
  }
}
