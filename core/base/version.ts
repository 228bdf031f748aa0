// This release's number, for `--version`, the agent's image tag and the links' greetings. It stands once, in
// deno.json.

import settings from "../../deno.json" with { type: "json" };

/** Semantic version of this release. */
export const mirrordVersion: string = settings.version;
