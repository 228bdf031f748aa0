// The rights that a session needs (docs/rbac.md), asked for while its target is looked for; deploy/ waits for
// the answer before it creates anything, so that where one is lacking nothing is created. Called by
// resolve.ts.

import { pauseOrEnd } from "../base/pause.ts";
import type { KubeClient } from "../kube/client.ts";
import { lackingRights, lacks, type Right } from "../kube/rights.ts";

/**
 * With a target: what is done to its pod. Newer servers call the WebSocket of a port-forward "create" as
 * well; all call it "get".
 */
const ofPod: readonly Right[] = [
  { verb: "get", resource: "pods", action: "watch the pod" },
  { verb: "patch", resource: "pods/ephemeralcontainers", action: "add an ephemeral container to the pod" },
  { verb: "get", resource: "pods/log", action: "read the log of the agent's container" },
  { verb: "get", resource: "pods/portforward", action: "forward a port of the pod" },
];
/** And where the agent is sent into its container. */
const ofSent: Right = {
  verb: "get",
  resource: "pods/attach",
  action: "send the agent to its container",
  otherwise: "Otherwise give the agent an image of its own: agent.image or --agent-image.",
};
/** Without one: the agent's Job and its pod. */
const ofJob: readonly Right[] = [
  { verb: "create", resource: "jobs", group: "batch", action: "create a Job" },
  { verb: "patch", resource: "jobs", group: "batch", action: "change a Job" },
  { verb: "list", resource: "pods", action: "list pods" },
  { verb: "get", resource: "pods", action: "watch the pod" },
  { verb: "get", resource: "pods/log", action: "read the log of the agent's container" },
  { verb: "get", resource: "pods/portforward", action: "forward a port of the pod" },
];
/** Without these a session works, with less; docs/rbac.md. */
const optional: readonly Right[] = [
  { verb: "list", resource: "events", action: "say early why an agent does not start" },
  { verb: "get", resource: "pods/attach", action: "hear the agent as soon as it runs" },
  { verb: "watch", resource: "pods", action: "see changes of a pod without polling" },
  { verb: "list", resource: "deployments", group: "apps", action: "list deployments" },
];
/** To find the pod of a deployment. */
const ofDeployment: readonly Right[] = [
  { verb: "list", resource: "pods", action: "list pods" },
  { verb: "get", resource: "deployments", group: "apps", action: "read deployments" },
  { verb: "get", resource: "replicasets", group: "apps", action: "read replica sets" },
];

/** The rights of docs/rbac.md for a target of `kind`, or none; and those without which it merely has less. */
export function allRights(
  kind: "pod" | "deployment" | "none",
  sends: boolean,
): { needed: Right[]; optional: Right[] } {
  const needed = kind === "none"
    ? [...ofJob]
    : [...(kind === "deployment" ? ofDeployment : []), ...ofPod, ...(sends ? [ofSent] : [])];
  const has = (right: Right) =>
    needed.some(({ verb, resource }) => verb === right.verb && resource === right.resource);
  return { needed, optional: optional.filter((right) => !has(right)) };
}

/** How long an answer may keep the session waiting that has its target. */
const patienceMilliseconds = 2000;

/** Throws KubeError when a right is lacking; call it before anything is created. */
export type RightsCheck = () => Promise<void>;

/**
 * Asks for the rights on the target's pod, now. podName: of the pod itself, "" where it is not known yet; a
 * role may be about some pods only, so what is lacking for all is asked once more for the one, whose name
 * `known` says by then. sends: the agent has no image.
 */
export function askPodRights(
  kube: KubeClient,
  podName: string,
  { known, signal, sends = false }: {
    known: () => string;
    signal: AbortSignal | undefined;
    sends?: boolean;
  },
): RightsCheck {
  const first = lackingRights(kube, sends ? [...ofPod, ofSent] : ofPod, podName, signal);
  return async () =>
    await patient(
      async () => {
        const lacking = await first;
        if (lacking.length === 0) return lacking;
        return podName === "" ? await lackingRights(kube, lacking, known(), signal) : lacking;
      },
      kube,
      signal,
    );
}

/** Asks for the rights to an agent's pod of its own, now. */
export function askJobRights(kube: KubeClient, signal: AbortSignal | undefined): RightsCheck {
  const asked = lackingRights(kube, ofJob, "", signal);
  return async () => await patient(() => asked, kube, signal);
}

async function patient(
  ask: () => Promise<Right[]>,
  kube: KubeClient,
  signal: AbortSignal | undefined,
): Promise<void> {
  const answered = new AbortController();
  const stop = AbortSignal.any([answered.signal, ...(signal === undefined ? [] : [signal])]);
  const lacking = await Promise.race([ask(), pauseOrEnd(patienceMilliseconds, stop).then(() => [])]);
  answered.abort();
  signal?.throwIfAborted();
  if (lacking.length > 0) throw lacks(lacking, kube.namespace);
}
