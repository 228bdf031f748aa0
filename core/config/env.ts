// What flags and MIRRORD_* variables change: each is a value put at one path of the configuration document,
// so that file, variables and flags go through the same checks. Called by load.ts.
// Precedence (lowest first): default, file, variable, flag.

import { isObject } from "./later.ts";
import type { Problem } from "./issues.ts";

/** The flags of `exec` and its like that belong to the configuration; undefined = not given. */
export interface ConfigFlags {
  target?: string | undefined;
  namespace?: string | undefined;
  kubeconfig?: string | undefined;
  context?: string | undefined;
  acceptInvalidCertificates?: boolean | undefined;
  steal?: boolean | undefined;
  /** Each "LOCAL:POD". */
  portMap?: readonly string[] | undefined;
  /** Each "header: PATTERN", or path or method; a request must match all of them. */
  httpFilter?: readonly string[] | undefined;
  agentImage?: string | undefined;
  agentLogLevel?: string | undefined;
  agentStartupTimeout?: string | undefined;
  envInclude?: string | undefined;
  envExclude?: string | undefined;
  envFile?: string | undefined;
  fsMode?: string | undefined;
  remoteDns?: boolean | undefined;
  tcpOutgoing?: boolean | undefined;
  udpOutgoing?: boolean | undefined;
  skipProcesses?: string | undefined;
  key?: string | undefined;
  agentNamespace?: string | undefined;
  agentTtl?: string | undefined;
  linger?: string | undefined;
  ephemeral?: boolean | undefined;
  telemetry?: boolean | undefined;
}

/** Read access to variables; `Deno.env` and a Map both are one. */
export interface Variables {
  get(name: string): string | undefined;
  /** All of them; a Map has keys instead. */
  toObject?(): Record<string, string>;
}

/** One value from outside the file, and what to call its source in an error. */
export interface Override {
  path: string;
  value: unknown;
  source: string;
}

type Kind =
  | "text"
  | "bool"
  | "list"
  | "number"
  | "steal"
  | "numbers"
  | "readFiles"
  | "writeFiles"
  | "pairs"
  | "filters";

const flagPaths: Readonly<Record<keyof ConfigFlags, [flag: string, path: string, kind: Kind]>> = {
  target: ["--target", "target.path", "text"],
  namespace: ["--target-namespace", "target.namespace", "text"],
  kubeconfig: ["--kubeconfig", "kubeconfig", "text"],
  context: ["--context", "kube_context", "text"],
  acceptInvalidCertificates: ["--accept-invalid-certificates", "accept_invalid_certificates", "bool"],
  steal: ["--steal", "feature.network.incoming.mode", "steal"],
  portMap: ["--port-map", "feature.network.incoming.port_mapping", "pairs"],
  httpFilter: ["--http-filter", "feature.network.incoming.http_filter", "filters"],
  agentImage: ["--agent-image", "agent.image", "text"],
  agentLogLevel: ["--agent-log-level", "agent.log_level", "text"],
  agentStartupTimeout: ["--agent-startup-timeout", "agent.startup_timeout", "number"],
  envInclude: ["--override-env-vars-include", "feature.env.include", "list"],
  envExclude: ["--override-env-vars-exclude", "feature.env.exclude", "list"],
  envFile: ["--env-file", "feature.env.env_file", "text"],
  fsMode: ["--fs-mode", "feature.fs.mode", "text"],
  remoteDns: ["--no-remote-dns", "feature.network.dns.enabled", "bool"],
  tcpOutgoing: ["--no-tcp-outgoing", "feature.network.outgoing.tcp", "bool"],
  udpOutgoing: ["--no-udp-outgoing", "feature.network.outgoing.udp", "bool"],
  linger: ["--linger", "agent.linger", "number"],
  agentNamespace: ["--agent-namespace", "agent.namespace", "text"],
  agentTtl: ["--agent-ttl", "agent.ttl", "number"],
  ephemeral: ["--ephemeral-container", "agent.ephemeral", "bool"],
  telemetry: ["--no-telemetry", "telemetry", "bool"],
  key: ["--key", "key", "text"],
  skipProcesses: ["--skip-processes", "skip_processes", "list"],
};

