// Which targets there are in a namespace, or in all of them, for `ls` and for pickers. Called by the
// commands. Each kind is asked for by itself, so that a user who may list only one of them sees that one.

import { log } from "../base/log.ts";
import { ApiError } from "../kube/api_error.ts";
import type { KubeClient, V1Deployment, V1Pod } from "../kube/client.ts";
import { isObjectName } from "../kube/names.ts";
import { containerCandidates, newestReady } from "./resolve.ts";

/** Kinds of targets that can be listed, in the order in which they are. */
export const listedKinds = ["deployment", "pod"] as const;
export type ListedKind = (typeof listedKinds)[number];

/** One target that could be chosen; `available`: it runs and is ready. */
export interface ListedTarget {
  path: string;
  namespace: string;
  available: boolean;
  /** "2/2": of its pods, or of the pod's containers, so many are ready. */
  ready: string;
  containers: string[];
  /** What its containers declare, by TCP. */
  ports: number[];
  /** When it was made; undefined: the cluster does not say. */
  created: Date | undefined;
}

/** Where to look; otherwise in the namespace of `kube`. */
export interface ListPlace {
  everywhere?: boolean;
}

export interface Listing {
  targets: ListedTarget[];
  /** The kinds that the user may not list, with the cluster's refusal. */
  refused: { kind: ListedKind; error: ApiError }[];
}

/**
 * The targets of `kinds`, each by name, namespace by namespace where all are meant; a pod of several
 * containers has one entry for each. Throws when none of the kinds may be listed.
 */
export async function listTargets(
  kube: KubeClient,
  kinds: readonly ListedKind[] = listedKinds,
  { everywhere = false }: ListPlace = {},
): Promise<Listing> {
  const lists = await Promise.all(
    listedKinds.filter((kind) => kinds.includes(kind)).map(async (kind) => ({
      kind,
      found: await listKind(kube, kind, everywhere).catch((error) => {
        if (error instanceof ApiError && error.status === 403) return error;
        throw error;
      }),
    })),
  );
  const refused = lists.flatMap(({ kind, found }) =>
    found instanceof ApiError ? [{ kind, error: found }] : []
  );
  const [first] = refused;
  if (first !== undefined && refused.length === lists.length) throw first.error;
  const targets = lists.flatMap(({ found }) => found instanceof ApiError ? [] : found);
  return { targets: everywhere ? targets.sort((a, b) => order(a.namespace, b.namespace)) : targets, refused };
}

async function listKind(kube: KubeClient, kind: ListedKind, everywhere: boolean): Promise<ListedTarget[]> {
  const found = kind === "deployment"
    ? (await (everywhere ? kube.listDeploymentsEverywhere() : kube.listDeployments()))
      .map((one) => entryOf(one, kube.namespace))
    : (await (everywhere ? kube.listPodsEverywhere() : kube.listPods()))
      .filter(({ status }) => status?.phase === "Running").flatMap((one) => entriesOf(one, kube.namespace));
  const named = found.filter(({ path, namespace }) =>
    isObjectName(namespace) &&
    path.split("/").every((part, index) => index % 2 === 0 || isObjectName(part))
  );
  if (named.length < found.length) {
    log.warning(
      `The API server says ${
        found.length - named.length
      } ${kind}s with names that Kubernetes does not give; they are left out`,
    );
  }
  return named.sort((a, b) => order(a.path, b.path));
}

/** The deployment's own count: neither its pods nor its replica sets need be listed for that. */
function entryOf({ metadata, spec, status }: V1Deployment, namespace: string): ListedTarget {
  const ready = status?.readyReplicas ?? 0;
  const containers = spec?.template?.spec?.containers ?? [];
  return {
    path: `deployment/${metadata?.name ?? ""}`,
    namespace: metadata?.namespace ?? namespace,
    available: ready > 0,
    ready: `${ready}/${spec?.replicas ?? 1}`,
    containers: containers.map(({ name }) => name),
    ports: portsOf(containers),
    created: dateOf(metadata?.creationTimestamp),
  };
}

function entriesOf(pod: V1Pod, namespace: string): ListedTarget[] {
  const path = `pod/${pod.metadata?.name ?? ""}`;
  const containers = pod.spec?.containers ?? [];
  const ready = (pod.status?.containerStatuses ?? []).filter((one) => one.ready).length;
  const facts = {
    namespace: pod.metadata?.namespace ?? namespace,
    available: newestReady([pod]) !== undefined,
    ready: `${ready}/${containers.length}`,
    created: dateOf(pod.metadata?.creationTimestamp),
  };
  const names = containers.map(({ name }) => name);
  if (names.length <= 1) return [{ path, ...facts, containers: names, ports: portsOf(containers) }];
  const likely = containerCandidates(pod);
  return [...likely, ...names.filter((name) => !likely.includes(name))].map((name) => ({
    path: `${path}/container/${name}`,
    ...facts,
    containers: [name],
    ports: portsOf(containers.filter((one) => one.name === name)),
  }));
}

/** Ports of TCP, which is Kubernetes' default protocol. */
function portsOf(
  containers: readonly { ports?: { containerPort: number; protocol?: string }[] }[],
): number[] {
  return containers.flatMap(({ ports = [] }) =>
    ports.filter(({ protocol = "TCP" }) => protocol === "TCP").map(({ containerPort }) => containerPort)
  );
}

/** The API's answers are read as they came: a time is still its text. */
function dateOf(time: Date | string | undefined): Date | undefined {
  const date = new Date(time ?? NaN);
  return Number.isNaN(date.getTime()) ? undefined : date;
}

function order(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
