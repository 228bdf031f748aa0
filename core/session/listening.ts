// Which local ports some process has, asked of the kernel: proc_net_tcp in its Documentation/networking. incoming.ts asks
// whether a listener whose holders are gone lives on in a process that never spoke to the session, datagrams.ts the same
// of UDP sockets, outgoing_rules.ts (by ownPort) whether the app itself is who it connects to.

const listening = "0A";

interface Row {
  port: number;
  state: string;
  inode: string;
}

/** Ports in state LISTEN in this network namespace. */
export function listeningPorts(): Set<number> {
  return new Set(rows("tcp").filter(({ state }) => state === listening).map(({ port }) => port));
}

/** Ports that UDP sockets are bound to in this network namespace. */
export function boundUdpPorts(): Set<number> {
  return new Set(rows("udp").map(({ port }) => port));
}

/** Has one of the processes `pids` a TCP listener, or a bound UDP socket, at `port`? */
export function ownsPort(pids: Iterable<number>, port: number, protocol: "tcp" | "udp"): boolean {
  const inodes = new Set(
    rows(protocol).filter((row) => row.port === port && (protocol === "udp" || row.state === listening))
      .map(({ inode }) => `socket:[${inode}]`),
  );
  if (inodes.size === 0) return false;
  for (const pid of pids) {
    for (const target of descriptors(pid)) if (inodes.has(target)) return true;
  }
  return false;
}

function rows(protocol: "tcp" | "udp"): Row[] {
  return [`/proc/self/net/${protocol}`, `/proc/self/net/${protocol}6`].flatMap(readRows).flatMap((line) => {
    const [, local, , state = "", , , , , , inode = ""] = line.trim().split(/\s+/);
    if (local === undefined) return [];
    return [{ port: parseInt(local.slice(local.indexOf(":") + 1), 16), state, inode }];
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
