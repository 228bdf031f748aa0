// Checked file → resolved Config, with the rules that no schema can say (two keys that exclude each other, a
// filter that does not compile). Called by load.ts. Every rule broken adds a problem; none stops the others.

import { mirrordVersion } from "../base/version.ts";
import { imageRegistry, sentImage, usualImage } from "./agent_image.ts";
import { agentHasOwnPod, resolveAgentPod } from "./agent_pod.ts";
import type { AgentConfig, Config, EnvConfig, IncomingConfig, ProjectFile, TargetConfig } from "./config.ts";
import { asNames, type Checks, type Findings } from "./findings.ts";
import { resolveFloors } from "./floors.ts";
import { nameExpression } from "./name_pattern.ts";
import type { ConfigFile, EnvFile, FilterLeaf, HttpFilterFile, IncomingFile } from "./schema.ts";
import { isLogLevel, nearestLogLevel } from "./variables.ts";

/** The image that upstream's releases use, in any registry under that name. */
const upstreamImage = /(^|\/)metalbear-co\/mirrord(?=[:@]|$)/;

const incomingPath = ["feature", "network", "incoming"] as const;
const envPath = ["feature", "env"] as const;

/** Fills in defaults and checks the rules between keys. */
export function resolveConfig(
  raw: ConfigFile,
  options: {
    file: string | undefined;
    project: ProjectFile | null;
    checks: Checks;
    findings: Findings;
    targetLater: boolean;
  },
): Config {
  const { findings, file, project, targetLater } = options;
  const ownPod = agentHasOwnPod(raw);
  warnOfAgent(raw, ownPod, findings);
  const target = resolveTargetConfig(raw, findings);
  const isWrong = findings.errors.some(({ path }) => path[0] === "target");
  const mayGetTarget = target.path === undefined && (targetLater || isWrong);
  const hasTarget = mayGetTarget || (target.path !== undefined && target.path !== "targetless");
  const incoming = resolveIncoming(raw, options.checks, findings);
  if (incoming.mode === "steal" && !hasTarget) {
    findings.errors.push({
      path: [...incomingPath, "mode"],
      state: "there is no target to steal from",
      help: 'Name one: --target "deployment/NAME", or "target" in the file.',
    });
  }
  if (target.path === "targetless" && !targetLater && incoming.mode === "mirror" && asksForIncoming(raw)) {
    findings.warnings.push({
      path: [...incomingPath],
      state: "there is no target whose traffic could be mirrored",
    });
  }
  // Nobody runs by a configuration whose target is named later: it says what the file says.
  const isOn = hasTarget || targetLater;
  if (!isOn) incoming.mode = "off";
  return {
    target,
    kube: {
      kubeconfig: raw.kubeconfig,
      context: raw.kube_context,
      acceptInvalidCertificates: raw.accept_invalid_certificates,
    },
    agent: resolveAgent(raw, ownPod, findings),
    env: resolveEnv(raw.feature?.env ?? true, options.checks, findings),
    incoming,
    outputFolder: raw.ci?.output_dir,
    ...resolveFloors(raw, { hasTarget: isOn, hasCluster: isOn || ownPod }, options.checks, findings),
    file,
    project,
  };
}

function warnOfAgent({ agent = {} }: ConfigFile, ownPod: boolean, { warnings }: Findings): void {
  if (agent.ephemeral === ownPod) {
    const state = ownPod
      ? "it has no effect: without a target the agent has its own pod"
      : "the agent is always an ephemeral container";
    warnings.push({ path: ["agent", "ephemeral"], state });
  }
  if ((agent.resources?.claims ?? []).length > 0) {
    const state = "it has no effect: the agent's pod claims no devices";
    warnings.push({ path: ["agent", "resources", "claims"], state });
  }
  if (!ownPod && (agent.image_pull_secrets ?? []).length > 0) {
    warnings.push({
      path: ["agent", "image_pull_secrets"],
      state: "it has no effect: the agent's image is pulled with the secrets of the target's pod",
    });
  }
}

