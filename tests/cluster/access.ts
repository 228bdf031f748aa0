// How a test reaches a cluster: the one that MIRRORD_TEST_KUBECONFIG names, or
// otherwise the test cluster of this machine when it is up.

import { attempt, exists, type Finished, run, type RunOptions } from "./command.ts";
import { inNetnsArgv, kubeconfigPath, laptopNetns } from "./layout.ts";
import { ctr, runningPrograms } from "./node.ts";

export interface ClusterAccess {
  kubeconfig: string;
  /** The network namespace from which its addresses are reached; null: this one. */
  netns: string | null;
}

/** Null when there is no cluster: the test says so and is skipped. */
export async function clusterAccess(): Promise<ClusterAccess | null> {
  const named = Deno.env.get("MIRRORD_TEST_KUBECONFIG");
  if (named !== undefined && named !== "") {
    return { kubeconfig: named, netns: Deno.env.get("MIRRORD_TEST_NETNS") || null };
  }
  const own = kubeconfigPath();
  return await exists(own) ? { kubeconfig: own, netns: laptopNetns } : null;
}

async function requireAccess(): Promise<ClusterAccess> {
  const access = await clusterAccess();
  if (access === null) throw new Error("Cannot reach a test cluster: none is up\nRun: ./dev cluster up");
  return access;
}

/** The command line that runs `argv` where the cluster can be reached. */
export async function inNetns(argv: readonly string[]): Promise<string[]> {
  const { netns } = await requireAccess();
  return netns === null ? [...argv] : inNetnsArgv(netns, argv);
}

/** kubectl of our build for our cluster, of the user for the user's. */
export async function kubectlCommand(args: readonly string[]): Promise<string[]> {
  const { kubeconfig } = await requireAccess();
  const program = await isOwn() ? [(await runningPrograms()).hyperkube, "kubectl"] : ["kubectl"];
  return await inNetns([...program, "--kubeconfig", kubeconfig, ...args]);
}

async function isOwn(): Promise<boolean> {
  return (await requireAccess()).kubeconfig === kubeconfigPath();
}

/** What kubectl printed; throws with its stderr when it fails. */
export async function kubectl(args: readonly string[], options: RunOptions = {}): Promise<string> {
  return await run(await kubectlCommand(args), options);
}

/** The same for a failure that the test expects. */
export async function tryKubectl(args: readonly string[], options: RunOptions = {}): Promise<Finished> {
  return await attempt(await kubectlCommand(args), options);
}

/** Makes the images of a `docker save` archive known to the node. */
export async function importImage(archivePath: string): Promise<void> {
  if (!await isOwn()) {
    throw new Error(
      `Cannot import "${archivePath}": the cluster is not ours\nRun: kind load image-archive ${archivePath}`,
    );
  }
  // Digests name layers that are complete already: importing again is cheap.
  await run(ctr("images", "import", archivePath));
}
