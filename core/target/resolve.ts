// A target's path → the pod, container and node it means right now, or the process on this machine. Called by
// the commands after the configuration is loaded. Nothing is changed in the cluster; every failure is a
// TargetError that names what exists instead.

import { exitCodes, TargetError } from "../base/errors.ts";
import { log } from "../base/log.ts";
import { nearWords, quoteList } from "../base/near.ts";
import { environment } from "../base/variables.ts";
import type { Config } from "../config/config.ts";
import { sentImage } from "../config/agent_image.ts";
import { ApiError } from "../kube/api_error.ts";
import { isObjectName } from "../kube/names.ts";
import { NoClusterError } from "../kube/kubeconfig.ts";
import { KubeClient, type V1Deployment, type V1Pod, type V1ReplicaSet } from "../kube/client.ts";
import { memoryLimitOf } from "./memory.ts";
import { declaredPorts, refuseHostNetwork } from "./ports.ts";
import { commandProbes, nodeAddresses, probesOf } from "./probes.ts";
import { askJobRights, askPodRights } from "./rights.ts";
import { formatTargetPath, parseTargetPath, type TargetPath } from "./path.ts";
import { resolveProcess } from "./process.ts";
import type { ClusterTarget, NoTarget, PodTarget, Target } from "./target.ts";

export type { ClusterTarget, NoTarget, PodTarget, ProcessTarget, Target } from "./target.ts";

export interface ResolveOptions {
  /** Where KUBECONFIG and its like are read; undefined: this process' variables. */
  env?: { get(name: string): string | undefined };
  signal?: AbortSignal;
}

/** kubectl's own annotation for "the container that is meant". */
const defaultContainerAnnotation = "kubectl.kubernetes.io/default-container";
/** Containers that meshes and injectors add beside the app. */
const sidecars = new Set([
  "istio-proxy",
  "linkerd-proxy",
  "kuma-sidecar",
  "vault-agent",
  "queue-proxy",
  "traffic-agent",
  "istio-init",
  "linkerd-init",
  "kuma-init",
  "vault-agent-init",
]);

/** Finds what `config.target` means. The caller disposes the result. */
export async function resolveTarget(config: Config, options: ResolveOptions = {}): Promise<Target> {
  const path = parseTargetPath(config.target.path ?? "targetless");
  const text = formatTargetPath(path);
  if (path.kind === "targetless") return await resolveCluster(config, options);
  if (path.kind === "process") return await resolveProcess(path.pid);
  const kube = await KubeClient.open({
    ...config.kube,
    namespace: config.target.namespace,
    env: options.env ?? environment,
  });
  let podName = path.kind === "pod" ? path.name : "";
  const checkRights = askPodRights(kube, podName, {
    known: () => podName,
    signal: options.signal,
    sends: config.agent.image === sentImage,
  });
  try {
    const pod = path.kind === "pod"
      ? await findPod(kube, path.name, text, options.signal)
      : await findPodOfDeployment(kube, path.name, text, options.signal);
    if (config.incoming.mode === "steal") warnOfProbes(pod);
    const target = describe(kube, pod, path, text);
    refuseHostNetwork(target, config);
    podName = target.pod;
    return { ...target, checkRights };
  } catch (error) {
    kube[Symbol.dispose]();
    throw error;
  }
}

/**
 * Without a target: the cluster, where one is meant and there is a kubeconfig. Nothing is asked of it yet.
 */
async function resolveCluster(config: Config, options: ResolveOptions): Promise<ClusterTarget | NoTarget> {
  const none: NoTarget = {
    kind: "targetless",
    path: "targetless",
    label: "no target",
    [Symbol.dispose]() {},
  };
  const { pod } = config.agent;
  if (pod === null) return none;
  const namespace = pod.namespace ?? config.target.namespace;
  try {
    const kube = await KubeClient.open({ ...config.kube, namespace, env: options.env ?? environment });
    return {
      kind: "cluster",
      path: "targetless",
      label: `no target, but the namespace "${kube.namespace}" of the cluster`,
      kube,
      namespace: kube.namespace,
      checkRights: askJobRights(kube, options.signal),
      [Symbol.dispose]: () => kube[Symbol.dispose](),
    };
  } catch (error) {
    if (!(error instanceof NoClusterError)) throw error;
    log.warning("There is no cluster either: no kubeconfig was found");
    return none;
  }
}

async function findPod(kube: KubeClient, name: string, text: string, signal?: AbortSignal): Promise<V1Pod> {
  let pod: V1Pod;
  try {
    pod = await kube.getPod(name, signal);
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 404) throw error;
    throw await missing(kube, "pod", name, text, await namesOf(kube.listPods("", signal)));
  }
  if (!isReady(pod)) log.warning(`The pod "${name}" is not ready`);
  return pod;
}

