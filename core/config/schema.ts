// The configuration format, declared once: the checks, the TypeScript types and the published JSON schema all
// come from this declaration. Loaded only when there is a configuration to check (load.ts imports it lazily).
// Keys have the names of upstream's format, in which mirrord's users already have files. Keys of that format
// that are missing in this release are in later.ts, which reports each by name.

import * as z from "zod/mini";

const port = z.int().check(z.minimum(1), z.maximum(65535));
const seconds = z.int().check(z.minimum(1), z.maximum(86400));
const text = z.string().check(z.minLength(1));
const oneOrMany = z.union([text, z.array(text)]);
const pairs = z.array(z.tuple([port, port]));

/** A filter: exactly one of these keys (checked in resolve.ts, where the sentence can name both). */
export interface FilterLeaf {
  header?: string | undefined;
  path?: string | undefined;
  method?: string | undefined;
  all_of?: FilterLeaf[] | undefined;
  any_of?: FilterLeaf[] | undefined;
  not?: FilterLeaf | undefined;
}

const filterLeaf: z.ZodMiniType<FilterLeaf> = z.strictObject({
  header: z.optional(text),
  path: z.optional(text),
  method: z.optional(text),
  get all_of() {
    return z.optional(z.array(filterLeaf));
  },
  get any_of() {
    return z.optional(z.array(filterLeaf));
  },
  get not() {
    return z.optional(filterLeaf);
  },
});

const httpFilter = z.strictObject({
  header_filter: z.optional(text),
  path_filter: z.optional(text),
  method_filter: z.optional(text),
  all_of: z.optional(z.array(filterLeaf)),
  any_of: z.optional(z.array(filterLeaf)),
  not: z.optional(filterLeaf),
  ports: z.optional(z.union([port, z.array(port)])),
});

const incomingMode = z.enum(["off", "steal", "mirror"]);

const incoming = z.strictObject({
  mode: z.optional(incomingMode),
  ports: z.optional(z.array(port)),
  ignore_ports: z.optional(z.array(port)),
  port_mapping: z.optional(pairs),
  ignore_localhost: z.optional(z.boolean()),
  /** [asked, local]: where on this machine the app listens when it asks for a port. */
  listen_ports: z.optional(pairs),
  /** Listeners for which the app asked port 0 are the target's, too. */
  dynamic_ports: z.optional(z.boolean()),
  http_filter: z.optional(z.union([z.boolean(), httpFilter])),
});

const envMode = z.enum(["denylist", "allowlist"]);

const env = z.strictObject({
  /**
   * denylist: all but what `exclude` and the built-in list name; allowlist: what `include` names, which must
   * be there.
   */
  mode: z.optional(envMode),
  include: z.optional(oneOrMany),
  exclude: z.optional(oneOrMany),
  override: z.optional(z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]))),
  mapping: z.optional(z.record(z.string(), z.string())),
  unset: z.optional(oneOrMany),
  env_file: z.optional(text),
});

const texts = z.record(z.string(), z.string());
const quantities = z.record(z.string(), z.union([text, z.number()]));

const toleration = z.strictObject({
  key: z.optional(z.string()),
  operator: z.optional(z.string()),
  value: z.optional(z.string()),
  effect: z.optional(z.string()),
  tolerationSeconds: z.optional(z.int()),
});

const agent = z.strictObject({
  image: z.optional(z.union([text, z.strictObject({ registry: z.optional(text), tag: z.optional(text) })])),
  image_pull_policy: z.optional(z.enum(["Always", "IfNotPresent", "Never"])),
  image_pull_secrets: z.optional(z.array(z.strictObject({ name: text }))),
  startup_timeout: z.optional(seconds),
  communication_timeout: z.optional(seconds),
  heartbeat_timeout: z.optional(seconds),
  linger: z.optional(z.int().check(z.minimum(0), z.maximum(86400))),
  http_detection_timeout: z.optional(z.int().check(z.minimum(0), z.maximum(86400))),
  log_level: z.optional(text),
  owner: z.optional(text),
  ephemeral: z.optional(z.boolean()),
  /** A target that uses its node's network may have its traffic taken, on the ports that it declares. */
  allow_host_network: z.optional(z.boolean()),
  // Of the agent's own pod (agent_pod.ts); shapes and names within are those of Kubernetes.
  namespace: z.optional(text),
  labels: z.optional(texts),
  annotations: z.optional(texts),
  node_selector: z.optional(texts),
  tolerations: z.optional(z.array(toleration)),
  priority_class: z.optional(text),
  service_account: z.optional(text),
  resources: z.optional(z.strictObject({
    requests: z.optional(quantities),
    limits: z.optional(quantities),
    claims: z.optional(z.array(z.unknown())),
  })),
  ttl: z.optional(z.int().check(z.minimum(0), z.maximum(86400))),
  disable_mesh_sidecar_injection: z.optional(z.boolean()),
});

