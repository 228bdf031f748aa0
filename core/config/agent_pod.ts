// The agent's own pod, which it has without a target: when there is one, and the keys of "agent" that
// describe it. Called by later.ts, which warns about these keys where the agent is an ephemeral container,
// and by resolve.ts.

import type { AgentPodConfig } from "./config.ts";
import type { ConfigFile } from "./schema.ts";

/** Keys of "agent" that only a pod of its own can have. */
export const agentPodKeys: readonly string[] = [
  "annotations",
  "disable_mesh_sidecar_injection",
  "labels",
  "namespace",
  "node_selector",
  "priority_class",
  "resources",
  "service_account",
  "tolerations",
  "ttl",
];

/**
 * What the agent may use when the configuration does not say: it holds no more than buffers of connections.
 */
const usualResources = {
  requests: { cpu: "1m", memory: "64Mi" },
  limits: { cpu: "1", memory: "512Mi" },
};
/** How long a finished agent stays, so that the reason of its end can be read. */
const usualTtlSeconds = 10;

/**
 * True: there is no target, and a cluster is meant: by "targetless", or by a namespace or a context.
 * `document` is a configuration, checked or not.
 */
export function agentHasOwnPod(document: { target?: unknown; kube_context?: unknown }): boolean {
  const { target, kube_context: context } = document;
  if (typeof target === "string") return target === "targetless";
  const given = Object.entries(target ?? {}).filter(([, value]) => value !== null && value !== undefined);
  const named = given.filter(([key]) => key !== "namespace");
  if (named.length > 0) return named.every(([key, value]) => key === "path" && value === "targetless");
  return given.length > 0 || (context !== null && context !== undefined);
}

/** The pod that the checked section "agent" describes. */
export function resolveAgentPod({ agent = {} }: ConfigFile): AgentPodConfig {
  return {
    namespace: agent.namespace,
    labels: agent.labels ?? {},
    annotations: agent.annotations ?? {},
    nodeSelector: agent.node_selector ?? {},
    tolerations: (agent.tolerations ?? []).map(withoutUndefined),
    priorityClass: agent.priority_class,
    serviceAccount: agent.service_account,
    pullSecrets: (agent.image_pull_secrets ?? []).map(({ name }) => name),
    resources: agent.resources === undefined ? usualResources : {
      requests: asTexts(agent.resources.requests),
      limits: asTexts(agent.resources.limits),
    },
    ttlSeconds: agent.ttl ?? usualTtlSeconds,
    joinsMesh: agent.disable_mesh_sidecar_injection === false,
  };
}

/** YAML reads an unquoted 1 as a number: a quantity is text. */
function asTexts(quantities: Record<string, string | number> = {}): Record<string, string> {
  return Object.fromEntries(Object.entries(quantities).map(([name, value]) => [name, String(value)]));
}

function withoutUndefined(values: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}
