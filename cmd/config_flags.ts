// Parsed flags → what they change in the configuration. Called by the commands that load one.

import { ConfigError } from "../core/base/errors.ts";
import { environment } from "../core/base/variables.ts";
import { type Config, type ConfigFlags, loadConfig, type LoadOptions } from "../core/config/load.ts";
import type { AppFlags, ClusterFlags, PortForwardCommand } from "./commands.ts";
import type { TrustOptions } from "./trust.ts";

/** Loads the configuration that `command` names, with `flags` on top. Throws ConfigError. */
export async function configOf(
  command: ClusterFlags,
  flags: ConfigFlags,
  options: Pick<LoadOptions, "targetLater" | "announced"> & Partial<TrustOptions> = {},
): Promise<Config> {
  const { runs = false, signal, ...loading } = options;
  const config = await loadConfig({
    ...loading,
    file: command.configFile === true ? undefined : command.configFile,
    hash: command.configHash,
    flags,
    env: environment,
  });
  if (command.configFile === true && config.file === undefined) {
    throw new ConfigError('Cannot read ".mirrord/mirrord.json": there is no such file', {
      help: "Name the file: --config-file FILE.",
    });
  }
  if (config.project !== null) {
    const { checkProject } = await import("./trust.ts");
    await checkProject(config, { trusted: command.trustProject === true, runs, signal });
  }
  return config;
}

/** The flags that select the cluster. */
export function clusterFlags(command: ClusterFlags): ConfigFlags {
  return {
    namespace: command.targetNamespace ?? command.namespace,
    kubeconfig: command.kubeconfig,
    context: command.context,
    acceptInvalidCertificates: command.acceptInvalidCertificates,
  };
}

/** Flags about the agent, which every command that starts one for long has. */
function agentFlags(command: AppFlags | PortForwardCommand): ConfigFlags {
  return {
    ...clusterFlags(command),
    target: command.target,
    agentImage: command.agentImage,
    agentLogLevel: command.agentLogLevel,
    agentStartupTimeout: command.agentStartupTimeout,
    linger: command.linger,
    agentNamespace: command.agentNamespace,
    agentTtl: command.agentTtl,
    ephemeral: command.ephemeralContainer,
    telemetry: off(command.telemetry),
  };
}

/** All flags of `port-forward`. steals: a port of the target is forwarded. */
export function portForwardFlags(command: PortForwardCommand, steals: boolean): ConfigFlags {
  return { ...agentFlags(command), steal: steals ? true : undefined };
}

/** All flags of `exec` and `container`. */
export function execFlags(command: AppFlags): ConfigFlags {
  return {
    ...agentFlags(command),
    steal: command.steal,
    portMap: command.portMap,
    httpFilter: command.httpFilter,
    envInclude: command.overrideEnvVarsInclude,
    envExclude: command.overrideEnvVarsExclude,
    envFile: command.envFile,
    fsMode: command.fsMode,
    remoteDns: off(command.remoteDns),
    tcpOutgoing: off(command.outgoing && command.tcpOutgoing),
    udpOutgoing: off(command.outgoing && command.udpOutgoing),
    skipProcesses: command.skipProcesses,
    key: command.key,
  };
}

/** A `--no-…` flag: false when given, otherwise nothing, so that the file's value counts. */
function off(value: boolean): false | undefined {
  return value ? undefined : false;
}