/** True: the file or a flag says what to do with incoming traffic; mirroring is the default. */
function asksForIncoming({ feature }: ConfigFile): boolean {
  const network = feature?.network;
  return typeof network === "object" && network.incoming !== undefined;
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
  if (findings.errors.some(({ path }) => path[0] === "target")) return { path: undefined, namespace };
  if ((pod === undefined) === (deployment === undefined)) {
    findings.errors.push({ path: ["target"], state: 'it names not exactly one of "pod" and "deployment"' });
    return { path: undefined, namespace };
  }
  const start = pod === undefined ? `deployment/${deployment}` : `pod/${pod}`;
  return { path: container === undefined ? start : `${start}/container/${container}`, namespace };
}

function resolveAgent(raw: ConfigFile, ownPod: boolean, findings: Findings): AgentConfig {
  const { agent = {} } = raw;
  const usual = usualImage(ownPod);
  const named = imageOf(agent.image) ?? usual;
  const isUpstream = upstreamImage.test(named);
  const image = isUpstream ? usual : named;
  const logLevel = nearestLogLevel(agent.log_level ?? "");
  if (agent.log_level !== undefined && !isLogLevel(agent.log_level)) {
    findings.warnings.push({
      path: ["agent", "log_level"],
      state: `"${agent.log_level}" is none of debug, info, warning, error: "${logLevel}" counts`,
    });
  }
  if (isUpstream) {
    findings.warnings.push({
      path: ["agent", "image"],
      state: `it has no effect: upstream's agent cannot serve this program, ${
        image === sentImage ? "its own is sent" : `"${image}" is used`
      }`,
    });
  }
  if (image === sentImage && agent.image_pull_policy !== undefined) {
    findings.warnings.push({
      path: ["agent", "image_pull_policy"],
      state: "it has no effect: the agent is sent, into a container of the target's own image",
    });
  }
  return {
    image,
    imagePullPolicy: image === sentImage ? "IfNotPresent" : agent.image_pull_policy ?? "IfNotPresent",
    startupTimeoutSeconds: agent.startup_timeout ?? 60,
    communicationTimeoutSeconds: agent.communication_timeout ?? 30,
    heartbeatTimeoutSeconds: agent.heartbeat_timeout ?? 2,
    lingerSeconds: agent.linger ?? 10,
    httpDetectionTimeoutSeconds: agent.http_detection_timeout ?? 2,
    logLevel,
    owner: agent.owner,
    allowHostNetwork: agent.allow_host_network ?? false,
    pod: ownPod ? resolveAgentPod(raw) : null,
  };
}

/** undefined: none is named. */
function imageOf(image: NonNullable<ConfigFile["agent"]>["image"]): string | undefined {
  if (typeof image === "string") return image;
  if (image?.registry === undefined && image?.tag === undefined) return undefined;
  return `${image.registry ?? imageRegistry}:${image.tag ?? mirrordVersion}`;
}

function resolveEnv(raw: boolean | EnvFile, checks: Checks, findings: Findings): EnvConfig | null {
  if (raw === false) return null;
  const given: EnvFile = raw === true ? {} : raw;
  const include = asNames(given.include);
  const exclude = asNames(given.exclude);
  // Only what is named comes: with nothing named, nothing does.
  if (given.include !== undefined && include.length === 0 && exclude.length === 0) {
    exclude.push("*");
    findings.warnings.push({
      path: [...envPath, "include"],
      state: "the list is empty, so none of the target's variables comes",
    });
  }
  if (include.length > 0 && exclude.length > 0) {
    findings.errors.push({
      path: [...envPath, "include"],
      state: `"include" and "exclude" cannot both be there`,
      help: "With include, every other variable is already left out.",
    });
  }
  if (given.mode === "allowlist") checkAllowlist(include, findings);
  for (const pattern of Object.keys(given.mapping ?? {})) {
    const state = checks.pattern(pattern) ?? unreadable(pattern);
    if (state !== null) findings.errors.push({ path: [...envPath, "mapping", pattern], state });
  }
  return {
    mode: given.mode ?? "denylist",
    include,
    exclude,
    // YAML and TOML read an unquoted 8080 as a number: a variable is text.
    override: Object.fromEntries(
      Object.entries(given.override ?? {}).map(([name, value]) => [name, String(value)]),
    ),
    mapping: given.mapping ?? {},
    unset: asNames(given.unset),
    envFile: given.env_file,
  };
}