/** Variables of the configuration format; those of features not there yet are reported by later.ts. */
const variablePaths: readonly [variable: string, path: string, kind: Kind][] = [
  ["MIRRORD_IMPERSONATED_TARGET", "target.path", "text"],
  ["MIRRORD_TARGET_NAMESPACE", "target.namespace", "text"],
  ["MIRRORD_KUBECONFIG", "kubeconfig", "text"],
  ["MIRRORD_KUBE_CONTEXT", "kube_context", "text"],
  ["MIRRORD_ACCEPT_INVALID_CERTIFICATES", "accept_invalid_certificates", "bool"],
  ["MIRRORD_TELEMETRY", "telemetry", "bool"],
  ["MIRRORD_AGENT_TCP_STEAL_TRAFFIC", "feature.network.incoming.mode", "steal"],
  ["MIRRORD_HTTP_HEADER_FILTER", "feature.network.incoming.http_filter.header_filter", "text"],
  ["MIRRORD_HTTP_PATH_FILTER", "feature.network.incoming.http_filter.path_filter", "text"],
  ["MIRRORD_HTTP_METHOD_FILTER", "feature.network.incoming.http_filter.method_filter", "text"],
  ["MIRRORD_HTTP_HEADER_FILTER_JQ", "feature.network.incoming.http_filter.header_filter_jq", "text"],
  ["MIRRORD_HTTP_FILTER_PORTS", "feature.network.incoming.http_filter.ports", "numbers"],
  ["MIRRORD_AGENT_IMAGE", "agent.image", "text"],
  ["MIRRORD_AGENT_IMAGE_PULL_POLICY", "agent.image_pull_policy", "text"],
  ["MIRRORD_AGENT_RUST_LOG", "agent.log_level", "text"],
  ["MIRRORD_AGENT_STARTUP_TIMEOUT", "agent.startup_timeout", "number"],
  ["MIRRORD_AGENT_COMMUNICATION_TIMEOUT", "agent.communication_timeout", "number"],
  ["MIRRORD_AGENT_HEARTBEAT_TIMEOUT", "agent.heartbeat_timeout", "number"],
  ["MIRRORD_AGENT_LINGER", "agent.linger", "number"],
  ["MIRRORD_AGENT_NAMESPACE", "agent.namespace", "text"],
  ["MIRRORD_AGENT_TTL", "agent.ttl", "number"],
  ["MIRRORD_EPHEMERAL_CONTAINER", "agent.ephemeral", "bool"],
  ["MIRRORD_OVERRIDE_ENV_VARS_INCLUDE", "feature.env.include", "list"],
  ["MIRRORD_OVERRIDE_ENV_VARS_EXCLUDE", "feature.env.exclude", "list"],
  ["MIRRORD_OVERRIDE_ENV_VARS_FILE", "feature.env.env_file", "text"],
  ["MIRRORD_ENV_LOAD_FROM_PROCESS", "feature.env.load_from_process", "bool"],
  ["MIRRORD_FILE_RO_OPS", "feature.fs.mode", "readFiles"],
  ["MIRRORD_FILE_OPS", "feature.fs.mode", "writeFiles"],
  ["MIRRORD_FILE_MODE", "feature.fs.mode", "text"],
  ["MIRRORD_FILE_READ_WRITE_PATTERN", "feature.fs.read_write", "list"],
  ["MIRRORD_FILE_READ_ONLY_PATTERN", "feature.fs.read_only", "list"],
  ["MIRRORD_FILE_LOCAL_PATTERN", "feature.fs.local", "list"],
  ["MIRRORD_REMOTE_DNS", "feature.network.dns.enabled", "bool"],
  ["MIRRORD_TCP_OUTGOING", "feature.network.outgoing.tcp", "bool"],
  ["MIRRORD_UDP_OUTGOING", "feature.network.outgoing.udp", "bool"],
  ["MIRRORD_OUTGOING_IGNORE_LOCALHOST", "feature.network.outgoing.ignore_localhost", "bool"],
  ["MIRRORD_OUTGOING_REMOTE_UNIX_STREAMS", "feature.network.outgoing.unix_streams", "list"],
  ["MIRRORD_ENABLE_IPV6", "feature.network.ipv6", "bool"],
  ["MIRRORD_SKIP_PROCESSES", "skip_processes", "list"],
  ["MIRRORD_SKIP_BUILD_TOOLS", "skip_build_tools", "bool"],
  ["MIRRORD_SKIP_EXTRA_BUILD_TOOLS", "skip_extra_build_tools", "list"],
  ["MIRRORD_SKIP_SIP", "skip_sip", "list"],
  ["MIRRORD_API", "api", "bool"],
  ["MIRRORD_KEY", "key", "text"],
  ["MIRRORD_MULTI_CLUSTER", "multi_cluster", "bool"],
  ["MIRRORD_PROXY", "use_proxy", "bool"],
  ["MIRRORD_OPERATOR_ON_CONCURRENT_STEAL", "feature.network.incoming.on_concurrent_steal", "text"],
  ["MIRRORD_AGENT_CLEAN_IPTABLES_ON_START", "agent.clean_iptables_on_start", "bool"],
  ["MIRRORD_AGENT_EXCLUDE_FROM_MESH", "agent.exclude_from_mesh", "bool"],
  ["MIRRORD_AGENT_EXTERNAL_IP_FIX", "agent.external_ip_fix", "bool"],
  ["MIRRORD_AGENT_STEALER_FLUSH_CONNECTIONS", "agent.flush_connections", "bool"],
  ["MIRRORD_AGENT_HTTP_DETECTION_TIMEOUT", "agent.http_detection_timeout", "number"],
  ["MIRRORD_AGENT_IMAGE_REGISTRY", "agent.image.registry", "text"],
  ["MIRRORD_AGENT_IMAGE_TAG", "agent.image.tag", "text"],
  ["MIRRORD_AGENT_JSON_LOG", "agent.json_log", "bool"],
  ["MIRRORD_OPERATOR_ENABLE", "operator", "bool"],
];

