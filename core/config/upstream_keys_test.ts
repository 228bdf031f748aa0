// Every key and variable of upstream's format (v3.250.0) is supported, warned about or refused by name: none
// is "no such key", and none is passed over in silence.

import assert from "node:assert/strict";
import { verifyConfig } from "./load.ts";

/** Key → a value that asks for something. */
const keys: Record<string, unknown> = {
  "accept_invalid_certificates": true,
  "api": true,
  "baggage": "x",
  "traceparent": "x",
  "ci.output_dir": "/tmp",
  "container.cli_image": "x",
  "experimental.tcp_ping4_mock": true,
  "external_proxy.idle_timeout": 5,
  "internal_proxy.idle_timeout": 5,
  "key": "x",
  "kube_context": "x",
  "kubeconfig": "x",
  "multi_cluster": true,
  "operator": true,
  "profile": "x",
  "sip_binaries": ["x"],
  "skip_sip": "git",
  "skip_processes": ["x"],
  "skip_build_tools": false,
  "skip_extra_build_tools": "x",
  "startup_retry.min_ms": 1,
  "telemetry": true,
  "use_proxy": false,
  "agent.annotations": { a: "b" },
  "agent.labels": { a: "b" },
  "agent.check_out_of_pods": false,
  "agent.clean_iptables_on_start": true,
  "agent.communication_timeout": 30,
  "agent.disable_mesh_sidecar_injection": false,
  "agent.disabled_capabilities": ["NET_ADMIN"],
  "agent.dns": { timeout: 1, attempts: 2 },
  "agent.ephemeral": false,
  "agent.exclude_from_mesh": true,
  "agent.external_ip_fix": false,
  "agent.flush_connections": true,
  "agent.http_detection_timeout": 2,
  "agent.image": "x",
  "agent.image.registry": "x",
  "agent.image_pull_policy": "Always",
  "agent.image_pull_secrets": [{ name: "x" }],
  "agent.inject_headers": true,
  "agent.jaq_time_limit": 1,
  "agent.json_log": true,
  "agent.log_level": "debug",
  "agent.max_body_buffer_size": 1,
  "agent.max_body_buffer_timeout": 1,
  "agent.metrics": "0.0.0.0:9000",
  "agent.namespace": "x",
  "agent.nftables": true,
  "agent.node_selector": { a: "b" },
  "agent.override_cache_control": true,
  "agent.priority_class": "x",
  "agent.service_account": "x",
  "agent.privileged": true,
  "agent.resources": { limits: { cpu: "1" } },
  "agent.security_context": { seccomp_profile: { type: "Unconfined" } },
  "agent.startup_timeout": 5,
  "agent.tolerations": [{ operator: "Exists" }],
  "agent.ttl": 1,
  "feature.env": false,
  "feature.env.include": "A",
  "feature.env.exclude": ["A"],
  "feature.env.override": { A: "b" },
  "feature.env.mapping": { A: "b" },
  "feature.env.unset": "A",
  "feature.env.env_file": "x",
  "feature.env.load_from_process": true,
  "feature.fs": "write",
  "feature.fs.mode": "localwithoverrides",
  "feature.fs.read_write": ["x"],
  "feature.fs.read_only": ["x"],
  "feature.fs.local": ["x"],
  "feature.fs.not_found": ["x"],
  "feature.fs.mapping": { x: "y" },
  "feature.fs.readonly_file_buffer": 1,
  "feature.network": false,
  "feature.network.ipv6": false,
  "feature.network.dns": false,
  "feature.network.dns.enabled": false,
  "feature.network.dns.filter": { local: ["x"] },
  "feature.network.outgoing": false,
  "feature.network.outgoing.tcp": false,
  "feature.network.outgoing.udp": false,
  "feature.network.outgoing.ignore_localhost": true,
  "feature.network.outgoing.filter": { remote: ["x"] },
  "feature.network.outgoing.unix_streams": ["x"],
  "feature.network.incoming": "steal",
  "feature.network.incoming.mode": "steal",
  "feature.network.incoming.listen_ports": [[1, 2]],
  "feature.network.incoming.on_concurrent_steal": "override",
  "feature.network.incoming.tls_delivery": { protocol: "tls" },
  "feature.network.incoming.https_delivery": { protocol: "tls" },
  "feature.hostname": false,
  "feature.magic": false,
  "feature.magic.aws": true,
  "feature.magic.auto_mount": false,
  "feature.magic.turbo": true,
  "feature.copy_target": true,
  "feature.split_queues": { q: {} },
  "feature.preview": { image: "x" },
  "feature.db_branches": [{ type: "pg" }],
};
for (const key of ["port_mapping", "ports", "ignore_ports", "ignore_localhost", "http_filter"]) {
  const values = { port_mapping: [[1, 2]], ports: [1], ignore_ports: [1], ignore_localhost: true };
  keys[`feature.network.incoming.${key}`] = Reflect.get(values, key) ?? { header_filter: "x" };
}
for (const kind of ["rollout", "job", "cron_job", "stateful_set", "service", "replica_set", "labels"]) {
  keys[`target.${kind}`] = "x";
}
for (const [key, value] of [["header_filter_jq", "."], ["body_filter", { body: "json" }]] as const) {
  keys[`feature.network.incoming.http_filter.${key}`] = value;
}

