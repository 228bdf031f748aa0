// The resolved configuration: what every later room reads. No shorthand, every default filled in, every list
// a list. Made by resolve.ts only.

/** One resolved configuration. Frozen by convention: it is not changed after load. */
export interface Config {
  target: TargetConfig;
  kube: KubeConfigOptions;
  agent: AgentConfig;
  /** null: the app keeps its local environment only. */
  env: EnvConfig | null;
  incoming: IncomingConfig;
  outgoing: OutgoingConfig;
  dns: DnsConfig;
  /**
   * The app gets the target's network interfaces, where its traffic or its connections are the target's.
   */
  interfaces: boolean;
  files: FilesConfig;
  processes: ProcessesConfig;
  /** Where `mirrord ci` puts what the program prints; undefined: among temporary files. */
  outputFolder: string | undefined;
  /** The file it came from (`-` is standard input), or undefined. */
  file: string | undefined;
  /**
   * The file is the folder's own, `.mirrord/…`, and nobody named it; null: somebody did, or there is none.
   */
  project: ProjectFile | null;
}

/** A configuration that was found in the folder, and so comes from the folder's author. */
export interface ProjectFile {
  file: string;
  /** Those of `powers` that stand in it and that no flag and no variable overrules. */
  powers: Power[];
  /** Its templates ask for variables of the user's. */
  readsVariables: boolean;
}

/** Keys by which a file can have something run, or sent, on the user's behalf. */
export const powers = [
  "kubeconfig",
  "accept_invalid_certificates",
  "agent.image",
  "feature.env.include",
  "feature.env.env_file",
  "feature.env.override",
] as const;
export type Power = (typeof powers)[number];

export interface TargetConfig {
  /** Target path as written ("deployment/api"); undefined: no target was given. */
  path: string | undefined;
  /** undefined: the context's namespace. */
  namespace: string | undefined;
}

export interface KubeConfigOptions {
  /** Path of a kubeconfig file; undefined: KUBECONFIG, ~/.kube/config, in-cluster. */
  kubeconfig: string | undefined;
  /** undefined: the current context. */
  context: string | undefined;
  /** true: the API server's certificate is not checked; undefined: as the kubeconfig says. */
  acceptInvalidCertificates: boolean | undefined;
}

/** How a service of mirrord-up.yaml takes part in its target's traffic. */
export const upModes = ["split", "mirror", "replace"] as const;
export type UpMode = (typeof upModes)[number];

export type ImagePullPolicy = "Always" | "IfNotPresent" | "Never";

export interface AgentConfig {
  image: string;
  imagePullPolicy: ImagePullPolicy;
  /** Longest time from the first request to the agent's welcome. */
  startupTimeoutSeconds: number;
  /** After so long without a client, first or lost, the agent leaves. */
  communicationTimeoutSeconds: number;
  /**
   * After so long without a sign of agent, link or session the original gets new connections of stolen ports.
   */
  heartbeatTimeoutSeconds: number;
  /** After the app's end: so long nothing of what it sent may move before it is given up. */
  lingerSeconds: number;
  /** How long the first message of a filtered connection may leave open whether it is HTTP. */
  httpDetectionTimeoutSeconds: number;
  logLevel: string;
  /** What the pod's spec says of whose session it is; undefined: nothing. */
  owner: string | undefined;
  /** Traffic of a pod in its node's network may be taken, on the ports that it declares. */
  allowHostNetwork: boolean;
  /** null: it has no pod of its own, since there is a target, or no cluster is meant. */
  pod: AgentPodConfig | null;
}

/** The agent's own pod, which it has without a target. Names and values as Kubernetes has them. */
export interface AgentPodConfig {
  /** undefined: the target's namespace, or the context's. */
  namespace: string | undefined;
  labels: Record<string, string>;
  annotations: Record<string, string>;
  nodeSelector: Record<string, string>;
  tolerations: Record<string, unknown>[];
  priorityClass: string | undefined;
  serviceAccount: string | undefined;
  pullSecrets: string[];
  resources: { requests: Record<string, string>; limits: Record<string, string> };
  /** How long it stays once it ended. */
  ttlSeconds: number;
  /** true: a mesh may put its sidecar into it. */
  joinsMesh: boolean;
}

/** Order: remote (include, exclude), envFile, mapping, override; unset last. */
export interface EnvConfig {
  /** allowlist: `include` is not empty and does not match every name. */
  mode: "denylist" | "allowlist";
  /** Globs over names; empty: all. At most one of include and exclude is not empty. */
  include: string[];
  exclude: string[];
  override: Record<string, string>;
  /** Regular expression over the name → new value. */
  mapping: Record<string, string>;
  unset: string[];
  envFile: string | undefined;
}

export interface IncomingConfig {
  mode: "off" | "steal" | "mirror";
  /** Ports of the target that may be stolen or mirrored; null: every port on which the app listens. */
  ports: number[] | null;
  ignorePorts: number[];
  /** [local, remote]: the app listens on local, the target's port is remote. */
  portMapping: [local: number, remote: number][];
  /** Listeners on loopback stay the machine's own. */
  ignoreLocalhost: boolean;
  /** [asked, local]: the app asks for the first and listens on the second of this machine. */
  listenPorts: [asked: number, local: number][];
  /** Listeners for which the app asked port 0 are the target's, too. */
  dynamicPorts: boolean;
  /** Source text for `compileFilter`; "" = all connections. Compiles: it was tried. */
  filter: string;
  /** Ports to which the filter applies; null: all. Others are unfiltered. */
  filterPorts: number[] | null;
}

/** A list of rules that counts one way only; null: no filter. `side` is where what matches goes. */
export type SideFilter = { side: "remote" | "local"; rules: string[] } | null;

export interface OutgoingConfig {
  tcp: boolean;
  udp: boolean;
  /** Destinations on loopback stay the machine's own. */
  ignoreLocalhost: boolean;
  /** Rules for `compileRules`: `[tcp://|udp://]host|ip|cidr[:port]`. They compile: it was tried. */
  filter: SideFilter;
}

export interface DnsConfig {
  enabled: boolean;
  /** Names that are (or are not) resolved by the target. */
  filter: SideFilter;
  /** The app gets the target's host name. */
  hostname: boolean;
}

export type FilesMode = "local" | "localwithoverrides" | "read" | "write";

/**
 * Patterns are regular expressions for `compileRegex`, case-insensitive, over the absolute path. They
 * compile.
 */
export interface FilesConfig {
  mode: FilesMode;
  readWrite: string[];
  readOnly: string[];
  local: string[];
  notFound: string[];
  /** Pattern → path, with capture groups ($1); in the file's order. */
  mapping: [pattern: string, path: string][];
  /** Bytes read ahead of the app; 0: none. */
  readAhead: number;
  /** walk: a folder's names and their attributes answer questions about them for a moment. */
  cache: "off" | "walk";
  /** The target's volume mounts are read from it, wherever they are. */
  autoMount: boolean;
}

export interface ProcessesConfig {
  /** Names of executables that run without the layer. */
  skip: string[];
  /** Whether the usual compilers and linkers run without the layer. */
  skipBuildTools: boolean;
  /** Names added to the list of build tools. */
  extraBuildTools: string[];
  /** macOS: names of programs of which no copy is made, though the system protects them. */
  skipProtected: string[];
  /** macOS: ends of paths of programs of which a copy is made, though they do not look protected. */
  alwaysCopied: string[];
}
