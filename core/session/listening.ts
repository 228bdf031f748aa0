// Which local TCP ports some process listens on, asked of the kernel. Called by incoming.ts to learn whether a
// listener whose holders are gone lives on in a process that never spoke to the session.

/** Ports in state LISTEN in this network namespace: proc_net_tcp in the kernel's Documentation/networking. */
export function listeningPorts(): Set<number> {
  const ports = new Set<number>();
  for (const path of ["/proc/self/net/tcp", "/proc/self/net/tcp6"]) {
    for (const row of readRows(path)) {
      const [, local, , state] = row.trim().split(/\s+/);
      if (state === "0A" && local !== undefined) ports.add(parseInt(local.slice(local.indexOf(":") + 1), 16));
    }
  }
  return ports;
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
