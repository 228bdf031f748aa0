// The completion scripts: bash's is called as the shell calls it; those of zsh and fish are parsed by their
// shells where they are installed; all name every command and flag. tests/program/completions_test.ts has
// Elvish and PowerShell.

import assert from "node:assert/strict";
import { completionScript } from "./completions.ts";
import { declareCommands } from "./flags.ts";

/** The commands that help shows, but for help. */
function visibleCommands(): string[] {
  const program = declareCommands(() => {});
  return program.createHelp().visibleCommands(program).map((one) => one.name()).filter((name) =>
    name !== "help"
  );
}

/** What bash offers for these words, of which the last is being typed. */
async function bashOffers(...words: string[]): Promise<string[]> {
  const script = [
    completionScript("bash"),
    'mirrord() { case $1 in ls) printf "%s\\n" deployment/api pod/web ${3+"pod/$2-$3"} ${5+"$4-$5"} ;;',
    'complete) printf "%s\\n" "$2" "of ${3-nowhere}${4+-$4}" ;; esac; }',
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
    [["exe"], ["exec"]],
    [[""], [...visibleCommands(), "--help", "--version"]],
    [["doctor", "l"], ["latency"]],
    [["doctor", "-t", "pod"], ["pod/web"]],
    [["ext", "--executable", "deno.j"], ["deno.json"]],
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
    [["session", "k"], ["kill"]],
    [["ls", "--output", ""], ["json", "yaml", "name", "wide"]],
    [["exec", "--context", ""], ["contexts", "of\\ nowhere"]],
    [["exec", "--context", "c", "-n", ""], ["namespaces", "of\\ --context-c"]],
    [["ls", "--kubeconfig", "k", "--context", "of"], ["of\\ --kubeconfig-k"]],
    [["exec", "-t", "pod/web", "--", "pwdx"], ["pwdx"]],
    [["exec", "-t", "pod/web", "--", "cat", "deno.j"], ["deno.json"]],
    [["up", ""], ["services", "of\\ nowhere"]],
    [["up", "-f", "other.yaml", "of"], ["of\\ -f-other.yaml"]],
    [["up", "--mode", "m"], ["mirror"]],
    [["ci", ""], ["start", "container", "stop"]],
    [["ci", "start", "-t", "pod"], ["pod/web"]],
    [["ls", "--ste"], [""]],
  ];
  for (const [words, expected] of cases) {
    assert.deepEqual(await bashOffers(...words), expected, words.join(" "));
  }
});

for (const shell of ["zsh", "fish", "elvish", "powershell"] as const) {
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
}

for (const shell of ["zsh", "fish"] as const) {
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

/** What a program of the name mirrord would be asked, one line for each call, and what it answers. */
const standIn = `#!/bin/sh
echo "$*" >>"$ASKED"
case $1 in ls) echo pod/web ;; complete) echo "$2-a" ;; esac
`;

/** Runs a script of `shell` with a stand-in for mirrord in PATH: its output, and how mirrord was called. */
async function runIn(shell: string, script: string): Promise<{ text: string; asked: string[] }> {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${folder}/mirrord`, standIn, { mode: 0o755 });
    await Deno.writeTextFile(`${folder}/asked`, "");
    const { success, stdout, stderr } = await new Deno.Command(shell, {
      args: ["-c", script],
      env: { PATH: `${folder}:${Deno.env.get("PATH")}`, ASKED: `${folder}/asked`, HOME: folder },
    }).output();
    assert.ok(success, new TextDecoder().decode(stderr));
    const asked = (await Deno.readTextFile(`${folder}/asked`)).trim().split("\n");
    return { text: new TextDecoder().decode(stdout).trim(), asked };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test({
  name: "fish completes what the cluster knows, where the typed flags say",
  ignore: !await isInstalled("fish"), // this machine has no such shell
  async fn() {
    const cases = [
      ["exec --context ", "contexts-a", "complete contexts"],
      ["exec --context c --namespace ", "namespaces-a", "complete namespaces --context c"],
      ["exec --kubeconfig=k -n shop -t ", "pod/web", "ls --kubeconfig=k -n shop"],
    ] as const;
    for (const [typed, offered, call] of cases) {
      const line = `complete -C 'mirrord ${typed}'`;
      const { text, asked } = await runIn("fish", `${completionScript("fish")}\n${line}`);
      assert.equal(text.replace(/\t.*/, ""), offered, typed);
      assert.ok(asked.includes(call), asked.join("\n"));
    }
  },
});

Deno.test({
  name: "zsh asks for what the cluster knows where the typed flags say",
  ignore: !await isInstalled("zsh"), // this machine has no such shell
  async fn() {
    const cases = [
      ["complete namespaces", ["exec", "--context", "c", "-n", ""], "complete namespaces --context c"],
      ["ls", ["exec", "--context=c d", "-n", "shop", "-t", ""], "ls --context=c d -n shop"],
    ] as const;
    for (const [question, words, call] of cases) {
      // compadd and compdef are the line editor's; the script's last line tells who reads it.
      const script = `compadd() { print -l -- $found }; compdef() { : }
${completionScript("zsh")}
words=(${words.map((word) => `"${word}"`).join(" ")}); CURRENT=${words.length}
_mirrord_asked ${question}`;
      const { text, asked } = await runIn("zsh", script);
      assert.equal(text, question === "ls" ? "pod/web" : "namespaces-a");
      assert.deepEqual(asked, [call]);
    }
  },
});

async function isInstalled(program: string): Promise<boolean> {
  return await new Deno.Command("sh", { args: ["-c", `command -v ${program}`], stdout: "null" }).output()
    .then(({ success }) => success);
}