async function findPodOfDeployment(
  kube: KubeClient,
  name: string,
  text: string,
  signal?: AbortSignal,
): Promise<V1Pod> {
  let deployment: V1Deployment;
  try {
    deployment = await kube.getDeployment(name, signal);
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 404) throw error;
    throw await missing(kube, "deployment", name, text, await namesOf(kube.listDeployments(signal)));
  }
  const labels = selectorText(deployment);
  const pods = await kube.listPods(labels, signal);
  const sets = await replicaSetsOf(kube, pods, signal);
  const own = podsOf(deployment, sets, pods);
  const chosen = newestReady(own);
  if (chosen !== undefined) {
    const ready = own.filter(isReady).length;
    if (ready > 1) {
      log.warning(
        `"${text}" has ${ready} ready pods: the target is "${chosen.metadata?.name}" alone, traffic of the others stays theirs`,
        "multipod_warning", // upstream's editors know it by this name
      );
    }
    return chosen;
  }
  const replicas = deployment.spec?.replicas ?? 1;
  throw new TargetError(
    `Cannot target "${text}": ${
      own.length === 0 ? "it has no pod" : `none of its ${own.length} pods is ready`
    }`,
    {
      help: replicas === 0
        ? `It is scaled to 0: kubectl scale --replicas=1 deployment/${name} --namespace ${kube.namespace}`
        : `Find the reason: kubectl get pods --namespace ${kube.namespace} --selector ${labels}`,
    },
  );
}

/** The replica sets that made `pods`: asked for one by one, so that the right to get them is enough. */
async function replicaSetsOf(
  kube: KubeClient,
  pods: readonly V1Pod[],
  signal?: AbortSignal,
): Promise<V1ReplicaSet[]> {
  const owners = pods.flatMap((pod) => pod.metadata?.ownerReferences ?? []);
  const names = new Set(owners.filter(({ kind }) => kind === "ReplicaSet").map(({ name }) => name));
  const sets = await Promise.all([...names].map((name) =>
    kube.getReplicaSet(name, signal).catch((error) => {
      if (error instanceof ApiError && error.status === 404) return undefined; // gone meanwhile
      throw error;
    })
  ));
  return sets.filter((set) => set !== undefined);
}

/** The pods that the deployment's own replica sets made: a label alone can be worn by another's pod. */
export function podsOf(
  deployment: V1Deployment,
  sets: readonly V1ReplicaSet[],
  pods: readonly V1Pod[],
): V1Pod[] {
  const owned = <Owned extends V1ReplicaSet | V1Pod>(
    list: readonly Owned[],
    owners: readonly (string | undefined)[],
  ) =>
    list.filter((one) =>
      one.metadata?.ownerReferences?.some(({ uid, controller }) =>
        controller === true && owners.includes(uid)
      )
    );
  const ownSets = owned(sets, [deployment.metadata?.uid]);
  return owned(pods, ownSets.map((set) => set.metadata?.uid));
}

/** The youngest pod that is ready and not on its way out. */
export function newestReady(pods: readonly V1Pod[]): V1Pod | undefined {
  return pods
    .filter((pod) => isReady(pod) && pod.metadata?.deletionTimestamp === undefined)
    .sort((a, b) => born(b) - born(a))[0];
}

/** Times come as text in JSON, though the library's type says Date. */
function born(pod: V1Pod): number {
  const time: unknown = pod.metadata?.creationTimestamp;
  return typeof time === "string" || time instanceof Date ? new Date(time).getTime() : 0;
}

function isReady(pod: V1Pod): boolean {
  return pod.status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True") ?? false;
}

/** The deployment's selector as the API wants it in a query. */
export function selectorText({ spec }: V1Deployment): string {
  const { matchLabels = {}, matchExpressions = [] } = spec?.selector ?? {};
  const labels = Object.entries(matchLabels).map(([key, value]) => `${key}=${value}`);
  const expressions = matchExpressions.map(({ key, operator, values = [] }) => {
    switch (operator) {
      case "In":
        return `${key} in (${values.join(",")})`;
      case "NotIn":
        return `${key} notin (${values.join(",")})`;
      case "DoesNotExist":
        return `!${key}`;
      default:
        return key;
    }
  });
  return [...labels, ...expressions].join(",");
}

