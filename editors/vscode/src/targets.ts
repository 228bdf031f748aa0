// What the target picker offers. Nothing here knows the editor's API.

import type { QuickPickItem } from "./api.ts";
import type { Listed } from "./session.ts";

export type TargetItem =
  & QuickPickItem
  & ({ does: "choose"; target: string } | { does: "namespaces" });

/** The last target, those that are ready (deployments before pods), none, and the other namespaces. */
export function targetItems(
  targets: readonly Listed[],
  { last, namespace, namespaces }: { last: string | undefined; namespace: string; namespaces: string[] },
): TargetItem[] {
  const ready = targets.filter(({ available }) => available).map(({ path }) => path);
  const isKept = last !== undefined && ready.includes(last);
  const others = ready.filter((path) => !(isKept && path === last));
  const choose = (target: string, description?: string): TargetItem => ({
    label: target.replace(/^\w+\//, ""),
    description: description ?? target.replace(/\/.*/, ""),
    does: "choose",
    target,
  });
  return [
    ...(isKept ? [choose(last, `${last.replace(/\/.*/, "")}, the last one`)] : []),
    ...others.map((path) => choose(path)),
    {
      label: "No target",
      description: "only the cluster's network and names",
      does: "choose",
      target: "targetless",
    },
    ...(namespaces.length > 1
      ? [{ label: "Another namespace …", description: `now: ${namespace}`, does: "namespaces" } as const]
      : []),
  ];
}
