// What a session may have left on this machine: processes, directories, agents and BPF links. Only what
// belongs to the session or network namespace asked about is counted, so tests may run beside each other.

/** The file's text; "" when it, or its process, is gone. */
export async function readOrEmpty(path: string): Promise<string> {
  return await Deno.readTextFile(path).catch(() => "");
}

async function readLinkOrEmpty(path: string): Promise<string> {
  return await Deno.readLink(path).catch(() => "");
}

/** Every process of this machine, by number. */
async function processes(): Promise<string[]> {
  const pids: string[] = [];
  for await (const { name } of Deno.readDir("/proc")) if (/^\d+$/.test(name)) pids.push(name);
  return pids;
}

async function commandLine(pid: string): Promise<string> {
  return (await readOrEmpty(`/proc/${pid}/cmdline`)).replaceAll("\0", " ").trim();
}

/**
 * Living processes of the session (setsid(2)) that `leader` began (null: none), or whose command line or
 * environment names `folder`, if one is given. Callers kill them: session 0 would be those of other people.
 */
export async function sessionProcesses(
  leader: number | null,
  folder: string | null,
): Promise<Map<number, string>> {
  if (leader !== null && leader < 2) throw new TypeError(`${leader} leads no session of the tests`);
  const found = new Map<number, string>();
  for (const pid of await processes()) {
    const stat = await readOrEmpty(`/proc/${pid}/stat`);
    const [state, , , session] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    if (state === undefined || state === "" || state === "Z") continue;
    const line = await commandLine(pid);
    const inside = (leader !== null && session === String(leader)) ||
      (folder !== null &&
        (line.includes(folder) || (await readOrEmpty(`/proc/${pid}/environ`)).includes(folder)));
    if (inside) found.set(Number(pid), line.slice(0, 120));
  }
  return found;
}

/**
 * Agents in the network namespace `netns` ("net:[4026532000]"), and BPF links that hang on it
 * (proc_pid_fdinfo(5)).
 */
export async function agentRemains(netns: string): Promise<string[]> {
  const inode = /\d+/.exec(netns)?.[0] ?? "";
  const found: string[] = [];
  for (const pid of await processes()) {
    const line = await commandLine(pid);
    const isAgent = line.includes(" agent ") && line.includes("--public-key");
    if (isAgent && await readLinkOrEmpty(`/proc/${pid}/ns/net`) === netns) found.push(`agent ${pid}`);
    if (!isAgent) continue;
    for (const fd of await descriptors(pid)) {
      const held = await readLinkOrEmpty(`/proc/${pid}/fd/${fd}`);
      if (!held.includes("bpf_link") && !held.includes("bpf-link")) continue;
      const text = await readOrEmpty(`/proc/${pid}/fdinfo/${fd}`);
      if (text.includes(`netns_ino:\t${inode}`)) found.push(`BPF link of process ${pid}`);
    }
  }
  return found;
}

/** Reaches into the network namespace `netns` ("net:[4026532000]"): the number of a process in it, if any. */
export async function processIn(netns: string): Promise<string | undefined> {
  for (const pid of await processes()) {
    if (await readLinkOrEmpty(`/proc/${pid}/ns/net`) === netns) return pid;
  }
  return undefined;
}

async function descriptors(pid: string): Promise<string[]> {
  const names: string[] = [];
  try {
    for await (const { name } of Deno.readDir(`/proc/${pid}/fd`)) names.push(name);
  } catch {
    // The process ended meanwhile.
  }
  return names;
}

/** The agents' process numbers in the network namespace `netns`. */
export async function agentPids(netns: string): Promise<number[]> {
  return (await agentRemains(netns)).flatMap((text) => /^agent (\d+)$/.exec(text)?.[1] ?? []).map(Number);
}

/** Is process `pid` there, and more than the entry of an ended one that nobody reaped? */
export function lives(pid: number): boolean {
  try {
    return !/\) [ZX] /.test(Deno.readTextFileSync(`/proc/${pid}/stat`));
  } catch {
    return false;
  }
}
