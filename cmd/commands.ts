// The value of a parsed command line, for each command. args.ts makes it by the flags of flags.ts, the
// commands take it.

import type { UpMode } from "../core/config/config.ts";

/** Shells for which there are completions. */
export const shells = ["bash", "zsh", "fish", "elvish", "powershell"] as const;
export type Shell = (typeof shells)[number];

/** Where the cluster is, for every command that needs one. */
export interface ClusterFlags {
  /** Bare `-f` is true: the usual place. */
  configFile?: string | true;
  /** What the file has to say (`hashOfFile`); mirrord's own flag. */
  configHash?: string | undefined;
  targetNamespace?: string;
  /** kubectl's name for it. */
  namespace?: string;
  context?: string;
  kubeconfig?: string;
  acceptInvalidCertificates?: boolean;
  trustProject?: true;
}

/** How `mirrord ls` can print its list. */
export const listFormats = ["json", "yaml", "name", "wide"] as const;
export type ListFormat = (typeof listFormats)[number];

/** `mirrord ls`. */
export interface LsCommand extends ClusterFlags {
  name: "ls";
  /** Kinds to list; undefined: all. */
  targetType?: string[];
  allNamespaces?: true;
  output?: ListFormat;
}

/** What shell completions ask for besides targets. */
export const completedNames = ["contexts", "namespaces", "services"] as const;
export type CompletedNames = (typeof completedNames)[number];

/** `mirrord complete`, which the completion scripts run. */
export interface CompleteCommand extends ClusterFlags {
  name: "complete";
  what: CompletedNames;
}

/** `mirrord version`. */
export interface VersionCommand {
  name: "version";
  output?: "json";
}

/** What overrides the config file, for the commands that run the app. */
export interface AppFlags extends ClusterFlags {
  target?: string;
  steal?: true;
  portMap?: string[];
  httpFilter?: string[];
  agentImage?: string;
  agentLogLevel?: string;
  agentStartupTimeout?: string;
  linger?: string;
  force?: true;
  agentNamespace?: string;
  agentTtl?: string;
  ephemeralContainer?: true;
  overrideEnvVarsInclude?: string;
  overrideEnvVarsExclude?: string;
  envFile?: string;
  fsMode?: string;
  key?: string;
  skipProcesses?: string;
  /** These are true unless their `--no-…` flag is given. */
  remoteDns: boolean;
  outgoing: boolean;
  tcpOutgoing: boolean;
  udpOutgoing: boolean;
  telemetry: boolean;
}

/** What mirrord adds where it starts a session itself. */
export interface OwnedFlags {
  /** The process with which the session ends. */
  endsWith?: number;
}

/** `mirrord exec`: the app and what overrides the config file. */
export interface ExecCommand extends AppFlags, OwnedFlags {
  name: "exec";
  program: string;
  args: string[];
}

/** `mirrord container`: the engine's command line. */
export interface ContainerCommand extends AppFlags, OwnedFlags {
  name: "container";
  line: string[];
}

/** `mirrord port-forward`. */
export interface PortForwardCommand extends ClusterFlags {
  name: "port-forward";
  target?: string;
  /** `-L`, each as core/session/forward/written.ts reads it. */
  portMapping?: string[];
  /** `-R`. */
  reversePortMapping?: string[];
  agentImage?: string;
  agentLogLevel?: string;
  agentStartupTimeout?: string;
  linger?: string;
  force?: true;
  agentNamespace?: string;
  agentTtl?: string;
  ephemeralContainer?: true;
  telemetry: boolean;
}

/** `mirrord explain`. */
export interface ExplainCommand extends ClusterFlags {
  name: "explain";
  /** A path, HOST[:PORT] or a port. */
  what: string;
  target?: string;
  steal?: true;
  portMap?: string[];
  fsMode?: string;
  output?: "json";
}

/** `mirrord init`. */
export interface InitCommand
  extends Pick<ClusterFlags, "targetNamespace" | "namespace" | "context" | "kubeconfig"> {
  name: "init";
  target?: string;
  steal?: true;
}

/** `mirrord doctor`. */
export interface DoctorCommand extends ClusterFlags {
  name: "doctor";
  target?: string;
  steal?: true;
  agentImage?: string;
  /** Starts an agent and measures the link. */
  link?: true;
  output?: "json";
}

/** `mirrord up`. */
export interface UpCommand {
  name: "up";
  services: string[];
  configFile?: string;
  mode?: UpMode;
  key?: string;
  context?: string;
}

