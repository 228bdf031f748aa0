// Commands of upstream that are not mirrord's: those that may come, with what does the same meanwhile, and
// those that are left out, with the reason. Called by spelling.ts for a command that does not exist;
// docs/commands.md lists them.

/** Not in this release. What does the same meanwhile, where something does. */
export const laterCommands: Readonly<Record<string, string | undefined>> = {
  "attach": undefined,
  "chaos": undefined,
  "extract": undefined,
  "wizard": "docs/configuration.md has every key.",
};

const operator = "it needs upstream's operator, and mirrord installs nothing in the cluster";
const makers = "it is about upstream's makers";

/** Left out on purpose: why. */
export const leftOutCommands: Readonly<Record<string, string>> = {
  "db-branches": operator,
  "newsletter": makers,
  "operator": operator,
  "preview": operator,
  "qs": operator,
  "queues": operator,
  "subscribe": operator,
  "teams": makers,
  "vpn": "mirrord gives the cluster's network to one program, not to the machine",
};

/** What to do instead. */
export const insteadOf: Readonly<Record<string, string | undefined>> = {
  "vpn": "Use: mirrord exec --target targetless -- PROGRAM.",
};
