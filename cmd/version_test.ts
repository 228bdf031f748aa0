// `mirrord version`, as lines and as JSON.

import assert from "node:assert/strict";
import settings from "../deno.json" with { type: "json" };

const main = new URL("../main.ts", import.meta.url).pathname;

async function said(...args: string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", main, ...args],
  }).output();
  assert.ok(success, new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout);
}

Deno.test("the version is that of deno.json", async () => {
  assert.equal(await said("--version"), `mirrord ${settings.version}\n`);
});

Deno.test("version tells what this mirrord is made of", async () => {
  const facts = JSON.parse(await said("version", "-o", "json"));
  assert.deepEqual(facts, {
    version: settings.version,
    commit: null,
    runtime: `deno ${Deno.version.deno}`,
    platform: `linux-${Deno.build.arch}`,
    agentImage: `localhost/mirrord-agent:${settings.version}`,
    agentSent: true,
  });
  const lines = (await said("version")).split("\n");
  assert.equal(lines[0], `mirrord ${facts.version}`);
  for (const fact of [facts.runtime, facts.platform, facts.agentImage]) {
    assert.ok(lines.some((line) => line.endsWith(`  ${fact}`)), fact);
  }
  assert.ok(lines.includes("agent        sent to the target, unless agent.image names an image"));
});
