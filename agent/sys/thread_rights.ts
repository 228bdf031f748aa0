// Turns the calling thread into one that sees files as the target's process does: its root, its user, its groups, no more
// capabilities than it has, and no file creation mask. Called once, at the start of each file thread (agent/files).
// Only that thread changes: raw system calls are used, since the C library's would change every thread (nptl(7)).
// unshare(2) CLONE_FS gives the thread a root directory of its own; chroot(2) through /proc/PID/root enters the
// target's mounts (proc_pid_root(5)), so links and ".." resolve as they do for the target and never leave it.

import { check, cText, E, SystemError } from "./libc.ts";

const i32 = "i32";
const { symbols: f } = Deno.dlopen("libc.so.6", {
  unshare: { parameters: [i32], result: i32 },
  chroot: { parameters: ["buffer"], result: i32 },
  chdir: { parameters: ["buffer"], result: i32 },
  umask: { parameters: ["u32"], result: "u32" },
  setids: { name: "syscall", parameters: ["i64", "u32", "u32", "u32"], result: "i64" },
  setgroups: { name: "syscall", parameters: ["i64", "usize", "buffer"], result: "i64" },
  capset: { name: "syscall", parameters: ["i64", "buffer", "buffer"], result: "i64" },
});

/** syscalls(2). */
const numbers = Deno.build.arch === "aarch64"
  ? { setresuid: 147n, setresgid: 149n, setgroups: 159n, capset: 91n }
  : { setresuid: 117n, setresgid: 119n, setgroups: 116n, capset: 126n };

const CLONE_FS = 0x200;
/** _LINUX_CAPABILITY_VERSION_3 (capget(2)). */
const capabilityVersion = 0x20080522;

/** What decides over files, of one process (proc_pid_status(5)). */
interface Rights {
  /** real, effective, saved */
  uids: number[];
  gids: number[];
  groups: number[];
  permitted: bigint;
  effective: bigint;
}

/** Throws SystemError named after the step that failed: EPERM for a lacking capability, ENOENT for a process that is gone. */
export function becomeProcess(pid: number): void {
  const target = rightsOf(`/proc/${pid}/status`);
  const own = rightsOf("/proc/thread-self/status");
  check("unshare", f.unshare(CLONE_FS));
  if (!hasSameRoot(pid)) check("chroot", f.chroot(cText(`/proc/${pid}/root`)));
  check("chdir", f.chdir(cText("/")));
  f.umask(0);
  if (!sameIds(own.groups, target.groups)) {
    const list = new Uint8Array(new Uint32Array(target.groups).buffer);
    check("setgroups", Number(f.setgroups(numbers.setgroups, BigInt(target.groups.length), list)));
  }
  if (!sameIds(own.gids, target.gids)) setIds("setresgid", target.gids);
  const changed = !sameIds(own.uids, target.uids);
  if (changed) setIds("setresuid", target.uids);
  // A change from root to other users has cleared all of them.
  if (!changed || target.uids.includes(0)) limitCapabilities(own, target);
}

function setIds(call: "setresuid" | "setresgid", [real = 0, effective = 0, saved = 0]: number[]): void {
  check(call, Number(f.setids(numbers[call], real, effective, saved)));
}

function sameIds(one: number[], other: number[]): boolean {
  return one.length === other.length && one.every((id, index) => id === other[index]);
}

/** Without privileges a process of the same user and root can still be served. */
function hasSameRoot(pid: number): boolean {
  try {
    const [own, target] = ["/", `/proc/${pid}/root/`].map((path) => Deno.statSync(path));
    const mounts = ["self", pid].map((one) => Deno.readLinkSync(`/proc/${one}/ns/mnt`));
    return own?.ino === target?.ino && own?.dev === target?.dev && mounts[0] === mounts[1];
  } catch {
    return false; // not to be seen from here: chroot tells why
  }
}

/** Keeps of this thread's capabilities what the target has too (capabilities(7)). */
function limitCapabilities(own: Rights, target: Rights): void {
  const effective = own.permitted & target.effective;
  const permitted = own.permitted & target.permitted;
  const header = new Uint8Array(new Uint32Array([capabilityVersion, 0]).buffer);
  const word = (set: bigint, index: bigint) => Number(set >> (32n * index) & 0xffffffffn);
  const sets = new Uint32Array([
    word(effective, 0n),
    word(permitted, 0n),
    0,
    word(effective, 1n),
    word(permitted, 1n),
    0,
  ]);
  check("capset", Number(f.capset(numbers.capset, header, new Uint8Array(sets.buffer))));
}

function rightsOf(path: string): Rights {
  const text = readStatus(path);
  const field = (name: string) => new RegExp(`^${name}:[ \\t]*(.*)$`, "m").exec(text)?.[1]?.trim() ?? "";
  const ids = (name: string) => field(name).split(/\s+/).filter(Boolean).map(Number);
  return {
    uids: ids("Uid").slice(0, 3),
    gids: ids("Gid").slice(0, 3),
    groups: ids("Groups"),
    permitted: BigInt(`0x${field("CapPrm") || "0"}`),
    effective: BigInt(`0x${field("CapEff") || "0"}`),
  };
}

/** The number by which the process knows itself: the last of its process namespaces (proc_pid_status(5), NSpid). */
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
