// Hostile names at the TAB key: what an API server says, and what files in a folder are called, is completed
// by bash, zsh and fish on a terminal and run with Enter. No shell expands it; the program gets it as it is.

import assert from "node:assert/strict";
import { completionScript } from "../../cmd/completions.ts";
import { type Step, typeAt } from "../support/typed.ts";

/** A name and what of it the terminal shows once it is completed. */
const names: [name: string, shows: string][] = [
  ["pod/a$(touch ran)", "touch.+ran"],
  ["pod/b`touch ran`", "touch.+ran"],
  ["pod/c;touch ran", "touch.+ran"],
  ["pod/d&touch ran", "touch.+ran"],
  ["pod/e *", "[*]"],
  ["pod/f'\"\\$HOME", "HOME"],
  ["pod/g~{x,y}", "x"],
  ["pod/h>ran", "ran"],
  ["pod/i!!", "!"],
];

interface Shell {
  argv: string[];
  setUp: (script: string) => string;
}

const shells: Record<"bash" | "zsh" | "fish", Shell> = {
  bash: {
    argv: ["bash", "--norc", "--noprofile", "-i"],
    setUp: (script) => `set +o history; PS1='READY> '; source ${script}; echo SET''UP\n`,
  },
  zsh: {
    argv: ["zsh", "-f", "-i"],
    setUp: (script) =>
      `PS1='READY> '; autoload -U compinit; compinit -u -D; source ${script}; echo SET''UP\n`,
  },
  fish: {
    argv: ["fish", "--no-config", "-i"],
    setUp: (script) => `function fish_prompt; echo 'READY> '; end; source ${script}; echo SET''UP\n`,
  },
};

/** What the program got that the shell ran, and which files were made meanwhile. */
interface Outcome {
  got: string[];
  made: string[];
  shown: string;
}

/** Types each of `lines`, whose last part is completed at TAB and run once it shows what stands beside it. */
async function type(
  { argv, setUp }: Shell,
  script: string,
  lines: readonly [line: string, shows: string][],
): Promise<Outcome> {
  const folder = Deno.makeTempDirSync({ prefix: "mirrord-typed-" });
  try {
    for (const name of ["bin", "here"]) Deno.mkdirSync(`${folder}/${name}`);
    Deno.writeTextFileSync(`${folder}/script`, script);
    Deno.writeTextFileSync(`${folder}/names`, names.map(([name]) => `${name}\n`).join(""));
    Deno.writeTextFileSync(`${folder}/here/$(touch ran)`, "");
    const mirrord = `#!/bin/sh
[ "$1" = ls ] && exec cat ${folder}/names
for one; do last=$one; done
printf '%s\\n' "$last" >>${folder}/got
`;
    Deno.writeTextFileSync(`${folder}/bin/mirrord`, mirrord, { mode: 0o755 });
    const steps: Step[] = [["", setUp(`${folder}/script`)], ["SETUP.*READY> ", ""]];
    for (const [line, shows] of lines) steps.push(["", `${line}\t`], [shows, "\n"], ["READY> ", ""]);
    const env = { PATH: `${folder}/bin:/usr/bin:/bin`, HOME: folder, LC_ALL: "C.UTF-8" };
    const { shown } = await typeAt(argv, [...steps, ["", "exit\n"]], { cwd: `${folder}/here`, env });
    return {
      got: Deno.readTextFileSync(`${folder}/got`).trimEnd().split("\n"),
      made: [...Deno.readDirSync(`${folder}/here`)].map(({ name }) => name).filter((name) =>
        name !== "$(touch ran)"
      ),
      shown,
    };
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

async function isInstalled(program: string): Promise<boolean> {
  return await new Deno.Command("sh", { args: ["-c", `command -v ${program}`], stdout: "null" }).output()
    .then(({ success }) => success);
}

const lines = names.map(([name, shows]): [string, string] => [`mirrord exec -t ${name.slice(0, 5)}`, shows]);

for (const shell of ["bash", "zsh", "fish"] as const) {
  Deno.test({
    name: `${shell} completes a target of any name and expands none`,
    ignore: !await isInstalled(shell), // this machine has no such shell
    async fn() {
      const { got, made, shown } = await type(shells[shell], completionScript(shell), lines);
      assert.deepEqual(got, names.map(([name]) => name), shown);
      assert.deepEqual(made, [], shown);
    },
  });

  Deno.test({
    name: `${shell} completes a file of any name and expands none`,
    ignore: !await isInstalled(shell), // this machine has no such shell
    async fn() {
      const line = "mirrord exec --env-file ";
      const { got, made, shown } = await type(shells[shell], completionScript(shell), [[line, "touch.+ran"]]);
      assert.deepEqual(got, ["$(touch ran)"], shown);
      assert.deepEqual(made, [], shown);
    },
  });
}

Deno.test("the attack: a script that hands names to compgen -W runs them", async () => {
  const naive = `_mirrord() { COMPREPLY=($(compgen -W "$(mirrord ls)" -- "\${COMP_WORDS[COMP_CWORD]}")); }
complete -F _mirrord mirrord
`;
  const { made } = await type(shells.bash, naive, [["mirrord exec -t pod/c", ""]]);
  assert.deepEqual(made, ["ran"]);
});