/** Keys that are reported as not supported, or as without effect. */
const known = /^(Cannot use|Ignoring|Check) /;

for (const [key, value] of Object.entries(keys)) {
  Deno.test(`${key} of upstream is known`, async () => {
    const file = await Deno.makeTempFile({ suffix: ".json" });
    try {
      const given = key.split(".").reduceRight<unknown>((inner, part) => ({ [part]: inner }), value);
      const incoming = { mode: "steal" };
      const base = key.startsWith("feature.network.incoming.") && key !== "feature.network.incoming.mode"
        ? merge(given, { feature: { network: { incoming } } })
        : given;
      const target = key.startsWith("target.") ? {} : { target: "pod/a" };
      await Deno.writeTextFile(file, JSON.stringify({ ...target, ...base as Record<string, unknown> }));
      const { errors, warnings, config } = await verifyConfig({ file, flags: {}, env: new Map() });
      for (const line of [...errors, ...warnings]) {
        assert.match(line, known);
        assert.doesNotMatch(line, /no such key/);
        assert.ok(line.includes(/^(feature|agent)\./.test(key) ? key : key.replace(/\..*/, "")), line);
      }
      assert.equal(config === undefined, errors.length > 0);
    } finally {
      await Deno.remove(file);
    }
  });
}

function merge(a: unknown, b: unknown): Record<string, unknown> {
  const result: Record<string, unknown> = { ...a as Record<string, unknown> };
  for (const [key, value] of Object.entries(b as Record<string, unknown>)) {
    const own = result[key];
    result[key] = typeof own === "object" && own !== null && !Array.isArray(own)
      ? merge(own, value)
      : own ?? value;
  }
  return result;
}

