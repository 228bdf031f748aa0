// How much memory is left to this process before the kernel kills it or another. Called by incoming/steal.ts.
// Facts: proc(5) on meminfo, Documentation/admin-guide/cgroup-v2.rst and cgroup-v1/memory.rst of the kernel.

const groups = [
  { limit: "/sys/fs/cgroup/memory.max", used: "/sys/fs/cgroup/memory.current" },
  {
    limit: "/sys/fs/cgroup/memory/memory.limit_in_bytes",
    used: "/sys/fs/cgroup/memory/memory.usage_in_bytes",
  },
];

/** Bytes, by the control group that is seen here and by the machine; that of a whole pod is not seen. */
export function memoryRoom(): number {
  const available = Number(/^MemAvailable:\s+(\d+) kB/m.exec(contentOf("/proc/meminfo"))?.[1] ?? Infinity);
  const rooms = groups.map(({ limit, used }) => {
    const most = parseInt(contentOf(limit)); // "max" is none
    return Number.isNaN(most) ? Infinity : most - Number(contentOf(used));
  });
  return Math.min(available * 1024, ...rooms);
}

function contentOf(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch {
    return "";
  }
}
