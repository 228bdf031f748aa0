// Checked file → resolved Config, with the rules that no schema can say (two keys that exclude each other, a filter
// that does not compile). Called by load.ts. Every rule broken adds a problem; none stops the others.

import { mirrordVersion } from "../base/version.ts";
import type { AgentConfig, Config, EnvConfig, IncomingConfig, TargetConfig } from "./config.ts";
import { asList, type Checks, type Findings } from "./findings.ts";
import { resolveFloors } from "./floors.ts";
import { nameExpression } from "./name_pattern.ts";
import type { ConfigFile, EnvFile, FilterLeaf, HttpFilterFile, IncomingFile } from "./schema.ts";

const defaultRegistry = "localhost/mirrord-agent";
/** Agent image when the configuration names none; its tag is this release. */
export const defaultAgentImage: string = `${defaultRegistry}:${mirrordVersion}`;

const incomingPath = ["feature", "network", "incoming"] as const;
const envPath = ["feature", "env"] as const;

/** Fills in defaults and checks the rules between keys. */
export function resolveConfig(
  raw: ConfigFile,
  options: { file: string | undefined; checks: Checks; findings: Findings },
): Config {
  const { findings, file } = options;
  if (raw.agent?.ephemeral === false) {
    findings.warnings.push({
      path: ["agent", "ephemeral"],
      state: "the agent is always an ephemeral container",
    });
  }
  if ((raw.agent?.image_pull_secrets ?? []).length > 0) {
    findings.warnings.push({
      path: ["agent", "image_pull_secrets"],
      state: "it has no effect: the agent's image is pulled with the secrets of the target's pod",
    });
  }
  const target = resolveTargetConfig(raw, findings);
  const hasTarget = target.path !== undefined && target.path !== "targetless";
  const incoming = resolveIncoming(raw, options.checks, findings);
  if (incoming.mode === "steal" && !hasTarget) {
    findings.errors.push({
      path: [...incomingPath, "mode"],
      state: "there is no target to steal from",
      help: 'Name one: --target "deployment/NAME", or "target" in the file.',
    });
  }
  if (!hasTarget) incoming.mode = "off";
  return {
    target,
    kube: {
      kubeconfig: raw.kubeconfig,
      context: raw.kube_context,
      acceptInvalidCertificates: raw.accept_invalid_certificates,
    },
    agent: resolveAgent(raw),
    env: resolveEnv(raw.feature?.env ?? true, options.checks, findings),
    incoming,
    ...resolveFloors(raw, hasTarget, options.checks, findings),
    file,
  };
}

function resolveTargetConfig({ target }: ConfigFile, findings: Findings): TargetConfig {
  if (target === undefined || typeof target === "string") return { path: target, namespace: undefined };
  const { path, namespace, ...workload } = target;
  const hasWorkload = Object.keys(workload).length > 0;
  if (path !== undefined && hasWorkload) {
    findings.errors.push({
      path: ["target"],
      state: `"path" and "${Object.keys(workload)[0]}" cannot both be there`,
    });
  }
  if (typeof path === "string") return { path, namespace };
  const named = path ?? (hasWorkload ? workload : undefined);
  if (named === undefined) return { path: undefined, namespace };
  const { pod, deployment, container } = named;
  if ((pod === undefined) === (deployment === undefined)) {
    findings.errors.push({ path: ["target"], state: 'it names not exactly one of "pod" and "deployment"' });
    return { path: undefined, namespace };
  }
  const start = pod === undefined ? `deployment/${deployment}` : `pod/${pod}`;
  return { path: container === undefined ? start : `${start}/container/${container}`, namespace };
}

function resolveAgent({ agent = {} }: ConfigFile): AgentConfig {
  const { image } = agent;
  return {
    image: typeof image === "string"
      ? image
      : `${image?.registry ?? defaultRegistry}:${image?.tag ?? mirrordVersion}`,
    imagePullPolicy: agent.image_pull_policy ?? "IfNotPresent",
    startupTimeoutSeconds: agent.startup_timeout ?? 60,
    communicationTimeoutSeconds: agent.communication_timeout ?? 30,
    logLevel: agent.log_level ?? "info",
  };
}

