// Keys of the configuration format that this release knows by name and does not support.
// Called by load.ts before the schema's checks. The invariant: none is ignored in silence. A value that asks for
// what is not there is an error where running without it could do harm or mean something else than was asked, a
// warning where the program merely runs without it; a value that means "off" is accepted.

import type { Problem } from "./issues.ts";

interface LaterKey {
  /** Values that ask for nothing. */
  off: (value: unknown) => boolean;
  level: "error" | "warning";
  state: string;
  help?: string;
}

const isFalse = (value: unknown): boolean => value === false;
const isTrue = (value: unknown): boolean => value === true;
const never = (): boolean => false;
const isEmpty = (value: unknown): boolean =>
  value === false || value === null || value === "" || (Array.isArray(value) && value.length === 0);

const notYet = (what: string, off: LaterKey["off"]): LaterKey => ({
  off,
  level: "warning",
  state: `${what} is not in this release yet, so it stays local`,
});
const noEffect = (why: string, off: LaterKey["off"] = never): LaterKey => ({
  off,
  level: "warning",
  state: `it has no effect: ${why}`,
});
const refused = (state: string, off: LaterKey["off"] = isEmpty, help?: string): LaterKey => ({
  off,
  level: "error",
  state,
  ...(help === undefined ? {} : { help }),
});

const ephemeralOnly = "the agent is always an ephemeral container of the target's pod";
const noOperator = "there is no operator";
const noProxy = "there is no proxy process";
const leave = "Leave the key out.";

const laterKeys: Readonly<Record<string, LaterKey>> = {
  "feature.network.outgoing.unix_streams": notYet("connecting to Unix sockets of the target", isEmpty),
  "feature.network.ipv6": noEffect("IPv6 is always on", isTrue),
  "feature.network.incoming.listen_ports": refused("choosing local ports is not supported yet"),
  "feature.network.incoming.on_concurrent_steal": noEffect(
    "a port that another session steals is refused",
    (value) => value === "abort",
  ),
  "feature.network.incoming.tls_delivery": refused("stealing TLS is not supported yet"),
  "feature.network.incoming.https_delivery": refused("stealing TLS is not supported yet"),
  "feature.network.incoming.http_filter.header_filter_jq": refused("jq filters are not supported yet"),
  "feature.network.incoming.http_filter.body_filter": refused("filters on the body are not supported yet"),
  "feature.env.load_from_process": noEffect("the environment is read before the program starts", isFalse),
  "feature.magic": noEffect("nothing is changed that the configuration does not say", isFalse),
  "feature.copy_target": refused(
    "copying the target is not supported",
    (value) => isEmpty(value) || (isObject(value) && value["enabled"] === false),
    leave,
  ),
  "feature.split_queues": refused("splitting queues is not supported", isEmpty, leave),
  "feature.preview": refused("preview environments are not supported", isEmpty, leave),
  "feature.db_branches": refused("database branches are not supported", isEmpty, leave),
  "agent.namespace": refused(ephemeralOnly, isEmpty, `${leave} The agent runs in the target's namespace.`),
  "agent.resources": refused(`${ephemeralOnly}, and Kubernetes allows those no resources`, isEmpty, leave),
  "agent.privileged": refused("the agent is never privileged", isFalse, leave),
  "agent.security_context": refused("the agent's security context is fixed", isEmpty, leave),
  "agent.disabled_capabilities": refused(
    "the agent asks only for the capabilities that the configuration needs",
    isEmpty,
    leave,
  ),
  "agent.clean_iptables_on_start": noEffect("iptables is not used"),
  "agent.nftables": noEffect("iptables is not used"),
  "agent.flush_connections": noEffect("connections that are already open stay with the target", isFalse),
  "agent.external_ip_fix": noEffect("the target is reached whatever address it listens on", isTrue),
  "agent.exclude_from_mesh": noEffect("the agent listens on the pod's loopback only", isFalse),
  "agent.disable_mesh_sidecar_injection": noEffect(ephemeralOnly, isTrue),
  "agent.check_out_of_pods": noEffect(ephemeralOnly),
  "agent.annotations": noEffect(ephemeralOnly),
  "agent.labels": noEffect(ephemeralOnly),
  "agent.node_selector": noEffect(ephemeralOnly),
  "agent.tolerations": noEffect(ephemeralOnly),
  "agent.priority_class": noEffect(ephemeralOnly),
  "agent.service_account": noEffect(ephemeralOnly),
  "agent.ttl": noEffect(ephemeralOnly),
  "agent.json_log": noEffect("the agent's log is plain text", isFalse),
  "agent.dns": noEffect("names are resolved with the limits of the target's resolv.conf"),
  "agent.metrics": noEffect("the agent has no metrics yet"),
  "agent.http_detection_timeout": noEffect("it cannot be changed yet"),
  "agent.inject_headers": noEffect("responses are never changed", isFalse),
  "agent.override_cache_control": noEffect("responses are never changed", isFalse),
  "agent.jaq_time_limit": noEffect("jq filters are not supported yet"),
  "agent.max_body_buffer_size": noEffect("filters on the body are not supported yet"),
  "agent.max_body_buffer_timeout": noEffect("filters on the body are not supported yet"),
  ...Object.fromEntries(
    ["rollout", "job", "cron_job", "stateful_set", "service", "replica_set", "labels"].flatMap((kind) =>
      [`target.${kind}`, `target.path.${kind}`].map((key) => [
        key,
        refused("targets of this kind are not supported yet", never, 'Name a "pod" or a "deployment".'),
      ])
    ),
  ),
  skip_sip: noEffect("macOS is not supported yet", isEmpty),
  sip_binaries: noEffect("macOS is not supported yet", isEmpty),
  operator: refused(noOperator, isFalse, 'Leave the key out, or set it to "false".'),
  profile: refused(`profiles belong to an operator, and ${noOperator}`, isEmpty, leave),
  multi_cluster: refused(noOperator, isFalse, leave),
  baggage: noEffect(noOperator),
  traceparent: noEffect(noOperator),
  api: noEffect("the session has no socket for other programs yet", isFalse),
  ci: noEffect("it is for commands that are not in this release yet"),
  container: noEffect("it is for commands that are not in this release yet"),
  experimental: noEffect("none of these switches exist here"),
  internal_proxy: noEffect(noProxy),
  external_proxy: noEffect(noProxy),
  startup_retry: noEffect("how calls to Kubernetes are retried cannot be changed yet"),
  use_proxy: noEffect("proxy variables are always honoured", isTrue),
};

