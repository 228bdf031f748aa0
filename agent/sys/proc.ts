// What the agent reads in /proc: its own capabilities, the kernel's release, and the target's process. Called
// by incoming/subscriptions.ts and env.ts. Facts: proc(5), capabilities(7), cgroups(7).

import { isIntact, readEnvironmentBlock, readMovedEnvironment } from "./environ.ts";

/** Capabilities the agent may need, by their bit. */
const capabilityBits = { NET_ADMIN: 12, NET_RAW: 13, SYS_PTRACE: 19, SYS_ADMIN: 21, BPF: 39 } as const;
export type Capability = keyof typeof capabilityBits;

/** Whether this thread has `capability` in effect. */
export function hasCapability(capability: Capability): boolean {
  const status = Deno.readTextFileSync("/proc/thread-self/status");
  const effective = /^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? "0";
  return (BigInt(`0x${effective}`) >> BigInt(capabilityBits[capability]) & 1n) === 1n;
}

/** The kernel's release, such as "6.1.0-18-amd64". */
export function kernelRelease(): string {
  return Deno.osRelease();
}

/** Whether `release` is at least `major.minor`. */
export function kernelAtLeast(release: string, major: number, minor: number): boolean {
  const [, have = "0", haveMinor = "0"] = /^(\d+)\.(\d+)/.exec(release) ?? [];
  return Number(have) > major || (Number(have) === major && Number(haveMinor) >= minor);
}

/** The ports that this network namespace gives to outgoing connections (ip(7)). */
export function ephemeralPorts(): { first: number; last: number } {
  const text = Deno.readTextFileSync("/proc/sys/net/ipv4/ip_local_port_range");
  const [first = NaN, last = NaN] = text.trim().split(/\s+/).map(Number);
  return first <= last ? { first, last } : { first: 32768, last: 60999 };
}

/** How many descriptors this process may have (getrlimit(2)). */
export function descriptorLimit(): number {
  const limit = /^Max open files\s+(\d+)/m.exec(Deno.readTextFileSync("/proc/self/limits"))?.[1];
  return limit === undefined ? Infinity : Number(limit);
}

/** Which process is the target. */
export interface TargetProcess {
  /** The process itself, as this process namespace numbers it. */
  pid?: number;
  /** The target's container; used when the pod's containers share one process namespace. */
  containerId?: string;
}

/**
 * The process whose environment is the target's. In an ephemeral container with a target that is process 1;
 * where the whole pod shares process numbers it is the first one in the target container's cgroup.
 */
export function findTarget(target: TargetProcess): number {
  if (target.pid !== undefined) return target.pid;
  const id = target.containerId?.replace(/^[a-z]+:\/\//, "") ?? "";
  if (id === "") return 1;
  const pids = [...Deno.readDirSync("/proc")].map((entry) => Number(entry.name)).filter((pid) => pid > 0);
  return pids.sort((a, b) => a - b).find((pid) => cgroupOf(pid).includes(id)) ?? 1;
}

/**
 * The real user of a process, 0 when it has ended (proc_pid_status(5)): the agent's own is one that nobody
 * has.
 */
export function realUser(pid: number): number {
  try {
    return Number(/^Uid:\s*(\d+)/m.exec(Deno.readTextFileSync(`/proc/${pid}/status`))?.[1] ?? 0);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return 0;
    throw error;
  }
}

/** Process `pid` and all that descend from it. */
export function processTree(pid: number): Set<number> {
  const parents = new Map<number, number>();
  for (const { name } of Deno.readDirSync("/proc")) {
    const one = Number(name);
    if (one > 0) parents.set(one, parentOf(one));
  }
  const tree = new Set([pid]);
  for (let before = 0; before < tree.size;) {
    before = tree.size;
    for (const [one, parent] of parents) if (tree.has(parent)) tree.add(one);
  }
  return tree;
}

/** 0 of one that ended: field 4 of its line, behind the name in parentheses (proc_pid_stat(5)). */
function parentOf(pid: number): number {
  try {
    return Number(/^.*\) \S (\d+)/s.exec(Deno.readTextFileSync(`/proc/${pid}/stat`))?.[1] ?? 0);
  } catch {
    return 0;
  }
}

/**
 * `NAME=value` pairs, each ended by a zero byte; those that the process keeps elsewhere where it wrote over
 * its first ones. Throws Deno.errors.NotFound, or PermissionDenied without SYS_PTRACE.
 */
export function readEnvironment(pid: number): Uint8Array {
  const pairs = readBlock(pid);
  return isIntact(pairs) ? pairs : readMovedEnvironment(pid) ?? pairs;
}

/**
 * The file of a process of another user cannot be opened without DAC_OVERRIDE, which the agent does not have.
 */
function readBlock(pid: number): Uint8Array {
  try {
    return Deno.readFileSync(`/proc/${pid}/environ`);
  } catch (error) {
    const block = error instanceof Deno.errors.PermissionDenied ? readEnvironmentBlock(pid) : null;
    if (block === null) throw error;
    return block;
  }
}

function cgroupOf(pid: number): string {
  try {
    return Deno.readTextFileSync(`/proc/${pid}/cgroup`);
  } catch {
    return ""; // it ended meanwhile
  }
}
