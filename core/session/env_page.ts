// docs/variables.md, made from the list in env_default.ts so that it cannot be out of date. Called by
// env_test.ts, which rewrites the page when MIRRORD_TEST_WRITE is set; nothing at run time needs it.

import { machineVariables, type Reason } from "./env_default.ts";

const titles: Readonly<Record<Reason, string>> = {
  code: "What makes a program run or load something",
  place: "What names the places of files on a machine",
};

const opening = `# Variables of the target that your program does not get

A target may be under somebody else's control, and an environment variable can make a program on your machine run code:
\`GIT_SSH_COMMAND\` runs a command, \`NODE_OPTIONS\` loads a file, \`KUBECONFIG\` names one that can do both. The variables below are
therefore left in the target. mirrord says which ones it left there: those of the first kind in a line of its output (names, never
values), those of the second kind in the debug log.

- A name that \`feature.env.include\` has in full is taken: \`"include": ["*", "NODE_OPTIONS"]\`. A wildcard does not mean these names.
- \`"mode": "allowlist"\` takes only what \`include\` names; then no list has to be complete.
- What Kubernetes tells of its Services (\`BUN_API_SERVICE_HOST\`, \`NPM_PORT_80_TCP_ADDR\`) is taken whatever the Service is called: addresses and ports.
- What only tunes a program (\`NODE_ENV\`, \`PYTHONUNBUFFERED\`, \`GOMAXPROCS\`, \`AWS_REGION\`) is taken.
- The list holds names. It cannot know what your own program does with a value: a Makefile expands \`$(shell …)\` in any variable that it
  uses, and a shell script may evaluate one. \`SECURITY.md\` says what else a target can do.

\`*\` stands for any letters. Names are compared with their letter case unless "any case" is noted, as their program does. Where a
pattern is given under "taken when", a value that matches it runs nothing, and the variable is taken.

This page is made from \`core/session/env_default.ts\` by \`MIRRORD_TEST_WRITE=1 deno test -A core/session/env_test.ts\`.
`;

/** The page's text. */
export function variablesPage(): string {
  const parts = (["code", "place"] as const).map((reason) => {
    const rows = machineVariables.filter((group) => group.reason === reason).map((group) => {
      const names = group.names.trim().split(/\s+/).map((name) => `\`${name}\``).join(" ");
      const notes = [
        ...(group.anyCase === true ? ["any case"] : []),
        ...(group.harmless === undefined ? [] : [`taken when \`\` ${cell(group.harmless.source)} \`\``]),
      ];
      return `| ${group.about}${
        notes.length === 0 ? "" : ` (${notes.join("; ")})`
      } | ${names} | ${group.source} |`;
    });
    return [`\n## ${titles[reason]}\n`, "| of | names | see |", "|---|---|---|", ...rows, ""].join("\n");
  });
  return opening + parts.join("");
}

function cell(text: string): string {
  return text.replaceAll("|", "\\|");
}