function describe(kube: KubeClient, pod: V1Pod, path: TargetPath, text: string): PodTarget {
  const name = pod.metadata?.name ?? "";
  if (!isObjectName(name) || !isObjectName(pod.spec?.nodeName ?? "x")) {
    throw new TargetError(
      `Cannot target "${text}": the API server names its pod or node as Kubernetes does not`,
    );
  }
  const phase = pod.status?.phase;
  if (phase !== "Running") {
    throw new TargetError(`Cannot target "${text}": the pod "${name}" is ${phase ?? "in no known phase"}`, {
      help: `Find the reason: kubectl describe pod ${name} --namespace ${kube.namespace}`,
    });
  }
  const asked = path.kind === "pod" || path.kind === "deployment" ? path.container : undefined;
  const container = chooseContainer(pod, asked, text);
  const status = pod.status?.containerStatuses?.find((one) => one.name === container);
  if (status?.state?.running === undefined || status.containerID === undefined) {
    const state = status?.state?.waiting?.reason ?? status?.state?.terminated?.reason ?? "not started";
    throw new TargetError(`Cannot target "${text}": the container "${container}" does not run (${state})`, {
      help: `Find the reason: kubectl logs ${name} --container ${container} --namespace ${kube.namespace}`,
    });
  }
  return {
    kind: "pod",
    path: text,
    label: `pod/${name}/container/${container} in the namespace "${kube.namespace}"`,
    kube,
    namespace: kube.namespace,
    pod: name,
    uid: pod.metadata?.uid ?? "",
    node: pod.spec?.nodeName ?? "",
    container,
    containerId: status.containerID.replace(/^.*:\/\//, ""),
    image: pod.spec?.containers.find(({ name: one }) => one === container)?.image ?? "",
    declaredPorts: declaredPorts(pod),
    hostNetwork: pod.spec?.hostNetwork === true,
    probes: probesOf(pod),
    nodeAddresses: nodeAddresses(pod),
    mounts: mountsOf(pod, container),
    memoryLimit: memoryLimitOf(pod),
    [Symbol.dispose]: () => kube[Symbol.dispose](),
  };
}

/** Of volumes of every kind, the service account's token too. */
export function mountsOf({ spec }: V1Pod, container: string): string[] {
  const mounts = spec?.containers.find(({ name }) => name === container)?.volumeMounts ?? [];
  return mounts.map(({ mountPath }) => mountPath);
}

function warnOfProbes(pod: V1Pod): void {
  const probes = commandProbes(pod);
  if (probes.length === 0) return;
  log.warning(
    `The kubelet runs a command in the pod: ${probes.join(", ")}. ` +
      `If it asks a stolen port, your program must answer it, or the kubelet acts on it, by a restart for example`,
  );
}

/**
 * The containers that may be meant when none is named: the annotated one, otherwise those that no mesh put
 * there.
 */
export function containerCandidates(pod: V1Pod): string[] {
  const names = (pod.spec?.containers ?? []).map(({ name }) => name);
  const annotated = pod.metadata?.annotations?.[defaultContainerAnnotation];
  if (annotated !== undefined && names.includes(annotated)) return [annotated];
  const own = names.filter((name) => !sidecars.has(name));
  return own.length > 0 ? own : names.slice(0, 1);
}

/**
 * The named container, otherwise the one that can be meant. Throws TargetError when there are several or
 * none.
 */
export function chooseContainer(pod: V1Pod, asked: string | undefined, text: string): string {
  const names = (pod.spec?.containers ?? []).map(({ name }) => name);
  if (asked !== undefined) {
    if (names.includes(asked)) return asked;
    throw new TargetError(`Cannot target "${text}": its pod has no container "${asked}"`, {
      help: hint(asked, names),
      exitCode: exitCodes.config,
    });
  }
  const [chosen, ...others] = containerCandidates(pod);
  if (chosen === undefined) throw new TargetError(`Cannot target "${text}": its pod has no container`);
  if (others.length === 0) return chosen;
  throw new TargetError(
    `Cannot target "${text}": its pod has the containers ${
      quoteList([chosen, ...others], "and")
    }, and none is named`,
    {
      help:
        `Name one: "${text}/container/${chosen}". (The pod's annotation ${defaultContainerAnnotation} does it for all.)`,
      exitCode: exitCodes.config,
    },
  );
}

async function missing(
  kube: KubeClient,
  kind: string,
  name: string,
  text: string,
  known: string[] | undefined,
): Promise<TargetError> {
  if (!known?.length && !await kube.namespaceExists()) {
    return new TargetError(`Cannot target "${text}": there is no namespace "${kube.namespace}"`, {
      help: `Name another with --target-namespace; the context is "${kube.contextName}".`,
    });
  }
  return new TargetError(
    `Cannot target "${text}": there is no such ${kind} in the namespace "${kube.namespace}"`,
    {
      help: known?.length === 0
        ? `That namespace has no ${kind} at all. Name another: --target-namespace NAME.`
        : hint(name, known, "Another namespace? --target-namespace NAME."),
    },
  );
}

/** The names of what there is; undefined for a user who may not list it. */
async function namesOf(
  list: Promise<{ metadata?: { name?: string } }[]>,
): Promise<string[] | undefined> {
  return await list.then((all) => all.map(({ metadata }) => metadata?.name ?? ""), () => undefined);
}

function hint(name: string, known: readonly string[] | undefined, otherwise = ""): string {
  if (known === undefined) return otherwise;
  const near = nearWords(name, known);
  if (near.length > 0) return `Did you mean ${quoteList(near)}?`;
  const some = known.slice(0, 8).join(", ");
  const there = known.length === 0 ? "" : `There is: ${some}${known.length > 8 ? ", …" : ""}.`;
  return `${otherwise} ${there}`.trim();
}
