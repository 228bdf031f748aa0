// Keys of the configuration format that this release knows by name and does not support. Called by load.ts
// before the schema's checks. The invariant: none is ignored in silence. A value that asks for what is not
// there is an error where running without it could do harm or mean something different from what was asked, a
// warning where the program merely runs without it; a value that means "off" is accepted.

import { agentHasOwnPod, agentPodKeys } from "./agent_pod.ts";
import type { Problem } from "./issues.ts";

interface LaterKey {
  /** Values that ask for nothing; so does an empty object, unless `emptyAsks`. */
  off: (value: unknown, document: Record<string, unknown>) => boolean;
  emptyAsks?: true;
  level: "error" | "warning";
  state: string;
  help?: string;
}

const isFalse = (value: unknown): boolean => value === false;
const isTrue = (value: unknown): boolean => value === true;
const never = (): boolean => false;
const isEmpty = (value: unknown): boolean =>
  value === false || value === "" || (Array.isArray(value) && value.length === 0);
const isTargetNamespace = (value: unknown, document: Record<string, unknown>): boolean =>
  isEmpty(value) || (isObject(document["target"]) && document["target"]["namespace"] === value);

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

/** Members of a filter on the body, or of one by a jq expression ("query" alone). */
const bodyKeys = ["body", "query", "matches"];

const ephemeralOnly = "the agent is always an ephemeral container of the target's pod";
const noOperator = "there is no operator";
const noProxy = "there is no proxy process";
const leave = "Leave the key out.";

/**
 * TLS is not decrypted here: what comes encrypted reaches the app encrypted, as "tls" says and "tcp" does
 * not.
 */
function tlsDelivery(key: string): Record<string, LaterKey> {
  return {
    [`${key}.protocol`]: refused(
      "stealing TLS is not supported yet, so the app cannot get it as plain text",
      (value) => value === "tls",
      'Leave the key out, or write "tls".',
    ),
    [key]: noEffect("stolen TLS reaches the app as its client sent it", isEmpty),
  };
}

const laterKeys: Readonly<Record<string, LaterKey>> = {
  "feature.network.outgoing.unix_streams": notYet("connecting to Unix sockets of the target", isEmpty),
  "feature.network.ipv6": noEffect("IPv6 is always on", isTrue),
  "feature.network.incoming.on_concurrent_steal": noEffect(
    "a port that another session steals is refused",
    (value) => value === "abort",
  ),
  ...tlsDelivery("feature.network.incoming.tls_delivery"),
  ...tlsDelivery("feature.network.incoming.https_delivery"),
  "feature.network.incoming.http_filter.header_filter_jq": refused("jq filters are not supported yet"),
  "feature.network.incoming.http_filter.body_filter": refused("filters on the body are not supported yet"),
  "feature.env.load_from_process": noEffect("the environment is read before the program starts", isFalse),
  "feature.magic.aws": noEffect("variables and files of AWS stay as they are", isFalse),
  "feature.magic.turbo": noEffect("the app's own listeners are found without it", isFalse),
  "feature.copy_target": {
    ...refused(
      "copying the target is not supported",
      (value) => isEmpty(value) || (isObject(value) && value["enabled"] === false),
      leave,
    ),
    emptyAsks: true,
  },
  "feature.split_queues": refused("splitting queues is not supported", isEmpty, leave),
  "feature.preview": refused("preview environments are not supported", isEmpty, leave),
  "feature.db_branches": refused("database branches are not supported", isEmpty, leave),
  "agent.namespace": noEffect("the agent runs in the target's namespace", isTargetNamespace),
  "agent.resources": noEffect(`${ephemeralOnly}, and Kubernetes allows those no resources`, isEmpty),
  "agent.privileged": noEffect("the agent is never privileged", isFalse),
  "agent.security_context": noEffect("the agent's security context is fixed", isEmpty),
  "agent.disabled_capabilities": noEffect(
    "the agent asks only for the capabilities that the configuration needs",
    isEmpty,
  ),
  "agent.clean_iptables_on_start": noEffect("iptables is not used"),
  "agent.nftables": noEffect("iptables is not used"),
  "agent.flush_connections": noEffect("connections that are already open stay with the target", isFalse),
  "agent.external_ip_fix": noEffect("the target is reached whatever address it listens on", isTrue),
  "agent.exclude_from_mesh": noEffect("the agent listens on the pod's loopback only", isFalse),
  "agent.disable_mesh_sidecar_injection": noEffect(ephemeralOnly, isTrue),
  "agent.check_out_of_pods": noEffect("no node is chosen for the agent, so none is looked at"),
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
  operator: noEffect(noOperator, isFalse),
  profile: refused(`profiles belong to an operator, and ${noOperator}`, isEmpty, leave),
  multi_cluster: noEffect(noOperator, isFalse),
  baggage: noEffect(noOperator),
  traceparent: noEffect(noOperator),
  api: noEffect("the session has no socket for other programs yet", isFalse),
  container: noEffect("mirrord container needs no image of its own, and no second container"),
  experimental: noEffect("none of these switches exist here"),
  internal_proxy: noEffect(noProxy),
  external_proxy: noEffect(noProxy),
  startup_retry: noEffect("how calls to Kubernetes are retried cannot be changed yet"),
  use_proxy: noEffect("proxy variables are always used", isTrue),
};