function resolveEnv(raw: boolean | EnvFile, checks: Checks, findings: Findings): EnvConfig | null {
  if (raw === false) return null;
  const given: EnvFile = raw === true ? {} : raw;
  const include = asList(given.include);
  const exclude = asList(given.exclude);
  if (include.length > 0 && exclude.length > 0) {
    findings.errors.push({
      path: [...envPath, "include"],
      state: `"include" and "exclude" cannot both be there`,
      help: "With include, every other variable is already left out.",
    });
  }
  for (const pattern of Object.keys(given.mapping ?? {})) {
    const state = checks.pattern(pattern) ?? unreadable(pattern);
    if (state !== null) findings.errors.push({ path: [...envPath, "mapping", pattern], state });
  }
  return {
    include,
    exclude,
    // YAML and TOML read an unquoted 8080 as a number: a variable is text.
    override: Object.fromEntries(
      Object.entries(given.override ?? {}).map(([name, value]) => [name, String(value)]),
    ),
    mapping: given.mapping ?? {},
    unset: asList(given.unset),
    envFile: given.env_file,
  };
}

/** What the session, which needs the groups of a name's pattern, would say; null: it can be used. */
function unreadable(pattern: string): string | null {
  try {
    nameExpression(pattern);
    return null;
  } catch (cause) {
    return cause instanceof Error ? cause.message : String(cause);
  }
}

function resolveIncoming(raw: ConfigFile, checks: Checks, findings: Findings): IncomingConfig {
  const network = raw.feature?.network;
  const section = typeof network === "object" ? network.incoming : network;
  const given: IncomingFile = typeof section === "object"
    ? section
    : section === undefined
    ? {}
    : { mode: section === true ? "mirror" : section === false ? "off" : section };
  checkPorts(given, findings);
  return {
    mode: given.mode ?? "mirror",
    ports: given.ports ?? null,
    ignorePorts: given.ignore_ports ?? [],
    portMapping: given.port_mapping ?? [],
    ignoreLocalhost: given.ignore_localhost ?? false,
    filter: resolveFilter(given.http_filter, checks, findings),
    filterPorts: given.http_filter?.ports ?? null,
  };
}

function checkPorts(given: IncomingFile, findings: Findings): void {
  if (given.ports !== undefined && given.ignore_ports !== undefined) {
    findings.errors.push({
      path: [...incomingPath, "ignore_ports"],
      state: `"ports" and "ignore_ports" cannot both be there`,
      help: "With ports, every other port is already left alone.",
    });
  }
  const seen: [Set<number>, Set<number>] = [new Set(), new Set()];
  (given.port_mapping ?? []).forEach(([local, remote], index) => {
    const path = [...incomingPath, "port_mapping", index];
    if (local === remote) findings.warnings.push({ path, state: `it maps port ${local} to itself` });
    for (const [set, port, side] of [[seen[0], local, "local"], [seen[1], remote, "remote"]] as const) {
      if (set.has(port)) findings.errors.push({ path, state: `the ${side} port ${port} is mapped twice` });
      set.add(port);
    }
  });
}

/** The filter as the text that session and agent compile; "" when there is none or it is wrong. */
function resolveFilter(raw: HttpFilterFile | undefined, checks: Checks, findings: Findings): string {
  if (raw === undefined) return "";
  const path = [...incomingPath, "http_filter"];
  const { ports, header_filter, path_filter, method_filter, ...rest } = raw;
  const leaf: FilterLeaf = dropUndefined({
    header: header_filter,
    path: path_filter,
    method: method_filter,
    ...rest,
  });
  const before = findings.errors.length;
  if (Object.keys(leaf).length === 0) {
    if (ports !== undefined) {
      findings.errors.push({
        path,
        state: "it has ports and no filter",
        help: "Add a filter, or use incoming.ports.",
      });
    }
    return "";
  }
  checkLeaf(leaf, path, findings);
  if (findings.errors.length > before) return "";
  const source = JSON.stringify(leaf);
  const state = checks.filter(source);
  if (state !== null) findings.errors.push({ path, state });
  return source;
}

function checkLeaf(leaf: FilterLeaf, path: readonly (string | number)[], findings: Findings): void {
  const keys = Object.keys(dropUndefined(leaf));
  if (keys.length !== 1) {
    findings.errors.push({
      path,
      state: keys.length === 0
        ? "it says no filter"
        : `it says ${keys.length} filters at once (${keys.join(", ")})`,
      help: keys.length === 0 ? 'Write "header", "path" or "method".' : 'Put them into "all_of" or "any_of".',
    });
  }
  for (const key of ["all_of", "any_of"] as const) {
    const members = leaf[key];
    if (members?.length === 0) findings.errors.push({ path: [...path, key], state: "the list is empty" });
    members?.forEach((member, index) => checkLeaf(member, [...path, key, index], findings));
  }
  if (leaf.not !== undefined) checkLeaf(leaf.not, [...path, "not"], findings);
}

function dropUndefined(leaf: FilterLeaf): FilterLeaf {
  return Object.fromEntries(Object.entries(leaf).filter(([, value]) => value !== undefined));
}
