// The resolved configuration: what every later room reads. No shorthand, every default filled in, every list a list.
// Made by resolve.ts only.

/** One resolved configuration. Frozen by convention: nobody changes it after load. */
export interface Config {
  target: TargetConfig;
  kube: KubeConfigOptions;
  agent: AgentConfig;
  /** null: the app keeps its local environment only. */
  env: EnvConfig | null;
  incoming: IncomingConfig;
  outgoing: OutgoingConfig;
  dns: DnsConfig;
  files: FilesConfig;
  processes: ProcessesConfig;
  /** The file it came from (`-` is standard input), or undefined. */
  file: string | undefined;
}

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

export type ImagePullPolicy = "Always" | "IfNotPresent" | "Never";

export interface AgentConfig {
  image: string;
  imagePullPolicy: ImagePullPolicy;
  /** Longest time from the first request to the agent's welcome. */
  startupTimeoutSeconds: number;
  /** After so long without a client, first or lost, the agent leaves. */
  communicationTimeoutSeconds: number;
  logLevel: string;
}

/** Order: remote (include, exclude), envFile, mapping, override; unset last. */
export interface EnvConfig {
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
  /** The app is told the target's host name. */
  hostname: boolean;
}

export type FilesMode = "local" | "localwithoverrides" | "read" | "write";

/** Patterns are regular expressions for `compileRegex`, case-insensitive, over the absolute path. They compile. */
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
}

export interface ProcessesConfig {
  /** Names of executables that run without the layer. */
  skip: string[];
  /** Whether the usual compilers and linkers run without the layer. */
  skipBuildTools: boolean;
  /** Names added to the list of build tools. */
  extraBuildTools: string[];
}