/** The names of these variables. */
export const keyVariables: readonly string[] = variablePaths.map(([name]) => name);

/** Lists in variables and flags are separated by `;`. */
const listSeparator = ";";

/** The values that flags and variables give, in the order in which they are to be applied. */
export function collectOverrides(
  flags: ConfigFlags,
  variables: Variables,
): { overrides: Override[]; problems: Problem[] } {
  const overrides: Override[] = [];
  const problems: Problem[] = [];
  const take = (source: string, path: string, kind: Kind, given: Given) => {
    const value = convert(kind, given);
    if (value === undefined) {
      const said = typeof given === "object" ? given.join(", ") : given;
      problems.push({ path: [source], state: `"${said}" is not ${kindWords[kind]}` });
    } else overrides.push({ path, value, source });
  };
  for (const [name, path, kind] of variablePaths) {
    const given = variables.get(name);
    if (given !== undefined && given !== "") take(name, path, kind, given);
  }
  for (const [name, [flag, path, kind]] of Object.entries(flagPaths)) {
    const given: unknown = Reflect.get(flags, name);
    if (typeof given === "string" || typeof given === "boolean" || Array.isArray(given)) {
      take(flag, path, kind, given);
    }
  }
  return { overrides, problems };
}

const kindWords: Readonly<Record<Kind, string>> = {
  text: "a text",
  bool: "true or false",
  steal: "true or false",
  readFiles: "true or false",
  writeFiles: "true or false",
  list: "a list",
  number: "a whole number",
  numbers: "a list of whole numbers",
  pairs: "LOCAL:POD, such as 3000:8080: the app listens on 3000, the pod on 8080",
  filters: 'a filter such as "header: ^x-user: ana$" (or path: or method:)',
};

/** Several of them for a flag that can be repeated. */
type Given = string | boolean | readonly string[];

