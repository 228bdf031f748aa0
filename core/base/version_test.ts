// The release's number stands in two places; this test keeps them equal.

import assert from "node:assert/strict";
import settings from "../../deno.json" with { type: "json" };
import { mirrordVersion } from "./version.ts";

Deno.test("the version constant equals deno.json", () => {
  assert.equal(mirrordVersion, settings.version);
});
