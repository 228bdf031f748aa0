// A checked configuration of command line flags alone. Used by tests of core/deploy.

import assert from "node:assert/strict";
import { type Config, verifyConfig } from "../../core/config/load.ts";

type Flags = Parameters<typeof verifyConfig>[0]["flags"];

/** Neither a file nor a variable adds to it. */
export async function configByFlags(flags: Flags): Promise<Config> {
  const { config } = await verifyConfig({ flags, env: new Map(), directory: "/nonexistent" });
  assert.ok(config);
  return config;
}
