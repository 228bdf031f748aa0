// The command of the test cluster: up, down, status, env, images. It brings up
// a whole Kubernetes on this machine, without a container registry, and takes
// it away again without a trace. The walk of `up` is in this file; `down` is
// the same for every state it can have stopped in (teardown.ts).

import { basename, join } from "node:path";
import { attempt, exists, print, report, run, seconds, step } from "./command.ts";
import { ensureProgram } from "./build.ts";
import { clusterProcesses, createCgroups, isRunning, stopDaemon } from "./daemons.ts";
import { ensureImages } from "./images.ts";
import { cacheDir, kubeconfigPath, laptopNetns, nodeName, nodeNetns, stateDir } from "./layout.ts";
import { createNetworks } from "./net.ts";
import {
  ctr,
  daemonNames,
  kubectlArgv,
  type Programs,
  recordPrograms,
  runningPrograms,
  startApi,
  startContainerd,
  startControllers,
  startDns,
  startNode,
  startPart,
  untilApiReady,
  untilNodeReady,
} from "./node.ts";
import { ensurePackages } from "./packages.ts";
import { createPki } from "./pki.ts";
import { recordKernelSettings, takeDown } from "./teardown.ts";

const usage = `The test cluster: a Kubernetes of its own in two network namespaces.

  up          bring it up; does nothing when it is up
  down        take it away, whatever state it is in
  status      say what runs; exit code 1 unless all of it does
  env         print the variables by which tests find it, for eval in a shell
  images DIR  write the archives of the test images into a folder
  stop NAME   kill one of its daemons, as a crash would
  start NAME  start that one again, and wait until the cluster is whole
`;

async function up(): Promise<void> {
  requireRoot();
  const start = performance.now();
  if (await isUp()) {
    report("The test cluster is up already.");
    return;
  }
  await step("find or install Debian packages", ensurePackages);
  const hyperkube = await step("find or build hyperkube", () => ensureProgram("hyperkube"));
  const coredns = await step("find or build coredns", () => ensureProgram("coredns"));
  const images = await step("find or make the test images", () => ensureImages());
  if (await hasRemains()) {
    report("Remains of an earlier cluster are in the way: taking them down first.");
    await takeDown();
  }
  await bringUp({ hyperkube, coredns }, [...images.values()]);
  report(
    `${seconds(start)}  the test cluster is up: kubeconfig ${kubeconfigPath()}, namespace ${laptopNetns}`,
  );
}

async function bringUp(programs: Programs, images: readonly string[]): Promise<void> {
  await step("make folders, cgroups and certificates", async () => {
    for (const dir of ["logs", "daemons"]) await Deno.mkdir(stateDir(dir), { recursive: true });
    await recordPrograms(programs);
    await recordKernelSettings();
    await createCgroups();
    await createPki();
  });
  await step("make the network namespaces", createNetworks);
  await step("start containerd, etcd and the API server", async () => {
    await startApi(programs);
    await startContainerd();
  });
  await step("import the test images", async () => {
    for (const archive of images) await run(ctr("images", "import", archive));
  });
  await step("wait for the API server", () => untilApiReady(programs));
  await step("start controllers, kubelet and kube-proxy", async () => {
    await startControllers(programs);
    await startNode(programs);
  });
  await step("start the cluster's DNS", () => startDns(programs));
  await step("wait for the node", () => untilNodeReady(programs));
}

function requireRoot(): void {
  if (Deno.uid() !== 0) {
    throw new Error(
      "Cannot make network namespaces: not root\nRun it with sudo, or name a cluster you have: README.md",
    );
  }
}

async function down(): Promise<void> {
  requireRoot();
  if (!await hasRemains()) report("The test cluster is down already.");
  // In any case: remains that are not looked for here are still taken away.
  await takeDown();
}

async function hasRemains(): Promise<boolean> {
  const places = [stateDir(), ...[nodeNetns, laptopNetns].map((name) => `/run/netns/${name}`)];
  const found = await Promise.all(places.map(exists));
  return found.includes(true) || (await clusterProcesses()).length > 0;
}

/** Each part of the cluster, and whether it is as it should be. */
async function inspect(): Promise<Map<string, boolean>> {
  const parts = new Map<string, boolean>();
  for (const name of [nodeNetns, laptopNetns]) {
    parts.set(`namespace ${name}`, await exists(`/run/netns/${name}`));
  }
  for (const name of daemonNames) parts.set(name, await isRunning(name));
  parts.set(`node ${nodeName} ready`, await isNodeReady());
  return parts;
}

async function isNodeReady(): Promise<boolean> {
  if (!await exists(stateDir("programs.json")) || !await exists(kubeconfigPath())) return false;
  const { hyperkube } = await runningPrograms();
  const query = '{.status.conditions[?(@.type=="Ready")].status}';
  const argv = kubectlArgv(hyperkube, [
    "get",
    "node",
    nodeName,
    "--request-timeout=5s",
    "-o",
    `jsonpath=${query}`,
  ]);
  return (await attempt(argv)).stdout === "True";
}

async function isUp(): Promise<boolean> {
  return [...(await inspect()).values()].every(Boolean);
}

async function status(): Promise<void> {
  const parts = await inspect();
  for (const [part, good] of parts) print(`${good ? "up  " : "DOWN"}  ${part}`);
  if (![...parts.values()].every(Boolean)) Deno.exitCode = 1;
}

async function env(): Promise<void> {
  if (!await exists(kubeconfigPath())) throw new Error("Cannot tell the variables: no test cluster is up");
  print(`export MIRRORD_TEST_KUBECONFIG='${kubeconfigPath()}'`);
  print(`export MIRRORD_TEST_NETNS='${laptopNetns}'`);
}

async function images(dir: string | undefined): Promise<void> {
  if (dir === undefined) throw new Error(`Cannot write images: no folder given\n${usage}`);
  await Deno.mkdir(dir, { recursive: true });
  const archives = await step("find or make the test images", () => ensureImages());
  for (const [name, archive] of archives) {
    await Deno.copyFile(archive, join(dir, `${name}.tar`));
    print(join(dir, `${name}.tar`));
  }
}

function daemon(name = ""): string {
  if (daemonNames.includes(name)) return name;
  throw new Error(`Cannot find the daemon "${name}": there are ${daemonNames.join(", ")}`);
}

/** Two runs at a time would build the same cluster into each other. */
async function locked(work: () => Promise<void>): Promise<void> {
  await Deno.mkdir(cacheDir(), { recursive: true });
  using lock = await Deno.open(cacheDir("lock"), { create: true, write: true });
  await lock.lock(true);
  await work();
}

async function main([verb, ...rest]: readonly string[]): Promise<void> {
  const verbs: Record<string, () => Promise<void>> = {
    up: () => locked(up),
    down: () => locked(down),
    status,
    env,
    images: () => locked(() => images(rest[0])),
    stop: () => locked(() => stopDaemon(daemon(rest[0]))),
    start: () => locked(() => startPart(daemon(rest[0]))),
  };
  const chosen = verbs[verb ?? ""];
  if (chosen === undefined) throw new Error(`Cannot run "${basename(verb ?? "")}": no such verb\n\n${usage}`);
  await chosen();
}

if (import.meta.main) {
  try {
    await main(Deno.args);
  } catch (error) {
    report(error instanceof Error ? error.message : String(error));
    Deno.exitCode = 1;
  }
}
