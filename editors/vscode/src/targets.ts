// What the target picker offers. Nothing here knows the editor's API.

import type { QuickPickItem } from "./api.ts";
import type { Listed } from "./session.ts";

export type TargetItem =
  & QuickPickItem
  & ({ does: "choose"; target: string } | { does: "namespaces" | "type" | "ask" | "nothing" });

/** Kinds of targets in the order in which they are offered; others come after them. */
const kinds = ["deployment", "statefulset", "daemonset", "rollout", "job", "cronjob", "service", "pod"];
/** QuickPickItemKind.Separator of the editor's API. */
const separator = -1;
const targetless = "targetless";

/** The editor's list: what is there, and what was chosen before. */
export interface Offered {
  targets: readonly Listed[];
  last: string | undefined;
  namespace: string;
  namespaces: readonly string[];
  /** A target is chosen for every start, so it can be given up. */
  isPinned: boolean;
}

/** The last target, those that are ready by kind, none, one by its name, and the other namespaces. */
export function targetItems({ targets, last, namespace, namespaces, isPinned }: Offered): TargetItem[] {
  const ready = targets.filter(({ available }) => available).map(({ path }) => path);
  const isListed = targets.some(({ path }) => last !== undefined && kindOf(path) === kindOf(last));
  const isKept = last !== undefined && last !== targetless && (ready.includes(last) || !isListed);
  const others = ready.filter((path) => !(isKept && path === last)).sort((a, b) => rank(a) - rank(b));
  return [
    ...(isPinned
      ? [
        {
          label: "Ask at each start",
          description: "unless the configuration names a target",
          does: "ask",
        } as const,
      ]
      : []),
    ...(isKept ? [choose(last, `${kindOf(last)}, the last one`)] : []),
    ...others.flatMap((path, at) => [
      ...(at === 0 || kindOf(path) !== kindOf(others[at - 1] ?? "") ? [heading(`${kindOf(path)}s`)] : []),
      choose(path, kindOf(path)),
    ]),
    heading("others"),
    {
      label: "No target",
      description: "only the cluster's network and names",
      does: "choose",
      target: targetless,
    },
    { label: "Type a target …", description: "kind/NAME, process/PID", does: "type" },
    ...(namespaces.length > 1
      ? [{ label: "Another namespace …", description: `now: ${namespace}`, does: "namespaces" } as const]
      : []),
  ];
}

function choose(target: string, description: string): TargetItem {
  return { label: target.replace(/^\w+\//, ""), description, does: "choose", target };
}

function heading(label: string): TargetItem {
  return { label, kind: separator, does: "nothing" };
}

function kindOf(path: string): string {
  return path.replace(/\/.*/, "");
}

function rank(path: string): number {
  const at = kinds.indexOf(kindOf(path));
  return at < 0 ? kinds.length : at;
}
