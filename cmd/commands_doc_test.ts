// docs/commands.md has every command and every flag that help shows, and every command of upstream that is
// known by name.

import assert from "node:assert/strict";
import { declareCommands } from "./flags.ts";
import { laterCommands, leftOutCommands } from "./other_commands.ts";

const doc = Deno.readTextFileSync(new URL("../docs/commands.md", import.meta.url));

/** The text below the heading, up to the next one. */
function section(heading: string): string {
  const found = doc.split(/^## /m).find((one) => one.startsWith(`${heading}\n`));
  assert.ok(found !== undefined, `docs/commands.md has no heading "${heading}"`);
  return found;
}

Deno.test("docs/commands.md describes every command with all of its flags", () => {
  const program = declareCommands(() => {});
  const cluster = section(
    "Which cluster (`exec`, `container`, `port-forward`, `ls`, `doctor`, `explain`, `dump`, `ext`, `container-ext`, `ci`)",
  );
  for (const command of program.createHelp().visibleCommands(program)) {
    const name = command.name();
    assert.ok(doc.includes(`\n| \`${name}\` `), name);
    if (name === "help") continue;
    const own = section(name) + (name === "ci" ? section("exec") : ""); // ci start takes the flags of exec
    for (const option of command.createHelp().visibleOptions(command)) {
      if (option.long === "--help") continue;
      const place = option.helpGroupHeading === "Cluster:" ? cluster + own : own;
      for (const flag of [option.short, option.long]) {
        if (flag != null) assert.ok(place.includes(`\`${flag}\``), `${name} ${flag}`);
      }
    }
  }
});

Deno.test("docs/commands.md names every command of upstream that does not exist here", () => {
  const others = section("Commands of upstream that do not exist here");
  for (const name of [...Object.keys(laterCommands), ...Object.keys(leftOutCommands)]) {
    assert.ok(others.includes(`\`${name}\``), name);
  }
  const known = declareCommands(() => {}).commands.map((command) => command.name());
  for (const name of known) assert.ok(!others.includes(`| \`${name}\``), `${name} exists`);
});
