// Which targets there are in a namespace, for `ls` and for pickers. Called by the commands. Each kind is
// asked for by itself, so that a user who may list only one of them sees that one.

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
  available: boolean;
}

export interface Listing {
  targets: ListedTarget[];
  /** The kinds that the user may not list, with the cluster's refusal. */
  refused: { kind: ListedKind; error: ApiError }[];
}

/**
 * The targets of `kinds`, each by name; a pod of several containers has one entry for each. Throws when none
 * of the kinds may be listed.
 */
export async function listTargets(
  kube: KubeClient,
  kinds: readonly ListedKind[] = listedKinds,
): Promise<Listing> {
  const lists = await Promise.all(
    listedKinds.filter((kind) => kinds.includes(kind)).map(async (kind) => ({
      kind,
      found: await listKind(kube, kind).catch((error) => {
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
  return { targets: lists.flatMap(({ found }) => found instanceof ApiError ? [] : found), refused };
}

async function listKind(kube: KubeClient, kind: ListedKind): Promise<ListedTarget[]> {
  const found = kind === "deployment"
    ? (await kube.listDeployments()).map(entryOf)
    : (await kube.listPods()).filter(({ status }) => status?.phase === "Running").flatMap(entriesOf);
  const named = found.filter(({ path }) =>
    path.split("/").every((part, index) => index % 2 === 0 || isObjectName(part))
  );
  if (named.length < found.length) {
    log.warning(
      `The API server says ${
        found.length - named.length
      } ${kind}s with names that Kubernetes does not give; they are left out`,
    );
  }
  return named.sort(byPath);
}

/** The deployment's own count: neither its pods nor its replica sets need be listed for that. */
function entryOf({ metadata, status }: V1Deployment): ListedTarget {
  return { path: `deployment/${metadata?.name ?? ""}`, available: (status?.readyReplicas ?? 0) > 0 };
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