function convert(kind: Kind, given: Given): unknown {
  if (typeof given !== "string" && typeof given !== "boolean") return convertAll(kind, given);
  switch (kind) {
    case "text":
      return String(given);
    case "bool":
      return readBool(given);
    case "steal": {
      const steal = readBool(given);
      return steal === undefined ? undefined : steal ? "steal" : "mirror";
    }
    case "readFiles":
    case "writeFiles": {
      const on = readBool(given);
      return on === undefined ? undefined : !on ? "local" : kind === "readFiles" ? "read" : "write";
    }
    case "list":
      return String(given).split(listSeparator).filter((part) => part !== "");
    case "number":
      return readNumber(String(given));
    case "numbers": {
      const numbers = String(given).split(/[;,]/).filter((part) => part !== "").map(readNumber);
      return numbers.includes(undefined) ? undefined : numbers;
    }
    case "pairs":
      return readPair(String(given));
    case "filters":
      return readFilter(String(given));
  }
}

/** A flag that was repeated; undefined when one of its values is wrong. */
function convertAll(kind: Kind, given: readonly string[]): unknown {
  const values = given.map((one) => convert(kind, one));
  if (values.includes(undefined)) return undefined;
  return kind === "filters" ? { all_of: values } : values;
}

function readPair(given: string): [number, number] | undefined {
  const [, local, pod] = /^(\d{1,5}):(\d{1,5})$/.exec(given.trim()) ?? [];
  return local === undefined || pod === undefined ? undefined : [Number(local), Number(pod)];
}

/** Header filters match "name: value" as text, so only the first colon is the flag's own. */
function readFilter(given: string): Record<string, string> | undefined {
  const [, part, pattern] = /^\s*(header|path|method)\s*:\s*([^]+)$/.exec(given) ?? [];
  return part === undefined || pattern === undefined ? undefined : { [part]: pattern };
}

function readBool(given: string | boolean): boolean | undefined {
  if (typeof given === "boolean") return given;
  if (/^(true|1)$/i.test(given)) return true;
  return /^(false|0)$/i.test(given) ? false : undefined;
}

function readNumber(given: string): number | undefined {
  return /^[0-9]{1,9}$/.test(given.trim()) ? Number(given) : undefined;
}

/**
 * Puts `override` into `document`. What stands on the way in short form ("steal", true, "pod/x") is first
 * written out, so that a flag changes one thing and leaves the rest of the file as it is.
 */
export function applyOverride(document: Record<string, unknown>, { path, value }: Override): void {
  const parts = path.split(".");
  let node = document;
  parts.slice(0, -1).forEach((part, index) => {
    const next = expand(parts.slice(0, index + 1).join("."), node[part]);
    node[part] = next;
    node = next;
  });
  const last = parts[parts.length - 1] ?? path;
  if (path === "target.path") { for (const key of ["pod", "deployment", "container"]) delete node[key]; }
  node[last] = value;
}

function expand(path: string, value: unknown): Record<string, unknown> {
  if (isObject(value)) return value;
  if (path === "target" && typeof value === "string") return { path: value };
  if (path === "feature.network.incoming" && typeof value === "string") return { mode: value };
  if (path === "feature.network.incoming" && value === false) return { mode: "off" };
  if (path === "feature.network" && value === false) {
    return { incoming: false, outgoing: false, dns: false, interfaces: false };
  }
  if (path === "feature.network.outgoing" && typeof value === "boolean") return { tcp: value, udp: value };
  if (path === "feature.network.dns" && typeof value === "boolean") return { enabled: value };
  if (path === "feature.fs" && typeof value === "string") return { mode: value };
  if (path === "feature.fs" && value === false) return { mode: "local" };
  if (path === "agent.image" && typeof value === "string") return splitImage(value);
  return {};
}

/** "registry/name:tag" as the two halves that the format's object form has. */
function splitImage(image: string): Record<string, unknown> {
  const [, registry = image, tag] = /^(.*):([^:/]+)$/.exec(image) ?? [];
  return tag === undefined ? { registry } : { registry, tag };
}