/** What `mirrord ci` can do. */
export const ciActions = ["start", "container", "stop"] as const;
export type CiAction = (typeof ciActions)[number];

/** `mirrord ci start`, `mirrord ci container` and `mirrord ci stop`. */
export interface CiCommand {
  name: "ci";
  action: CiAction;
  /** Tells sessions apart that run at once. */
  session: string;
  output?: "json";
  /** Seconds. */
  timeout: number;
  foreground?: true;
  /** What runs; absent for stop. */
  runs?: ExecCommand | ContainerCommand;
}

/** The process of `mirrord ci start` and `ci container` that stays; mirrord starts it by itself. */
export interface CiSessionCommand {
  name: "ci-session";
  folder: string;
  session: string;
  id: string;
}

/** `mirrord up init`. */
export interface UpInitCommand {
  name: "up init";
  output: string;
}

/** `mirrord dump`. */
export interface DumpCommand extends ClusterFlags {
  name: "dump";
  target?: string;
  agentImage?: string;
  httpFilter?: string[];
  /** None: those that the target declares, or listens on. */
  port?: number[];
  har?: string;
  pcap?: string;
  /** Bytes that are shown of a body. */
  preview?: number;
  /** Bytes that are recorded of a body. */
  bodyLimit?: number;
  output?: "json";
}

/** `mirrord replay`. */
export interface ReplayCommand {
  name: "replay";
  /** HAR, pcap or pcap-ng. */
  file: string;
  to: string;
  /** By the recorded times, not one after the other. */
  timing?: true;
  /** Only what went to this host. */
  host?: string;
  /** Headers that are compared beside the usual ones. */
  header?: string[];
  ignore?: string[];
  /** Seconds. */
  timeout?: number;
  output?: "json";
}

/** `mirrord ext`: a session for the programs that an editor starts. */
export interface ExtCommand extends ClusterFlags {
  name: "ext";
  target?: string;
  executable?: string;
}

/** `mirrord container-ext`: a session for the containers that an editor starts. */
export interface ContainerExtCommand extends ClusterFlags {
  name: "container-ext";
  target?: string;
}

/** `mirrord mcp`: what coding agents may do. */
export interface McpCommand extends ClusterFlags {
  name: "mcp";
  /** Targets that they may run programs as, beside the configuration's. */
  target?: string[];
  steal?: true;
}

/** `mirrord ui`. */
export interface UiCommand {
  name: "ui";
  port?: number;
}

/** What `mirrord session` can do. */
export const sessionVerbs = ["list", "stop", "kill"] as const;
export type SessionVerb = (typeof sessionVerbs)[number];

/** `mirrord session`. */
export interface SessionCommand {
  name: "session";
  what: SessionVerb;
  /** Ids, their beginnings or process numbers. */
  ids: string[];
  /** Every session of this user. */
  all?: true;
  output?: "json";
}

/** `mirrord fix kubeconfig`. */
export interface FixCommand {
  name: "fix";
  kubeconfig?: string;
  /** Changes nothing. */
  dryRun?: true;
}

/** `mirrord upgrade`. */
export interface UpgradeCommand {
  name: "upgrade";
  /** Changes nothing. */
  check?: true;
}

/** Flags of `mirrord verify-config`. */
export interface VerifyFlags {
  ide?: true;
  resolved?: true;
}

/** `mirrord agent`: started by mirrord itself, in the target's pod or as root for a process target. */
export interface AgentCommand {
  name: "agent";
  listen?: number;
  stdio?: true;
  publicKey: string;
  containerId?: string;
  targetPid?: number;
  netnsOf?: number;
  owner: string;
  firstClientLimit: number;
  lostLimit: number;
  heartbeatLimit: number;
  httpDetection: number;
}

export interface VerifyCommand extends VerifyFlags {
  name: "verify-config";
  file: string;
}

export type ParsedCommand =
  | CiCommand
  | CiSessionCommand
  | ContainerCommand
  | ContainerExtCommand
  | ExecCommand
  | ExtCommand
  | LsCommand
  | PortForwardCommand
  | AgentCommand
  | CompleteCommand
  | DoctorCommand
  | DumpCommand
  | ExplainCommand
  | FixCommand
  | InitCommand
  | ReplayCommand
  | UpCommand
  | UpInitCommand
  | SessionCommand
  | UiCommand
  | McpCommand
  | UpgradeCommand
  | VerifyCommand
  | VersionCommand
  | { name: "completions"; shell: Shell }
  /** Help or the version was printed. */
  | { name: "shown" };