/** An allowlist that names nothing, or everything, is none. */
function checkAllowlist(include: string[], findings: Findings): void {
  if (include.length === 0) {
    findings.errors.push({
      path: [...envPath, "mode"],
      state: `"allowlist" takes what "include" names, and that names nothing`,
      help: 'Name the variables: "include": ["DATABASE_URL", "APP_*"].',
    });
  }
  for (const pattern of include.filter((name) => /^[*?]+$/.test(name))) {
    findings.errors.push({
      path: [...envPath, "include"],
      state: `${JSON.stringify(pattern)} allows every name, so it is no allowlist`,
      help: 'Name the variables, or leave out "mode".',
    });
  }
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
    listenPorts: given.listen_ports ?? [],
    dynamicPorts: given.dynamic_ports ?? false,
    ...resolveFilter(given.http_filter, checks, findings),
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
  checkPairs(given.port_mapping ?? [], { key: "port_mapping", sides: ["local", "remote"] }, findings);
  checkPairs(given.listen_ports ?? [], { key: "listen_ports", sides: ["asked", "local"] }, findings);
}

function checkPairs(
  pairs: readonly (readonly [number, number])[],
  { key, sides }: { key: string; sides: readonly [string, string] },
  findings: Findings,
): void {
  const seen: [Set<number>, Set<number>] = [new Set(), new Set()];
  pairs.forEach(([first, second], index) => {
    const path = [...incomingPath, key, index];
    if (first === second) findings.warnings.push({ path, state: `it maps port ${first} to itself` });
    for (const [set, port, side] of [[seen[0], first, sides[0]], [seen[1], second, sides[1]]] as const) {
      if (set.has(port)) findings.errors.push({ path, state: `the ${side} port ${port} is mapped twice` });
      set.add(port);
    }
  });
}

/**
 * The filter as the text that session and agent compile ("" when there is none or it is wrong), and its
 * ports.
 */
function resolveFilter(
  raw: boolean | HttpFilterFile | undefined,
  checks: Checks,
  findings: Findings,
): Pick<IncomingConfig, "filter" | "filterPorts"> {
  const path = [...incomingPath, "http_filter"];
  const none = { filter: "", filterPorts: null };
  if (raw === true) findings.warnings.push({ path, state: "it names no filter, so nothing is filtered" });
  if (typeof raw === "boolean" || raw === undefined) return none;
  const { ports, header_filter, path_filter, method_filter, ...rest } = raw;
  const leaf: FilterLeaf = dropUndefined({
    header: header_filter,
    path: path_filter,
    method: method_filter,
    ...rest,
  });
  if (findings.errors.some((one) => one.path.join(".").startsWith(path.join(".")))) return none;
  const before = findings.errors.length;
  if (Object.keys(leaf).length === 0) {
    if (ports !== undefined) {
      findings.warnings.push({
        path: [...path, "ports"],
        state: "it has no effect: there is no filter, so nothing is filtered on any port",
      });
    }
    return none;
  }
  checkLeaf(leaf, path, findings);
  if (findings.errors.length > before) return none;
  const filter = JSON.stringify(leaf);
  const state = checks.filter(filter);
  if (state !== null) findings.errors.push({ path, state });
  return { filter, filterPorts: typeof ports === "number" ? [ports] : ports ?? null };
}

function checkLeaf(leaf: FilterLeaf, path: readonly (string | number)[], findings: Findings): void {
  const keys = Object.keys(dropUndefined(leaf));
  if (keys.length !== 1) {
    findings.errors.push({
      path,
      state: keys.length === 0
        ? "it contains no filter"
        : `it contains ${keys.length} filters at once (${keys.join(", ")})`,
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
