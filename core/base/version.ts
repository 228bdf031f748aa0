// This release's number, for `--version`, the agent's image tag and the links' greetings.
// deno.json says the same; version_test.ts holds the two together.

/** Semantic version of this release. */
export const mirrordVersion = "0.1.0";
