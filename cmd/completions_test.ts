// The completion scripts: bash's is called as the shell calls it; those of zsh and fish are parsed by their
// shells where they are installed; all name every command and flag.

import assert from "node:assert/strict";
import { completionScript } from "./completions.ts";
import { declareCommands } from "./flags.ts";

/** What bash offers for these words, of which the last is being typed. */
async function bashOffers(...words: string[]): Promise<string[]> {
  const script = [
    completionScript("bash"),
    'mirrord() { [[ $1 == ls ]] && printf "%s\\n" deployment/api pod/web ${3+"pod/$2-$3"} ${5+"$4-$5"}; }',
    'COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _mirrord; printf "%s\\n" "${COMPREPLY[@]}"',
  ].join("\n");
  const { success, stdout, stderr } = await new Deno.Command("bash", {
    args: ["--norc", "-c", script, "bash", "mirrord", ...words],
    cwd: new URL("../", import.meta.url),
  }).output();
  assert.ok(success, new TextDecoder().decode(stderr));
  return [...new Set(new TextDecoder().decode(stdout).trim().split("\n"))]; // a program may lie in two places
}

Deno.test("bash completes commands, flags, values, targets, files and programs", async () => {
  const cases: [string[], string[]][] = [
    [["ex"], ["exec"]],
    [[""], ["exec", "ls", "verify-config", "completions", "version", "upgrade", "--help", "--version"]],
    [["exec", "--env"], ["--env-file"]],
    [["exec", "--fs-mode", "w"], ["write"]],
    [["exec", "--target", ""], ["deployment/api", "pod/web"]],
    [["exec", "-t", "pod"], ["pod/web"]],
    [["exec", "-n", "shop", "--steal", "-t", "pod/-"], ["pod/-n-shop"]],
    [["exec", "--context", "=", "c", "--kubeconfig", "k", "-t", "--"], ["--kubeconfig-k"]],
    [["ls", "-t", ""], ["deployment", "pod"]],
    [["help", "veri"], ["verify-config"]],
    [["exec", "--env-file", "deno.j"], ["deno.json"]],
    [["verify-config", "deno.j"], ["deno.json"]],
    [["completions", "z"], ["zsh"]],
    [["ls", "--output", ""], ["json"]],
    [["exec", "-t", "pod/web", "--", "pwdx"], ["pwdx"]],
    [["exec", "-t", "pod/web", "--", "cat", "deno.j"], ["deno.json"]],
    [["ls", "--ste"], [""]],
  ];
  for (const [words, expected] of cases) {
    assert.deepEqual(await bashOffers(...words), expected, words.join(" "));
  }
});

for (const shell of ["zsh", "fish"] as const) {
  Deno.test(`the script for ${shell} knows every command and flag`, () => {
    const script = completionScript(shell);
    const program = declareCommands(() => {});
    for (const command of program.createHelp().visibleCommands(program)) {
      if (command.name() === "help") continue;
      assert.ok(script.includes(command.name()), command.name());
      for (const { long = "" } of command.createHelp().visibleOptions(command)) {
        assert.ok(script.includes(shell === "fish" ? `-l ${long.slice(2)} ` : long), long);
      }
    }
    assert.ok(!script.includes("agent-ttl"), "a hidden flag is offered");
    assert.ok(!script.includes("public-key"), "the hidden command is offered");
  });

  Deno.test({
    name: `${shell} reads its script`,
    ignore: !await isInstalled(shell), // this machine has no such shell
    async fn() {
      const file = await Deno.makeTempFile();
      try {
        await Deno.writeTextFile(file, completionScript(shell));
        const { success, stderr } = await new Deno.Command(shell, { args: ["-n", file] }).output();
        assert.ok(success, new TextDecoder().decode(stderr));
      } finally {
        await Deno.remove(file);
      }
    },
  });
}

async function isInstalled(program: string): Promise<boolean> {
  return await new Deno.Command("sh", { args: ["-c", `command -v ${program}`], stdout: "null" }).output()
    .then(({ success }) => success);
}
