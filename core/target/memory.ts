// How much memory a pod may take, as Kubernetes writes it. Called by resolve.ts. Facts: the kubelet limits
// the pod's cgroup to the pod's own limit, or to the sum of its containers' where each has one.

import type { V1Pod } from "../kube/client.ts";

/** Parts of the API that the client library's types do not have yet. */
interface PodResources {
  resources?: { limits?: Record<string, string> };
}

const units: Record<string, number> = {
  "": 1,
  m: 1e-3,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
};

/** Bytes; null: there is no limit, or none that can be read. */
export function memoryLimitOf({ spec }: V1Pod): number | null {
  const own = (spec as PodResources | undefined)?.resources?.limits?.["memory"];
  if (own !== undefined) return bytesOf(own);
  // Of the containers that run before the others only the sidecars stay.
  const sidecars = (spec?.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === "Always");
  let sum = 0;
  for (const { resources } of [...spec?.containers ?? [], ...sidecars]) {
    const limit = bytesOf(resources?.limits?.["memory"] ?? "");
    if (limit === null) return null;
    sum += limit;
  }
  return sum === 0 ? null : sum;
}

/** A quantity of Kubernetes ("64Mi", "1.5G", "1e8"); null: it is none. */
export function bytesOf(quantity: string): number | null {
  const [, number = "", unit = ""] =
    /^(\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+)(m|k|[MGTPE]|[KMGTPE]i)?$/.exec(quantity) ?? [];
  const factor = units[unit];
  return number === "" || factor === undefined ? null : Number(number) * factor;
}
