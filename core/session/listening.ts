// Which local ports some process has, asked of the kernel by sock_diag(7), or by /proc/net where it lacks that. incoming.ts asks
// whether a listener whose holders are gone lives on in a process that never spoke to the session, datagrams.ts and
// outgoing.ts the same of UDP sockets and of TCP sockets that wait, session.ts for outgoing_rules.ts whether the app itself
// is who it connects to.

import { type BoundSocket, boundSockets, type SocketList } from "../net/sock_diag.ts";

/** The states of /proc/net/tcp that count (proc_pid_net(5)); a UDP socket has none. */
const states: Record<SocketList, string[] | null> = { tcp: ["0A"], waiting: ["02", "03"], udp: null };
/** How long it is believed that a listener is not the app's: another's does not become its own. */
const foreignMs = 1000;
/** Until when each inode is known to be none of the app's. */
const foreign = new Map<number, number>();

/** Ports in state LISTEN in this network namespace. */
export function listeningPorts(): Set<number> {
  return new Set(sockets("tcp").map(({ port }) => port));
}

/** Ports that UDP sockets are bound to in this network namespace. */
export function boundUdpPorts(): Set<number> {
  return new Set(sockets("udp").map(({ port }) => port));
}

/** Local ports of TCP sockets whose connect is under way. */
export function waitingPorts(): Set<number> {
  return new Set(sockets("waiting").map(({ port }) => port));
}

/** Has one of the processes `pids` a TCP listener, or a bound UDP socket, at `port`? */
export function ownsPort(pids: Iterable<number>, port: number, protocol: "tcp" | "udp"): boolean {
  const now = performance.now();
  for (const [inode, until] of foreign) if (until < now) foreign.delete(inode);
  const there = sockets(protocol).filter((one) => one.port === port && !foreign.has(one.inode));
  if (there.length === 0) return false;
  const names = new Set(there.map(({ inode }) => `socket:[${inode}]`));
  for (const pid of pids) {
    for (const target of descriptors(pid)) if (names.has(target)) return true;
  }
  for (const { inode } of there) foreign.set(inode, now + foreignMs);
  return false;
}

function sockets(list: SocketList): BoundSocket[] {
  const table = list === "udp" ? "/proc/self/net/udp" : "/proc/self/net/tcp";
  return boundSockets(list) ?? [table, `${table}6`]
    .flatMap(readRows).flatMap((line) => {
      const [, local, , state = "", , , , , , inode = ""] = line.trim().split(/\s+/);
      if (local === undefined || states[list]?.includes(state) === false) return [];
      return [{ port: parseInt(local.slice(local.indexOf(":") + 1), 16), inode: Number(inode) }];
    });
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