/** Takes the keys above out of `document` (changing it) and reports each that was given. */
export function takeLaterKeys(
  document: Record<string, unknown>,
): { errors: Problem[]; warnings: Problem[] } {
  const errors: Problem[] = [];
  const warnings: Problem[] = [];
  const taken = agentHasOwnPod(document) ? agentPodKeys.map((key) => `agent.${key}`) : [];
  for (const [key, rule] of Object.entries(laterKeys)) {
    if (taken.includes(key)) continue;
    const path = key.split(".");
    const last = path[path.length - 1] ?? key;
    const parent = parentOf(document, path);
    if (parent === undefined || !Object.hasOwn(parent, last)) continue;
    const value = parent[last];
    delete parent[last];
    if (rule.off(value, document) || (!rule.emptyAsks && isVoid(value))) continue;
    const { help } = rule;
    const { path: precise, members } = narrowed(path, value);
    const state = members.length === 0 ? rule.state : `${rule.state} (${members.join(", ")})`;
    const problem = { path: precise, state, ...(help === undefined ? {} : { help }) };
    (rule.level === "error" ? errors : warnings).push(problem);
  }
  errors.push(...takeBodyFilters(document));
  return { errors, warnings };
}

function isVoid(value: unknown): boolean {
  return isObject(value) && Object.keys(value).length === 0;
}

/** The key that is meant where an object holds one, otherwise the names of all that it holds. */
function narrowed(path: readonly string[], value: unknown): { path: readonly string[]; members: string[] } {
  const members = isObject(value) ? Object.entries(value) : [];
  const [[only, inner] = []] = members;
  return members.length === 1 && only !== undefined
    ? narrowed([...path, only], inner)
    : { path, members: members.map(([name]) => name) };
}

/** Filters on the body inside `any_of`, `all_of` and `not`, each named by the member that asks for it. */
function takeBodyFilters(document: Record<string, unknown>): Problem[] {
  const path = "feature.network.incoming.http_filter".split(".");
  const filter = parentOf(document, [...path, ""]);
  const found: Problem[] = [];
  const take = (node: unknown, at: (string | number)[]): void => {
    if (!isObject(node)) return;
    for (const list of ["all_of", "any_of"]) {
      const members: unknown = node[list];
      if (Array.isArray(members)) members.forEach((member, index) => take(member, [...at, list, index]));
    }
    take(node["not"], [...at, "not"]);
    if (at.length === path.length) return;
    const asked = bodyKeys.filter((key) => Object.hasOwn(node, key));
    for (const key of asked) delete node[key];
    if (asked.length === 0) return;
    const state = "filters on the body are not supported yet";
    found.push(
      asked.length === 1
        ? { path: [...at, ...asked], state }
        : { path: at, state: `${state} (${asked.join(", ")})` },
    );
  };
  take(filter, path);
  return found;
}

/** Names of these keys directly under `path`, for "did you mean". */
export function laterKeysAt(path: string): string[] {
  const start = path === "" ? "" : `${path}.`;
  return Object.keys(laterKeys)
    .filter((key) => key.startsWith(start) && !key.slice(start.length).includes("."))
    .map((key) => key.slice(start.length));
}

/** True for a key that is known by name here, and for whatever stands below one. */
export function isLaterKey(path: readonly (string | number)[]): boolean {
  const isMember = path.some((part) => part === "all_of" || part === "any_of" || part === "not");
  if (isMember && bodyKeys.includes(String(path[path.length - 1]))) return true;
  return path.some((_, index) => Object.hasOwn(laterKeys, path.slice(0, index + 1).join(".")));
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
