// A hostile target against the programs of a developer's machine: everything that its variables and files
// could make an ordinary program run. Each attack is shown to work where nothing protects: with the variable
// set on this machine, or with the rule lifted by the configuration. Then all of them are tried at once
// through the compiled binary.

import assert from "node:assert/strict";
import { missingForProcess } from "../support/cases.ts";
import { FileTarget } from "../support/file_target.ts";
import { type HostileCase, hostileCases, hostileFiles, prepared } from "../support/hostile_variables.ts";
import { bunProgram, nodePackages } from "../support/packages.ts";
import { type Finished, Mirrord } from "../support/program.ts";

const missing = missingForProcess();
const limitMs = 300_000;
const path = `/usr/bin:/bin:/usr/sbin:/sbin:${Deno.execPath().replace(/\/[^/]*$/, "")}`;
const decoder = new TextDecoder();

/** Runs the commands of a JSON file one after the other, without a shell that would drop variables. */
const driver = `
import json, subprocess, sys, time
for name, command in json.load(open(sys.argv[1])):
    began = time.time()
    done = subprocess.run(["timeout", "60", *command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    print("ran", name, done.returncode, *command[:3], f"{time.time() - began:.1f} s", flush=True)
`;

interface Stage extends AsyncDisposable {
  cases: HostileCase[];
  evil: string;
  /** The working folder of every program. */
  work: string;
  /** What ran: the names of the files in the canary folder, which is emptied. */
  ran(): string[];
  /** Runs a command line here, without mirrord. */
  here(command: string[], variables?: Record<string, string>): Promise<void>;
  /** Makes a target with the hostile files, which this machine has no longer then. */
  target(options?: { fill?: string; env?: Record<string, string> }): Promise<FileTarget>;
  /** Runs a command line under mirrord. */
  session(target: FileTarget, command: string[], feature?: unknown): Promise<Finished>;
}

async function makeStage(): Promise<Stage> {
  const id = crypto.randomUUID().slice(0, 8);
  const evil = `/mirrord-evil-${id}`;
  const folder = Deno.makeTempDirSync({ prefix: "mirrord-attack-" });
  const [canary, work] = [`${folder}/canary`, `${folder}/work`];
  for (const one of [canary, work, evil]) Deno.mkdirSync(one);
  const places = { evil, canary };
  const programs = { npm: `${await nodePackages()}/npm/bin/npm-cli.js`, bun: await bunProgram() };
  const base = { PATH: path, HOME: `${work}/home`, TERM: "xterm", EDITOR: "true" };
  const here = async (command: string[], variables: Record<string, string> = {}) => {
    const { stderr } = await new Deno.Command("timeout", {
      args: ["60", ...command],
      cwd: work,
      clearEnv: true,
      env: { ...base, ...variables },
      stdin: "null",
    }).output();
    assert.ok(
      !decoder.decode(stderr).includes("timeout: failed to run"),
      `${command.join(" ")} is not installed`,
    );
  };
  await here(["sh", "-ec", prepared]);
  await here(["sh", "-ec", hostileFiles(places)]);
  const ran = () => {
    const names = [...Deno.readDirSync(canary)].map(({ name }) => name).sort();
    for (const name of names) Deno.removeSync(`${canary}/${name}`, { recursive: true });
    return names;
  };
  return {
    cases: hostileCases(places, programs),
    evil,
    work,
    ran,
    here,
    async target({ fill = "", env = {} } = {}) {
      const copy = `mkdir -p .${evil} && cp -a ${evil}/. .${evil}/`;
      const target = await FileTarget.create({ fill: `${copy}\n${fill}`, env });
      Deno.removeSync(evil, { recursive: true });
      return target;
    },
    async session(target, command, feature = {}) {
      // Build tools, git among them, are hooked as any other program: then the target's files are within
      // their reach.
      const config = { feature, skip_build_tools: false };
      Deno.writeTextFileSync(`${folder}/config.json`, JSON.stringify(config));
      const flags = ["--target", `process/${target.pid}`, "-f", `${folder}/config.json`];
      await using run = new Mirrord(["exec", ...flags, "--", ...command], { env: base, cwd: work });
      return await run.finished(limitMs);
    },
    async [Symbol.asyncDispose]() {
      for (const one of [folder, evil]) await Deno.remove(one, { recursive: true }).catch(() => {});
    },
  };
}

