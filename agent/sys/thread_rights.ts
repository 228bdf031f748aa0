// Gives the calling thread the rights over files of the target's process: its user, its groups, no more
// capabilities than it has, and no file creation mask. Called once, at the start of each file thread
// (agent/files). Only that thread changes: raw system calls are used, since the C library's would change
// every thread (nptl(7)). And only the rights over files change (setfsuid(2)): the right to signal or trace a
// thread depends on its real, effective and saved users, which stay the agent's. The target's root is a
// descriptor (target_root.ts), no directory of the thread.

import { c, check, cText, E, SystemError } from "./libc.ts";

const { symbols: f } = Deno.dlopen("libc.so.6", {
  umask: { parameters: ["u32"], result: "u32" },
  setfsid: { name: "syscall", parameters: ["i64", "u32"], result: "i64" },
  setgroups: { name: "syscall", parameters: ["i64", "usize", "buffer"], result: "i64" },
  capset: { name: "syscall", parameters: ["i64", "buffer", "buffer"], result: "i64" },
});

/** syscalls(2). */
const numbers = Deno.build.arch === "aarch64"
  ? { setfsuid: 151n, setfsgid: 152n, setgroups: 159n, capset: 91n }
  : { setfsuid: 122n, setfsgid: 123n, setgroups: 116n, capset: 126n };

const O_PATH = 0o10000000;
const O_CLOEXEC = 0o2000000;
/** _LINUX_CAPABILITY_VERSION_3 (capget(2)). */
const capabilityVersion = 0x20080522;

/** What decides over files, of one process (proc_pid_status(5)). */
interface Rights {
  uid: number;
  gid: number;
  groups: number[];
  permitted: bigint;
  effective: bigint;
}

/**
 * A descriptor of the target's root, opened before the rights for it are given up. Throws SystemError named
 * after the step that failed: EPERM or EACCES for a lacking capability, ESRCH or ENOENT for a process that is
 * gone.
 */
export function becomeProcess(pid: number): number {
  const target = rightsOf(`/proc/${pid}/status`);
  const own = rightsOf("/proc/thread-self/status");
  const root = check("open", c.open(cText(`/proc/${pid}/root`), O_PATH | O_CLOEXEC, 0));
  f.umask(0);
  if (!sameIds(own.groups, target.groups)) {
    const list = new Uint8Array(new Uint32Array(target.groups).buffer);
    check("setgroups", Number(f.setgroups(numbers.setgroups, BigInt(target.groups.length), list)));
  }
  setFsId("setfsgid", target.gid);
  setFsId("setfsuid", target.uid);
  limitCapabilities(own, target);
  return root;
}

/**
 * These calls return the number before, never a failure (setfsuid(2)): for an invalid number they return the
 * present one.
 */
function setFsId(call: "setfsuid" | "setfsgid", id: number): void {
  f.setfsid(numbers[call], id);
  if (Number(f.setfsid(numbers[call], 0xffff_ffff)) !== id) throw new SystemError(call, E.EPERM);
}

function sameIds(one: number[], other: number[]): boolean {
  return one.length === other.length && one.every((id, index) => id === other[index]);
}

/**
 * Keeps of this thread's capabilities what the target has too (capabilities(7)), whatever a change of users
 * did to them.
 */
function limitCapabilities(own: Rights, target: Rights): void {
  const kept = own.permitted & target.effective;
  const header = new Uint8Array(new Uint32Array([capabilityVersion, 0]).buffer);
  const word = (set: bigint, index: bigint) => Number(set >> (32n * index) & 0xffffffffn);
  const sets = new Uint32Array([
    word(kept, 0n),
    word(kept, 0n),
    0,
    word(kept, 1n),
    word(kept, 1n),
    0,
  ]);
  check("capset", Number(f.capset(numbers.capset, header, new Uint8Array(sets.buffer))));
}

function rightsOf(path: string): Rights {
  const text = readStatus(path);
  const field = (name: string) => new RegExp(`^${name}:[ \\t]*(.*)$`, "m").exec(text)?.[1]?.trim() ?? "";
  const ids = (name: string) => field(name).split(/\s+/).filter(Boolean).map(Number);
  return {
    uid: ids("Uid")[3] ?? 0,
    gid: ids("Gid")[3] ?? 0,
    groups: ids("Groups"),
    permitted: BigInt(`0x${field("CapPrm") || "0"}`),
    effective: BigInt(`0x${field("CapEff") || "0"}`),
  };
}

/**
 * The number by which the process knows itself: the last of its process namespaces (proc_pid_status(5),
 * NSpid).
 */
export function innerPid(pid: number): number {
  const text = readStatus(`/proc/${pid}/status`);
  return Number(/^NSpid:\s*(.*)$/m.exec(text)?.[1]?.trim().split(/\s+/).at(-1) ?? pid);
}

function readStatus(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch {
    throw new SystemError("open", E.ESRCH);
  }
}