/** Takes the keys above out of `document` (changing it) and says what has to be said about each. */
export function takeLaterKeys(
  document: Record<string, unknown>,
): { errors: Problem[]; warnings: Problem[] } {
  const errors: Problem[] = [];
  const warnings: Problem[] = [];
  for (const [key, rule] of Object.entries(laterKeys)) {
    const path = key.split(".");
    const last = path[path.length - 1] ?? key;
    const parent = parentOf(document, path);
    if (parent === undefined || !Object.hasOwn(parent, last)) continue;
    const value = parent[last];
    delete parent[last];
    if (rule.off(value)) continue;
    const problem = { path, state: rule.state, ...(rule.help === undefined ? {} : { help: rule.help }) };
    (rule.level === "error" ? errors : warnings).push(problem);
  }
  return { errors, warnings };
}

/** Names of these keys directly under `path`, for "did you mean". */
export function laterKeysAt(path: string): string[] {
  const start = path === "" ? "" : `${path}.`;
  return Object.keys(laterKeys)
    .filter((key) => key.startsWith(start) && !key.slice(start.length).includes("."))
    .map((key) => key.slice(start.length));
}

function parentOf(
  document: Record<string, unknown>,
  path: readonly string[],
): Record<string, unknown> | undefined {
  let node: unknown = document;
  for (const part of path.slice(0, -1)) {
    if (!isObject(node) || !Object.hasOwn(node, part)) return undefined;
    node = node[part];
  }
  return isObject(node) ? node : undefined;
}

/** A plain table, not a list. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