Deno.test({
  name:
    "no variable or file of a target runs its code in forty ordinary programs, each of which would obey it here",
  ignore: missing !== null,
}, async () => {
  await using stage = await makeStage();
  assert.deepEqual(stage.ran(), []);
  for (const { name, command, variables } of stage.cases) {
    await stage.here(command, variables);
    assert.deepEqual(stage.ran(), [name], `${command.join(" ")} does not obey ${Object.keys(variables)}`);
  }
  const programs = new Set(stage.cases.map(({ program }) => program));
  assert.ok(programs.size >= 30, `${programs.size} programs`);

  const hostile = Object.assign({}, ...stage.cases.map(({ variables }) => variables));
  await using target = await stage.target({ env: { ...hostile, GREETING: "from-the-target" } });
  const list = `${stage.work}/cases.json`;
  Deno.writeTextFileSync(list, JSON.stringify(stage.cases.map(({ name, command }) => [name, command])));
  Deno.writeTextFileSync(`${stage.work}/driver.py`, driver);
  const all = await stage.session(target, ["/usr/bin/python3", "driver.py", list]);
  assert.equal(all.code, 0, all.stderr);
  assert.equal(all.stdout.match(/^ran /gm)?.length, stage.cases.length, all.stdout);
  assert.doesNotMatch(all.stdout, / 124 /, all.stdout);
  assert.deepEqual(stage.ran(), [], all.stdout);
  // The target's files are within reach all the same, and so are its other variables.
  const seen = await stage.session(target, ["sh", "-c", `echo $GREETING; cat ${stage.evil}/sh-env`]);
  assert.match(seen.stdout, /^from-the-target\ntouch /);
  // What was left out is named, and no value is shown.
  assert.match(all.stderr, /Left out of the target's variables.*: .*BASH_ENV/);
  assert.doesNotMatch(all.stderr, new RegExp(stage.evil));
});

Deno.test({
  name: "a variable that the configuration names is taken, and then it runs",
  ignore: missing !== null,
}, async () => {
  await using stage = await makeStage();
  const chosen = ["git-GIT_SSH_COMMAND", "python3-PYTHONWARNINGS", "npm-mixed", "sh-ENV", "npm-USERCONFIG"];
  const cases = stage.cases.filter(({ name }) => chosen.includes(name));
  assert.equal(cases.length, chosen.length);
  await using target = await stage.target({
    env: Object.assign({}, ...cases.map(({ variables }) => variables)),
  });
  for (const { name, command, variables } of cases) {
    const { stderr } = await stage.session(target, command, { env: { include: Object.keys(variables) } });
    assert.deepEqual(stage.ran(), [name], stderr);
    await stage.session(target, command, { env: { include: ["*"] } });
    assert.deepEqual(stage.ran(), [], name);
  }
});

Deno.test({
  name:
    "no settings of the target run where tools look for them by themselves: above the working directory, and at home",
  ignore: missing !== null,
}, async () => {
  await using stage = await makeStage();
  const touch = (name: string) => `touch ${stage.work}/../canary/${name}`;
  const home = Deno.readTextFileSync("/etc/passwd").split("\n").find((line) => line.split(":")[2] === "0")
    ?.split(":")[5] ?? "/root";
  await using target = await stage.target({
    fill: `
git init -q . && git config core.fsmonitor "${touch("git")}"
echo 'system("${touch("rake")}")' >Rakefile
echo '\t@${touch("make")}' >Makefile
mkdir -p .${home}/.ssh && printf 'Host *\\n  ProxyCommand ${touch("ssh")}\\n' >.${home}/.ssh/config`,
  });
  // A folder of no repository, below which tools look no further on this machine.
  const empty = `${stage.work}/../empty`;
  Deno.mkdirSync(empty);
  const inEmpty = (command: string) => ["sh", "-c", `cd ${empty} && ${command}`];
  const attacks: [name: string, pattern: string, command: string[]][] = [
    ["git", "^/\\.git(/|$)", inEmpty("git status")],
    ["rake", "^/Rakefile$", inEmpty("rake")],
    ["ssh", `^${home}/\\.ssh(/|$)`, inEmpty("ssh -oBatchMode=yes -oConnectTimeout=1 a@127.0.0.1")],
  ];
  for (const [name, pattern, command] of attacks) {
    const lifted = await stage.session(target, command, { fs: { read_only: [pattern] } });
    assert.deepEqual(stage.ran(), [name], lifted.stderr + lifted.stdout);
    const { stderr } = await stage.session(target, command);
    assert.deepEqual(stage.ran(), [], stderr);
  }
});
