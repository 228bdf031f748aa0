// Which targets there are in a namespace, for `ls` and for pickers. Called by the commands.

import type { V1Pod } from "../kube/client.ts";
import type { KubeClient } from "../kube/client.ts";
import { containerCandidates, newestReady, podsOf } from "./resolve.ts";

/** One target that could be chosen; `available`: it runs and is ready. */
export interface ListedTarget {
  path: string;
  available: boolean;
}

/** Deployments, then pods, each by name; a pod of several containers has one entry for each. */
export async function listTargets(kube: KubeClient, signal?: AbortSignal): Promise<ListedTarget[]> {
  const [deployments, sets, pods] = await Promise.all([
    kube.listDeployments(signal),
    kube.listReplicaSets(signal),
    kube.listPods("", signal),
  ]);
  const running = pods.filter((pod) => pod.status?.phase === "Running");
  return [
    ...deployments.map((deployment) => ({
      path: `deployment/${deployment.metadata?.name ?? ""}`,
      available: newestReady(podsOf(deployment, sets, pods)) !== undefined,
    })).sort(byPath),
    ...running.flatMap(entriesOf).sort(byPath),
  ];
}

function entriesOf(pod: V1Pod): ListedTarget[] {
  const path = `pod/${pod.metadata?.name ?? ""}`;
  const available = newestReady([pod]) !== undefined;
  const names = (pod.spec?.containers ?? []).map(({ name }) => name);
  if (names.length <= 1) return [{ path, available }];
  const likely = containerCandidates(pod);
  return [...likely, ...names.filter((name) => !likely.includes(name))].map((name) => ({
    path: `${path}/container/${name}`,
    available,
  }));
}

function byPath(a: ListedTarget, b: ListedTarget): number {
  return a.path < b.path ? -1 : a.path > b.path ? 1 : 0;
}
