// The cluster's processes. Each is started into the cluster's cgroup and its
// network namespace and recorded by pid and start time. The cgroup is what
// `down` trusts: it also holds whatever the daemons started, shims and
// containers included, and a process cannot leave it by losing its parent.

import { join } from "node:path";
import { attempt, exists, run, searchPath, until } from "./command.ts";
import { cgroupName, inNetnsArgv, laptopNetns, nodeNetns, stateDir } from "./layout.ts";

const cgroupMount = "/sys/fs/cgroup";

interface ProcessRecord {
  pid: number;
  /** Ticks after boot, field 22 of /proc/PID/stat: proc(5). A pid is used again, this pair is not. */
  started: string;
  /** What it was started with, to start it again. */
  argv?: readonly string[];
  env?: Record<string, string>;
}

/** One folder per cgroup v1 hierarchy, or the only one of v2. */
export async function clusterCgroups(): Promise<string[]> {
  if (await exists(join(cgroupMount, "cgroup.controllers"))) return [join(cgroupMount, cgroupName)];
  const found = [];
  for await (const entry of Deno.readDir(cgroupMount)) {
    const dir = join(cgroupMount, entry.name);
    if (!entry.isSymlink && await exists(join(dir, "cgroup.procs"))) found.push(join(dir, cgroupName));
  }
  return found;
}

/** The kubelet refuses a root cgroup that is missing from any hierarchy. */
export async function createCgroups(): Promise<void> {
  for (const dir of await clusterCgroups()) {
    await Deno.mkdir(dir, { recursive: true });
    for (const file of ["cpuset.cpus", "cpuset.mems"]) {
      // In v1 an empty cpuset takes no process; it inherits only when told to.
      const parent = join(dir, "..", file);
      if (await exists(parent)) await Deno.writeTextFile(join(dir, file), await Deno.readTextFile(parent));
    }
    for (const parent of [join(dir, ".."), dir]) await passControllersOn(parent);
    await Deno.mkdir(join(dir, "daemons"), { recursive: true });
  }
}

/** In v2 a group has only the controllers that its parent passes on; the kubelet checks for these. */
async function passControllersOn(cgroup: string): Promise<void> {
  const list = join(cgroup, "cgroup.controllers");
  if (!await exists(list)) return;
  const present = (await Deno.readTextFile(list)).trim().split(" ");
  for (
    const controller of ["cpu", "cpuset", "memory", "pids", "hugetlb"].filter((each) =>
      present.includes(each)
    )
  ) {
    await Deno.writeTextFile(join(cgroup, "cgroup.subtree_control"), `+${controller}`);
  }
}

/** The cgroup of the daemons in one hierarchy; membership in one is enough. */
async function daemonsCgroup(): Promise<string> {
  const all = await clusterCgroups();
  const one = all.find((dir) => dir.includes("/pids/")) ?? all[0];
  if (one === undefined) {
    throw new Error("Cannot find a cgroup hierarchy under /sys/fs/cgroup: nothing is mounted");
  }
  return join(one, "daemons");
}

/**
 * A daemon keeps no descriptor of the process that starts the cluster: a lock of flock(1) would be held for
 * as long as it runs.
 */
export const launch = `
cgroup=$1 pidfile=$2 log=$3; shift 3
exec 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&-
echo $$ >"$cgroup/cgroup.procs" && echo $$ >"$pidfile" && exec "$@" </dev/null >"$log" 2>&1
`;

export function logPath(name: string): string {
  return stateDir("logs", `${name}.log`);
}

export async function startDaemon(
  name: string,
  argv: readonly string[],
  env: Record<string, string> = {},
): Promise<void> {
  const pidFile = stateDir("daemons", `${name}.pid`);
  await run(
    [
      "setsid",
      "--fork",
      "sh",
      "-c",
      launch,
      name,
      await daemonsCgroup(),
      pidFile,
      logPath(name),
      ...inNode(argv),
    ],
    { env: { PATH: searchPath(), ...env } },
  );
  await until(`${name} has started`, async () => await exists(pidFile) || "no pid file yet", 10);
  const pid = Number(await Deno.readTextFile(pidFile));
  const record: ProcessRecord = { pid, started: await startTime(pid) ?? "ended", argv, env };
  await Deno.writeTextFile(stateDir("daemons", `${name}.json`), JSON.stringify(record));
}

function inNode(argv: readonly string[]): string[] {
  return inNetnsArgv(nodeNetns, argv);
}

async function startTime(pid: number): Promise<string | null> {
  try {
    return parseStartTime(await Deno.readTextFile(`/proc/${pid}/stat`));
  } catch {
    return null; // it has ended: no such file, or no such process while reading
  }
}

/** The command name in parentheses may hold spaces and parentheses itself. */
export function parseStartTime(stat: string): string | null {
  const [state, ...rest] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return state === "Z" || state === "X" ? null : rest[18] ?? null;
}