const variables: Record<string, string> = {
  MIRRORD_IMPERSONATED_TARGET: "pod/x",
  MIRRORD_TARGET_NAMESPACE: "x",
  MIRRORD_AGENT_NAMESPACE: "x",
  MIRRORD_AGENT_RUST_LOG: "x",
  MIRRORD_AGENT_IMAGE: "x",
  MIRRORD_AGENT_IMAGE_REGISTRY: "x",
  MIRRORD_AGENT_IMAGE_TAG: "x",
  MIRRORD_AGENT_IMAGE_PULL_POLICY: "no",
  MIRRORD_AGENT_TTL: "no",
  MIRRORD_AGENT_STARTUP_TIMEOUT: "no",
  MIRRORD_AGENT_COMMUNICATION_TIMEOUT: "no",
  MIRRORD_AGENT_CLEAN_IPTABLES_ON_START: "no",
  MIRRORD_AGENT_EXCLUDE_FROM_MESH: "no",
  MIRRORD_AGENT_EXTERNAL_IP_FIX: "no",
  MIRRORD_AGENT_STEALER_FLUSH_CONNECTIONS: "no",
  MIRRORD_AGENT_HTTP_DETECTION_TIMEOUT: "no",
  MIRRORD_AGENT_JSON_LOG: "no",
  MIRRORD_EPHEMERAL_CONTAINER: "no",
  MIRRORD_FILE_MODE: "no",
  MIRRORD_FILE_OPS: "no",
  MIRRORD_FILE_RO_OPS: "no",
  MIRRORD_FILE_READ_WRITE_PATTERN: "(",
  MIRRORD_FILE_READ_ONLY_PATTERN: "(",
  MIRRORD_FILE_LOCAL_PATTERN: "(",
  MIRRORD_OVERRIDE_ENV_VARS_INCLUDE: "x",
  MIRRORD_OVERRIDE_ENV_VARS_EXCLUDE: "x",
  MIRRORD_OVERRIDE_ENV_VARS_FILE: "x",
  MIRRORD_ENV_LOAD_FROM_PROCESS: "no",
  MIRRORD_REMOTE_DNS: "no",
  MIRRORD_TCP_OUTGOING: "no",
  MIRRORD_UDP_OUTGOING: "no",
  MIRRORD_OUTGOING_IGNORE_LOCALHOST: "no",
  MIRRORD_OUTGOING_REMOTE_UNIX_STREAMS: "x",
  MIRRORD_ENABLE_IPV6: "no",
  MIRRORD_AGENT_TCP_STEAL_TRAFFIC: "no",
  MIRRORD_HTTP_HEADER_FILTER: "(",
  MIRRORD_HTTP_PATH_FILTER: "(",
  MIRRORD_HTTP_METHOD_FILTER: "(",
  MIRRORD_HTTP_HEADER_FILTER_JQ: "(",
  MIRRORD_HTTP_FILTER_PORTS: "no",
  MIRRORD_OPERATOR_ON_CONCURRENT_STEAL: "continue",
  MIRRORD_OPERATOR_ENABLE: "no",
  MIRRORD_MULTI_CLUSTER: "no",
  MIRRORD_SKIP_PROCESSES: "x",
  MIRRORD_SKIP_BUILD_TOOLS: "no",
  MIRRORD_SKIP_EXTRA_BUILD_TOOLS: "x",
  MIRRORD_SKIP_SIP: "x",
  MIRRORD_ACCEPT_INVALID_CERTIFICATES: "no",
  MIRRORD_TELEMETRY: "no",
  MIRRORD_KUBE_CONTEXT: "x",
  MIRRORD_KUBECONFIG: "x",
  MIRRORD_KEY: "x",
  MIRRORD_API: "no",
  MIRRORD_PROXY: "no",
};
/** Taken as they are, whatever they say. */
const plain = /TARGET|NAMESPACE$|LOG$|IMAGE|VARS|KUBE|KEY$|SKIP_(PROC|EXTRA|SIP)/;

for (const [name, value] of Object.entries(variables)) {
  Deno.test(`${name} of upstream is read`, async () => {
    const directory = await Deno.makeTempDir();
    try {
      const env = new Map([["MIRRORD_IMPERSONATED_TARGET", "pod/a"], [name, value]]);
      const { errors, warnings, config } = await verifyConfig({ flags: {}, env, directory });
      const said = [...errors, ...warnings].join("\n");
      if (said === "") assert.match(name, plain);
      else assert.ok(said.includes(name), said);
      assert.equal(config === undefined, errors.length > 0);
    } finally {
      await Deno.remove(directory);
    }
  });
}
