// The two network namespaces: the node, where the whole cluster lives, and the
// laptop, from which the program under test is run. A veth pair links them;
// nothing links them to the machine's own network.

import { attempt, exists, run } from "./command.ts";
import { inNetnsArgv, laptop, laptopNetns, link, node, nodeNetns } from "./layout.ts";

export async function createNetworks(): Promise<void> {
  await run(["ip", "netns", "add", nodeNetns]);
  await run(["ip", "netns", "add", laptopNetns]);
  await run([
    ...["ip", "link", "add", "eth0", "netns", nodeNetns],
    ...["type", "veth", "peer", "name", "eth0", "netns", laptopNetns],
  ]);
  for (const [netns, address] of [[nodeNetns, node], [laptopNetns, laptop]] as const) {
    const ip = (...args: string[]) => run(["ip", "-n", netns, ...args]);
    await ip("link", "set", "lo", "up");
    await ip("address", "add", `${address.v4}/${link.v4Prefix}`, "dev", "eth0");
    // Without "nodad" the address could not be listened on for the first second.
    await ip("address", "add", `${address.v6}/${link.v6Prefix}`, "dev", "eth0", "nodad");
    await ip("link", "set", "eth0", "up");
  }
  // Service addresses need some route before kube-proxy's rules see them. The
  // laptop forwards nothing, so this one leads nowhere else.
  await run(["ip", "-n", nodeNetns, "route", "add", "default", "via", laptop.v4]);
  await run(["ip", "-n", nodeNetns, "-6", "route", "add", "default", "via", laptop.v6]);
  await run(inNetnsArgv(nodeNetns, [
    ...["sysctl", "-q", "-w", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1"],
    "net.ipv4.conf.all.route_localnet=1",
  ]));
}

/** Deleting a namespace takes its links, routes and netfilter rules along. */
export async function removeNetworks(): Promise<void> {
  for (const netns of [nodeNetns, laptopNetns]) {
    if (await exists(`/run/netns/${netns}`)) await run(["ip", "netns", "delete", netns]);
  } // ip(8) mounts this folder on itself for its first namespace.
  if ((await Array.fromAsync(Deno.readDir("/run/netns")).catch(() => [null])).length === 0) {
    await attempt(["umount", "/run/netns"]);
    await attempt(["rmdir", "/run/netns"]);
  }
}