async function recordOf(name: string): Promise<ProcessRecord | null> {
  const path = stateDir("daemons", `${name}.json`);
  return await exists(path) ? JSON.parse(await Deno.readTextFile(path)) as ProcessRecord : null;
}

export async function isRunning(name: string): Promise<boolean> {
  const record = await recordOf(name);
  return record !== null && await startTime(record.pid) === record.started;
}

/** Kills a daemon, as its crash would; what it started lives on. Resolves when it has ended. */
export async function stopDaemon(name: string): Promise<void> {
  const record = await recordOf(name);
  if (record === null || !await isRunning(name)) throw new Error(`Cannot stop "${name}": it does not run`);
  if (record.argv === undefined) {
    throw new Error(`Cannot stop "${name}": an older cluster.ts started it\nRun: ./dev cluster down`);
  }
  kill(record.pid);
  await until(`${name} has ended`, async () => !await isRunning(name) || "it runs", 10);
}

/** Starts a daemon that has ended as it was started before. */
export async function startAgain(name: string): Promise<void> {
  const record = await recordOf(name);
  if (record?.argv === undefined) throw new Error(`Cannot start "${name}": it was never started`);
  if (await isRunning(name)) return;
  await Deno.remove(stateDir("daemons", `${name}.pid`));
  await startDaemon(name, record.argv, record.env ?? {});
}

/** The last lines of a log, for a message about a daemon that did not come up. */
export async function logTail(name: string, lines = 15): Promise<string> {
  if (!await exists(logPath(name))) return "(no log)";
  return (await Deno.readTextFile(logPath(name))).trimEnd().split("\n").slice(-lines).join("\n");
}

/** A condition of a daemon: fails at once, with its log, when it has ended. */
export async function untilReady(
  name: string,
  check: () => Promise<boolean>,
  limitSeconds = 60,
): Promise<void> {
  await until(`${name} is ready`, async () => {
    if (await check()) return true;
    if (!await isRunning(name)) {
      throw new Error(`Cannot start "${name}": it has ended\n${await logTail(name)}`);
    }
    return await logTail(name);
  }, limitSeconds);
}

async function processesIn(cgroup: string): Promise<number[]> {
  const pids: number[] = [];
  for (const dir of await cgroupTree(cgroup)) {
    try {
      const listed = await Deno.readTextFile(join(dir, "cgroup.procs"));
      pids.push(...listed.split("\n").filter(Boolean).map(Number));
    } catch {
      continue; // removed between listing and reading, or a threaded v2 cgroup
    }
  }
  // 0 stands for a process outside our pid namespace, which is not the cluster's.
  return pids.filter((pid) => pid !== 0);
}

/** A cgroup and all below it, children first. */
async function cgroupTree(cgroup: string): Promise<string[]> {
  const found: string[] = [];
  try {
    for await (const entry of Deno.readDir(cgroup)) {
      if (entry.isDirectory) found.push(...await cgroupTree(join(cgroup, entry.name)));
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    return found;
  }
  return [...found, cgroup];
}

/** Processes in our cgroups, and those that only joined one of our network namespaces. */
export async function clusterProcesses(): Promise<number[]> {
  const inCgroups = await Promise.all((await clusterCgroups()).map(processesIn));
  const inNamespaces = await Promise.all([nodeNetns, laptopNetns].map(processesInNetns));
  return [...new Set([...inCgroups.flat(), ...inNamespaces.flat()])];
}

async function processesInNetns(netns: string): Promise<number[]> {
  const wanted = await inode(`/run/netns/${netns}`);
  if (wanted === null) return [];
  const pids: number[] = [];
  for await (const { name } of Deno.readDir("/proc")) {
    if (/^\d+$/.test(name) && await inode(`/proc/${name}/ns/net`) === wanted) pids.push(Number(name));
  }
  return pids;
}

/** Null when it is gone: processes end while they are looked at. */
async function inode(path: string): Promise<number | null> {
  return await Deno.stat(path).then(({ ino }) => ino, () => null);
}

/** Ends every process of the cluster, then removes its cgroups. */
export async function endProcesses(): Promise<void> {
  await until("all processes of the cluster have ended", async () => {
    const pids = await clusterProcesses();
    for (const pid of pids) kill(pid);
    return pids.length === 0 || `still running: ${pids.join(" ")}`;
  }, 20);
  for (const cgroup of await clusterCgroups()) {
    await until(`${cgroup} is removed`, async () => {
      for (const dir of await cgroupTree(cgroup)) await attempt(["rmdir", dir]);
      return !await exists(cgroup) || (await processesIn(cgroup)).join(" ");
    }, 10);
  }
}

function kill(pid: number): void {
  try {
    Deno.kill(pid, "SIGKILL");
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
