// The completion scripts of Elvish and PowerShell, the compiled binary's own: Elvish calls its completer on a
// terminal, where it has one; PowerShell's script is parsed, as PowerShell cannot be installed here.

import assert from "node:assert/strict";
import { run } from "../cluster/command.ts";
import { powershellParser } from "../support/packages.ts";
import { runMirrord } from "../support/program.ts";

/** A program of the name mirrord: notes how it is asked, and answers. */
const standIn = `#!/bin/sh
echo "$*" >>"$ASKED"
case $1 in ls) printf 'deployment/api\\npod/$(touch ran)\\n' ;; complete) echo "$2-a" ;; esac
`;

async function has(program: string): Promise<boolean> {
  return await new Deno.Command("sh", { args: ["-c", `command -v ${program}`], stdout: "null" }).output()
    .then(({ success }) => success);
}

const missing = await has("elvish") && await has("script") ? null : "there is no elvish here";

/** What Elvish's completer puts for each of `lines`, and how mirrord was asked. */
async function elvishOffers(lines: string[][]): Promise<{ offers: string[][]; asked: string[] }> {
  const folder = await Deno.makeTempDir();
  try {
    const { stdout } = await runMirrord(["completions", "elvish"]);
    const words = (line: string[]) => line.map((word) => `'${word}'`).join(" ");
    const calls = lines.map((line) =>
      `put [(each {|one| try { put $one[stem] } catch e { put $one } } ` +
      `[($edit:completion:arg-completer[mirrord] mirrord ${words(line)})])] | to-json >>$E:OUT`
    );
    await Deno.writeTextFile(`${folder}/rc.elv`, [stdout, ...calls, "exit", ""].join("\n"));
    await Deno.writeTextFile(`${folder}/mirrord`, standIn, { mode: 0o755 });
    for (const file of ["asked", "out"]) await Deno.writeTextFile(`${folder}/${file}`, "");
    const { success, stdout: shown } = await new Deno.Command("script", {
      args: ["-qec", `elvish -rc ${folder}/rc.elv`, "/dev/null"], // a terminal: completers are its editor's
      cwd: folder,
      env: {
        PATH: `${folder}:${Deno.env.get("PATH")}`,
        HOME: folder,
        ASKED: `${folder}/asked`,
        OUT: `${folder}/out`,
      },
      stdin: "null",
    }).output();
    const read = async (file: string) => (await Deno.readTextFile(`${folder}/${file}`)).trim().split("\n");
    assert.ok(success, new TextDecoder().decode(shown));
    const out = await read("out");
    assert.equal(out.length, lines.length, new TextDecoder().decode(shown));
    return { offers: out.map((line) => JSON.parse(line)), asked: await read("asked") };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test({
  name: "elvish completes commands, flags, values, and what the cluster knows where the typed flags say",
  ignore: missing !== null,
  async fn() {
    const { offers, asked } = await elvishOffers([
      [""],
      ["exec", "--fs-mode", ""],
      ["exec", "-n", "shop", "--context=c", "-t", ""],
      ["ci", ""],
      ["up", "-f", "other.yaml", ""],
      ["verify-config", "-"],
    ]);
    assert.ok(offers[0]?.includes("exec") && offers[0].includes("up"), String(offers[0]));
    assert.deepEqual(offers.slice(1, 5), [
      ["read", "write", "local", "localwithoverrides", "local-with-overrides"],
      ["deployment/api", "pod/$(touch ran)"],
      ["start", "container", "stop"],
      ["services-a"],
    ]);
    assert.ok(offers[5]?.includes("--ide"), String(offers[5]));
    assert.deepEqual(asked, ["ls -n shop --context=c", "complete services -f other.yaml"]);
  },
});

const parse = `
import sys
import tree_sitter, tree_sitter_powershell
text = sys.stdin.buffer.read()
parser = tree_sitter.Parser(tree_sitter.Language(tree_sitter_powershell.language()))
root = parser.parse(text).root_node
def wrong(node):
    if node.is_error or node.is_missing:
        print(node.start_point, text[node.start_byte:node.end_byte][:80])
    for child in node.children:
        wrong(child)
wrong(root)
`;

/** What a parser of PowerShell does not understand in `script`. */
async function notUnderstood(script: string): Promise<string> {
  return await run(["/usr/bin/python3", "-c", parse], {
    env: { PYTHONPATH: await powershellParser() },
    stdin: script,
  });
}

Deno.test("the script for PowerShell is PowerShell", async () => {
  const { stdout } = await runMirrord(["completions", "powershell"]);
  assert.equal(await notUnderstood(stdout), "");
  assert.notEqual(await notUnderstood(stdout.replace("if (-not $verb", "if -not $verb")), "");
});
