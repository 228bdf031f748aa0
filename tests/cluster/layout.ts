// Where the test cluster keeps things and which names and addresses it takes.
// Every other file here asks this one, so that `down` looks for exactly what
// `up` made. All addresses come from ranges set aside for documentation or
// private use, and live in network namespaces of their own.

import { join } from "node:path";

export const nodeName = "node1";
/** Begins the names of all that is outside the cluster's folder: another name makes a second cluster. */
const clusterName = Deno.env.get("MIRRORD_TEST_CLUSTER") ?? "mirrord";
export const nodeNetns = `${clusterName}-node`;
export const laptopNetns = `${clusterName}-laptop`;

/** The network name in the CNI configuration; CNI's own records start with it. */
export const cniNetwork = `${clusterName}-test`;
/** The parent, in every cgroup hierarchy, of all processes of the cluster. */
export const cgroupName = `${clusterName}-test-cluster`;

export const node = { v4: "192.0.2.10", v6: "fd00:77::10" };
export const laptop = { v4: "192.0.2.1", v6: "fd00:77::1" };
export const link = { v4Prefix: 24, v6Prefix: 64 };
export const pods = { v4: "10.244.0.0/16", v6: "fd00:244::/56" };
/** The slices of `pods` that belong to the only node. */
export const nodePods = { v4: "10.244.0.0/24", v6: "fd00:244::/64" };
export const services = { v4: "10.96.0.0/16", v6: "fd00:96::/112" };
export const dns = { v4: "10.96.0.10", v6: "fd00:96::a" };
export const apiAddress = { v4: "10.96.0.1", v6: "fd00:96::1" };
export const clusterDomain = "cluster.local";
export const apiPort = 6443;

/** State of the running cluster; gone after `down`. */
export function stateDir(...parts: string[]): string {
  return join(Deno.env.get("MIRRORD_CLUSTER_DIR") ?? `/var/lib/${clusterName}-test-cluster`, ...parts);
}

/** What is slow to make and safe to keep: binaries, images, packages. */
export function cacheDir(...parts: string[]): string {
  const home = Deno.env.get("HOME") ?? "/root";
  return join(Deno.env.get("MIRRORD_CACHE") ?? join(home, ".cache", "mirrord-dev"), "cluster", ...parts);
}

export function kubeconfigPath(): string {
  return stateDir("kubeconfig");
}

export function containerdSocket(): string {
  return stateDir("containerd", "containerd.sock");
}

/** A folder of the repository beside this file. */
export function sourceDir(...parts: string[]): string {
  return join(import.meta.dirname ?? ".", ...parts);
}

export function inNetnsArgv(netns: string, argv: readonly string[]): string[] {
  // `ip netns exec` would mount a fresh /sys over the cgroups.
  return ["nsenter", `--net=/run/netns/${netns}`, "--", ...argv];
}