const workload = z.strictObject({
  pod: z.optional(text),
  deployment: z.optional(text),
  container: z.optional(text),
});

const sideFilter = z.strictObject({ remote: z.optional(oneOrMany), local: z.optional(oneOrMany) });

const outgoing = z.strictObject({
  tcp: z.optional(z.boolean()),
  udp: z.optional(z.boolean()),
  ignore_localhost: z.optional(z.boolean()),
  filter: z.optional(sideFilter),
});

const dns = z.strictObject({ enabled: z.optional(z.boolean()), filter: z.optional(sideFilter) });

const network = z.strictObject({
  incoming: z.optional(z.union([z.boolean(), incomingMode, incoming])),
  outgoing: z.optional(z.union([z.boolean(), outgoing])),
  dns: z.optional(z.union([z.boolean(), dns])),
  interfaces: z.optional(z.boolean()),
});

const filesMode = z.enum(["local", "localwithoverrides", "local-with-overrides", "read", "write"]);

const files = z.strictObject({
  mode: z.optional(filesMode),
  read_write: z.optional(oneOrMany),
  read_only: z.optional(oneOrMany),
  local: z.optional(oneOrMany),
  not_found: z.optional(oneOrMany),
  mapping: z.optional(z.record(z.string(), z.string())),
  readonly_file_buffer: z.optional(z.int().check(z.minimum(0), z.maximum(15 << 20))),
});

const magic = z.strictObject({ auto_mount: z.optional(z.boolean()) });

const feature = z.strictObject({
  env: z.optional(z.union([z.boolean(), env])),
  fs: z.optional(z.union([z.boolean(), filesMode, files])),
  network: z.optional(z.union([z.boolean(), network])),
  hostname: z.optional(z.boolean()),
  magic: z.optional(z.union([z.boolean(), magic])),
});

/** The whole file. */
export const configSchema = z.strictObject({
  $schema: z.optional(z.string()),
  target: z.optional(z.union([
    text,
    z.strictObject({
      path: z.optional(z.union([text, workload])),
      namespace: z.optional(text),
      pod: z.optional(text),
      deployment: z.optional(text),
      container: z.optional(text),
    }),
  ])),
  kubeconfig: z.optional(text),
  kube_context: z.optional(text),
  accept_invalid_certificates: z.optional(z.boolean()),
  telemetry: z.optional(z.boolean()),
  /** What `{{ key }}` in the file stands for. */
  key: z.optional(text),
  skip_processes: z.optional(oneOrMany),
  skip_build_tools: z.optional(z.boolean()),
  skip_extra_build_tools: z.optional(oneOrMany),
  skip_sip: z.optional(oneOrMany),
  sip_binaries: z.optional(oneOrMany),
  agent: z.optional(agent),
  feature: z.optional(feature),
});

/** A checked file, before defaults. */
export type ConfigFile = z.infer<typeof configSchema>;
export type IncomingFile = z.infer<typeof incoming>;
export type HttpFilterFile = z.infer<typeof httpFilter>;
export type EnvFile = z.infer<typeof env>;
export type FilesFile = z.infer<typeof files>;
export type SideFilterFile = z.infer<typeof sideFilter>;

/** The JSON schema that editors use for completion; the same declaration as the checks. */
export function jsonSchema(): Record<string, unknown> {
  return { title: "mirrord configuration", ...z.toJSONSchema(configSchema) };
}

/** The same as the file that editors read. */
export function schemaText(): string {
  return `${JSON.stringify(jsonSchema(), null, 2)}\n`;
}
