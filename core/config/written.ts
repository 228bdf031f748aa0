// Resolved Config → the file that says the same, in the keys of the format: what `verify-config --resolved`
// prints. Called by cmd/verify_config.ts. The invariant: loading it gives the same Config again
// (corpus_test.ts).

import { sentImage } from "./agent_image.ts";
import type { AgentPodConfig, Config, IncomingConfig, SideFilter } from "./config.ts";
import { isObject } from "./later.ts";

/**
 * `config` as a file, with every default written out; what is left to the kubeconfig or the cluster is left
 * out.
 */
export function writtenConfig(config: Config): Record<string, unknown> {
  const { target, kube, agent, processes } = config;
  return given({
    target: orNothing(given({ path: target.path, namespace: target.namespace })),
    kubeconfig: kube.kubeconfig,
    kube_context: kube.context,
    accept_invalid_certificates: kube.acceptInvalidCertificates,
    skip_processes: processes.skip,
    skip_build_tools: processes.skipBuildTools,
    skip_extra_build_tools: processes.extraBuildTools,
    skip_sip: processes.skipProtected,
    sip_binaries: processes.alwaysCopied,
    ci: config.outputFolder === undefined ? undefined : { output_dir: config.outputFolder },
    agent: {
      image: agent.image,
      image_pull_policy: agent.image === sentImage ? undefined : agent.imagePullPolicy,
      startup_timeout: agent.startupTimeoutSeconds,
      communication_timeout: agent.communicationTimeoutSeconds,
      heartbeat_timeout: agent.heartbeatTimeoutSeconds,
      linger: agent.lingerSeconds,
      http_detection_timeout: agent.httpDetectionTimeoutSeconds,
      log_level: agent.logLevel,
      owner: agent.owner,
      allow_host_network: agent.allowHostNetwork,
      ...writtenPod(agent.pod),
    },
    feature: writtenFeatures(config),
  });
}

function writtenPod(pod: AgentPodConfig | null): Record<string, unknown> {
  return pod === null ? {} : given({
    namespace: pod.namespace,
    labels: pod.labels,
    annotations: pod.annotations,
    node_selector: pod.nodeSelector,
    tolerations: pod.tolerations,
    priority_class: pod.priorityClass,
    service_account: pod.serviceAccount,
    image_pull_secrets: pod.pullSecrets.map((name) => ({ name })),
    resources: pod.resources,
    ttl: pod.ttlSeconds,
    disable_mesh_sidecar_injection: !pod.joinsMesh,
  });
}

function writtenFeatures(
  { env, files, incoming, outgoing, dns, interfaces }: Config,
): Record<string, unknown> {
  return {
    env: env === null ? false : given({
      mode: env.mode,
      // An empty one would bring nothing.
      include: env.include.length === 0 ? undefined : env.include,
      exclude: env.exclude,
      env_file: env.envFile,
      mapping: env.mapping,
      override: env.override,
      unset: env.unset,
    }),
    fs: {
      mode: files.mode,
      not_found: files.notFound,
      read_write: files.readWrite,
      read_only: files.readOnly,
      local: files.local,
      mapping: Object.fromEntries(files.mapping),
      readonly_file_buffer: files.readAhead,
      cache: files.cache,
    },
    network: {
      incoming: given({
        mode: incoming.mode,
        ports: incoming.ports ?? undefined,
        // Beside "ports" an empty list would be one thing too many.
        ignore_ports: incoming.ignorePorts.length === 0 ? undefined : incoming.ignorePorts,
        port_mapping: incoming.portMapping,
        ignore_localhost: incoming.ignoreLocalhost,
        listen_ports: incoming.listenPorts,
        dynamic_ports: incoming.dynamicPorts,
        http_filter: writtenFilter(incoming),
      }),
      outgoing: given({
        tcp: outgoing.tcp,
        udp: outgoing.udp,
        ignore_localhost: outgoing.ignoreLocalhost,
        filter: writtenSide(outgoing.filter),
      }),
      dns: given({ enabled: dns.enabled, filter: writtenSide(dns.filter) }),
      interfaces,
    },
    hostname: dns.hostname,
    magic: { auto_mount: files.autoMount },
  };
}

/**
 * The text that session and agent compile is JSON of the members' form; at the top the names are other ones.
 */
function writtenFilter({ filter, filterPorts }: IncomingConfig): unknown {
  if (filter === "") return undefined;
  const parsed: unknown = JSON.parse(filter);
  const leaf = isObject(parsed) ? parsed : {};
  const { header, path, method, ...rest } = leaf;
  const names = { header_filter: header, path_filter: path, method_filter: method };
  return given({ ...names, ...rest, ports: filterPorts ?? undefined });
}

function writtenSide(filter: SideFilter): unknown {
  return filter === null ? undefined : { [filter.side]: filter.rules };
}

/** Without what is undefined. */
function given(object: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined));
}

function orNothing(object: Record<string, unknown>): Record<string, unknown> | undefined {
  return Object.keys(object).length === 0 ? undefined : object;
}
