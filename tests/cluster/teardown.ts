// `down`: takes away all that `up` can have made, in whatever state that is.
// Nothing here asks a daemon for help or relies on an earlier step of `up`
// having ended well: it looks at the kernel and at the state folder.

import { join } from "node:path";
import { attempt, exists, run, step } from "./command.ts";
import { endProcesses } from "./daemons.ts";
import { cniNetwork, stateDir } from "./layout.ts";
import { removeNetworks } from "./net.ts";

/** What the kubelet sets for the whole machine when it starts. */
const kernelSettings = [
  "vm/overcommit_memory",
  "vm/panic_on_oom",
  "kernel/panic",
  "kernel/panic_on_oops",
  "kernel/keys/root_maxkeys",
  "kernel/keys/root_maxbytes",
];

/** A constant of the kubelet, whatever its root folder is. */
const devicePluginSocket = "/var/lib/kubelet/device-plugins/kubelet.sock";

/** Made by our daemons when missing, children first. */
const sharedDirs = [
  "/run/containerd/s",
  "/run/containerd",
  "/var/lib/cni/results",
  "/var/lib/cni/cache/results",
  "/var/lib/cni/cache",
  "/var/lib/cni",
  "/var/lib/kubelet/device-plugins",
  "/var/lib/kubelet",
  "/var/log/containers",
];

export async function recordKernelSettings(): Promise<void> {
  const saved: Record<string, string> = {};
  for (const name of kernelSettings) {
    if (await exists(`/proc/sys/${name}`)) saved[name] = await Deno.readTextFile(`/proc/sys/${name}`);
  }
  await Deno.writeTextFile(stateDir("kernel-settings.json"), JSON.stringify(saved));
}

async function restoreKernelSettings(): Promise<void> {
  const path = stateDir("kernel-settings.json");
  if (!await exists(path)) return;
  const saved = JSON.parse(await Deno.readTextFile(path)) as Record<string, string>;
  for (const [name, value] of Object.entries(saved)) {
    if (await Deno.readTextFile(`/proc/sys/${name}`) !== value) {
      await Deno.writeTextFile(`/proc/sys/${name}`, value);
    }
  }
}

export async function takeDown(): Promise<void> {
  await step("end all processes of the cluster", endProcesses);
  await step("unmount what they mounted", unmountAll);
  await step("remove records outside the state folder", removeStrayRecords);
  await step("remove the network namespaces", removeNetworks);
  await step("remove the state folder", async () => {
    await restoreKernelSettings();
    if (await exists(stateDir())) await Deno.remove(stateDir(), { recursive: true });
  });
}

async function unmountAll(): Promise<void> {
  const points = mountsUnder(await Deno.readTextFile("/proc/self/mountinfo"), stateDir());
  // The latest mounted lies on top.
  for (const point of points.reverse()) await run(["umount", "--lazy", point]);
}

/** Mount points at or below a folder, in the order they were mounted. */
export function mountsUnder(mountinfo: string, dir: string): string[] {
  const points = mountinfo.split("\n").map((line) => unescapeOctal(line.split(" ")[4] ?? ""));
  return points.filter((point) => point === dir || point.startsWith(dir + "/"));
}

/** proc(5): space, tab, newline and backslash are written as octal. */
function unescapeOctal(path: string): string {
  return path.replaceAll(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(parseInt(digits, 8)));
}

/** Files for which containerd, CNI and the kubelet know no other place. */
async function removeStrayRecords(): Promise<void> {
  for (const socket of await shimSockets()) await removeIfThere(socket);
  const sandboxes = await list(stateDir("containerd", "root", "io.containerd.grpc.v1.cri", "sandboxes"));
  for (const dir of ["/var/lib/cni/results", "/var/lib/cni/cache/results"]) {
    for (const name of await list(dir)) {
      const ours = name.startsWith(`${cniNetwork}-`) || sandboxes.some((id) => name.includes(id));
      if (ours) await removeIfThere(join(dir, name));
    }
  }
  for (const name of await list("/var/log/containers")) {
    const path = join("/var/log/containers", name);
    const target = await Deno.readLink(path).catch(() => "");
    if (target.startsWith(stateDir() + "/")) await removeIfThere(path);
  }
  // A kubelet of the user's own would still be listening on it.
  const listening = await Deno.readTextFile("/proc/net/unix");
  if (!listening.includes(devicePluginSocket)) await removeIfThere(devicePluginSocket);
  // rmdir leaves a folder alone that somebody else still uses.
  for (const dir of sharedDirs) await attempt(["rmdir", dir]);
}

/** Each shim's bundle names the socket that it listened on. */
async function shimSockets(): Promise<string[]> {
  const tasks = stateDir("containerd", "state", "io.containerd.runtime.v2.task", "k8s.io");
  const sockets: string[] = [];
  for (const id of await list(tasks)) {
    const address = await Deno.readTextFile(join(tasks, id, "address")).catch(() => "");
    if (address.startsWith("unix://")) sockets.push(address.slice("unix://".length).trim());
  }
  return sockets;
}

async function list(dir: string): Promise<string[]> {
  if (!await exists(dir)) return [];
  return await Array.fromAsync(Deno.readDir(dir), (entry) => entry.name);
}

async function removeIfThere(path: string): Promise<void> {
  if (await exists(path)) await Deno.remove(path);
}
