// The manual pages: complete, and read by man without a warning.

import assert from "node:assert/strict";
import { declareCommands } from "../cmd/flags.ts";
import { manPages } from "./man_pages.ts";
import { attempt } from "../tests/cluster/command.ts";
import { root } from "./step.ts";

const exitCodes = Deno.readTextFileSync(`${root}docs/exit-codes.md`);
const pages = manPages({ exitCodes, homepage: "https://mirrord.example" });
const program = declareCommands(() => {});
const commands = program.createHelp().visibleCommands(program).filter((one) => one.name() !== "help");

Deno.test("there is a page for each command, with each of its flags", () => {
  const names = commands.map((one) => `mirrord-${one.name()}.1`);
  assert.deepEqual([...pages.keys()].sort(), ["mirrord.1", ...names].sort());
  for (const command of commands) {
    const page = pages.get(`mirrord-${command.name()}.1`) ?? "";
    for (const { long = "" } of command.createHelp().visibleOptions(command)) {
      assert.ok(page.includes(long.replaceAll("-", "\\-")), `${command.name()} ${long}`);
    }
    assert.ok(!page.includes("public\\-key") && !page.includes("agent\\-ttl"), "a hidden flag is shown");
  }
  assert.match(pages.get("mirrord-exec.1") ?? "", /^\.SH EXIT STATUS\n(?:.+\n)*\.B 69\n/m);
});

const groff = await new Deno.Command("sh", { args: ["-c", "command -v groff"] }).output();

Deno.test({
  name: "groff formats every page without a warning (needs groff)",
  ignore: !groff.success,
  fn: async () => {
    for (const [name, page] of pages) {
      const argv = ["groff", "-man", "-Tascii", "-ww", "-P-cbou"];
      const { stdout: shown, stderr } = await attempt(argv, { stdin: page });
      assert.equal(stderr, "", name);
      assert.match(shown, /^NAME\n/m, name);
      if (name === "mirrord-exec.1") {
        assert.match(shown, /^ +-t, --target <path>$/m);
        assert.match(shown, /^ +mirrord exec \[options\] \[--\] <program> \[args\.\.\.\]$/m);
        assert.match(shown, /^EXIT STATUS$/m);
      }
    }
  },
});
