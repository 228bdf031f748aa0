// The format of mirrord-up.yaml, upstream's, declared once with the schema library. Loaded by up.ts alone.
// What stands below `env`, `http_filter` and `config_patch` has the format of mirrord.json (schema.ts) and is
// checked as a part of the configuration that a service gets.

import * as z from "zod/mini";
import { upModes } from "./config.ts";

const text = z.string().check(z.minLength(1));
const switchable = z.optional(z.boolean());
const table = z.record(z.string(), z.unknown());

const common = z.strictObject({
  accept_invalid_certificates: switchable,
  operator: switchable,
  telemetry: switchable,
  context: z.optional(text),
});

const target = z.strictObject({
  path: z.optional(z.union([text, table])),
  namespace: z.optional(text),
});

const run = z.strictObject({
  type: z.optional(z.enum(["exec", "container"])),
  directory: z.optional(text),
  command: z.array(z.string()).check(z.minLength(1)),
});

const entry = z.strictObject({
  /** `none`: without a target; absent: the workload of the service's name. */
  target: z.optional(z.union([z.literal("none"), target])),
  env: z.optional(z.union([z.boolean(), table])),
  default_mode: z.optional(z.enum(upModes)),
  http_filter: z.optional(table),
  ignore_ports: z.optional(z.array(z.unknown())),
  /** Starts only if it is named on the command line. */
  skip: switchable,
  context: z.optional(text),
  /** Merged into the configuration that the service gets (RFC 7396). */
  config_patch: z.optional(table),
  run,
});

/** The whole file. */
export const upSchema = z.strictObject({
  common: z.optional(common),
  services: z.record(z.string().check(z.minLength(1)), entry),
});

export type UpDocument = z.infer<typeof upSchema>;
export type UpTable = z.infer<typeof entry>;

/** The keys that the format has at `path`. */
export function knownUpKeys(path: readonly (string | number)[]): string[] {
  const [first, , third] = path;
  if (path.length === 0) return Object.keys(upSchema.shape);
  if (first === "common") return Object.keys(common.shape);
  if (path.length === 2) return Object.keys(entry.shape);
  return third === "target" ? Object.keys(target.shape) : third === "run" ? Object.keys(run.shape) : [];
}
