// The configuration format, declared once: the checks, the TypeScript types and the published JSON schema all
// come from this declaration. Loaded only when there is a configuration to check (load.ts imports it lazily).
// Keys keep the names of the format that mirrord's users already have files in. Keys of that format which this
// release lacks are not here but in later.ts, which says so by name.

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
  ports: z.optional(z.array(port)),
});

const incomingMode = z.enum(["off", "steal", "mirror"]);

const incoming = z.strictObject({
  mode: z.optional(incomingMode),
  ports: z.optional(z.array(port)),
  ignore_ports: z.optional(z.array(port)),
  port_mapping: z.optional(pairs),
  ignore_localhost: z.optional(z.boolean()),
  http_filter: z.optional(httpFilter),
});

const env = z.strictObject({
  include: z.optional(oneOrMany),
  exclude: z.optional(oneOrMany),
  override: z.optional(z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]))),
  mapping: z.optional(z.record(z.string(), z.string())),
  unset: z.optional(oneOrMany),
  env_file: z.optional(text),
});

const agent = z.strictObject({
  image: z.optional(z.union([text, z.strictObject({ registry: text, tag: z.optional(text) })])),
  image_pull_policy: z.optional(z.enum(["Always", "IfNotPresent", "Never"])),
  image_pull_secrets: z.optional(z.array(z.strictObject({ name: text }))),
  startup_timeout: z.optional(seconds),
  communication_timeout: z.optional(seconds),
  log_level: z.optional(text),
  ephemeral: z.optional(z.boolean()),
});

const workload = z.strictObject({
  pod: z.optional(text),
  deployment: z.optional(text),
  container: z.optional(text),
});

const network = z.strictObject({
  incoming: z.optional(z.union([z.boolean(), incomingMode, incoming])),
});

const feature = z.strictObject({
  env: z.optional(z.union([z.boolean(), env])),
  network: z.optional(z.union([z.boolean(), network])),
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
  agent: z.optional(agent),
  feature: z.optional(feature),
});

/** A checked file, before defaults. */
export type ConfigFile = z.infer<typeof configSchema>;
export type IncomingFile = z.infer<typeof incoming>;
export type HttpFilterFile = z.infer<typeof httpFilter>;
export type EnvFile = z.infer<typeof env>;

/** The JSON schema that editors use for completion; the same declaration as the checks. */
export function jsonSchema(): Record<string, unknown> {
  return { title: "mirrord configuration", ...z.toJSONSchema(configSchema) };
}
