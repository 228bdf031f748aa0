// What coding agents may do, up to the command line by which mirrord does it.

import assert from "node:assert/strict";
import { ConfigError } from "../../core/base/errors.ts";
import type { Config } from "../../core/config/load.ts";
import { parseCommand } from "../args.ts";
import { configOf, execFlags } from "../config_flags.ts";
import { Permission } from "./permission.ts";

/** The configuration by which `exec` with these flags runs a program. */
async function configBy(flags: string[]): Promise<Config> {
  const command = await parseCommand(["exec", ...flags, "--", "true"]);
  assert.ok(command.name === "exec");
  return await configOf(command, execFlags(command), { runs: true });
}

Deno.test("a program runs by the configuration that was checked, or not at all", async () => {
  const folder = await Deno.makeTempDir({ prefix: "mirrord-mcp-" });
  const configFile = `${folder}/mirrord.json`;
  const write = (image: string) =>
    Deno.writeTextFile(
      configFile,
      JSON.stringify({ target: { path: "pod/a", namespace: "{{ git_branch }}" }, agent: { image } }),
    );
  const inBranch = (name: string) => Deno.env.set("MIRRORD_BRANCH_NAME", name);
  try {
    inBranch("shop");
    await write("image:1");
    const permission = await Permission.of({ name: "mcp", configFile });
    const flags = await permission.runFlags({ command: ["true"] });
    const { target, agent } = await configBy(flags);
    assert.deepEqual([target.namespace, agent.image], ["shop", "image:1"]);
    const isRefused = () =>
      assert.rejects(configBy(flags), (error: unknown) => {
        assert.ok(error instanceof ConfigError);
        assert.equal(error.message, `Cannot use "${configFile}": it is not what was checked before`);
        return true;
      });
    await write("image:2"); // after the check
    await isRefused();
    await assert.rejects(
      permission.placeFlags(),
      /^MirrordError: Cannot go on: the configuration has changed/,
    );
    await write("image:1");
    inBranch("bank"); // as in another folder
    await isRefused();
  } finally {
    Deno.env.delete("MIRRORD_BRANCH_NAME");
    await Deno.remove(folder, { recursive: true });
  }
});
