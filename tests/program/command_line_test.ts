// The compiled binary without any target: what it prints, what it costs, how it passes the app's end on.

import assert from "node:assert/strict";
import { runtimeVariables } from "../../scripts/denort.ts";
import { until } from "../cluster/command.ts";
import { lives } from "../support/local_remains.ts";
import { binary, Mirrord, runMirrord, userPath } from "../support/program.ts";

Deno.test("the binary runs where there is no Deno and no Node", async () => {
  const names = [...Deno.readDirSync(userPath())].map((entry) => entry.name);
  assert.ok(!names.includes("deno") && !names.includes("node"));
  const { code, stdout } = await runMirrord(["--version"]);
  assert.equal(code, 0);
  assert.match(stdout, /^mirrord \d+\.\d+\.\d+\n$/);
});

Deno.test("the binary is at most 1.25 times an empty compiled program", async () => {
  const folder = Deno.makeTempDirSync();
  try {
    Deno.writeTextFileSync(`${folder}/empty.ts`, "export {};\n");
    const { success, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["compile", "--quiet", "--no-config", "--output", "empty", "empty.ts"],
      cwd: folder,
      env: await runtimeVariables(),
    }).output();
    assert.ok(success, new TextDecoder().decode(stderr));
    const ratio = Deno.statSync(binary).size / Deno.statSync(`${folder}/empty`).size;
    assert.ok(ratio <= 1.25, `ratio ${ratio}`);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});

Deno.test("exec, ext and the agent start with few files", () => {
  const folder = new URL(`../../build/bundle-linux-${Deno.build.arch}/`, import.meta.url);
  const read = (name: string) => Deno.readTextFileSync(new URL(name, folder));
  /** The files that are loaded before the first line of `name` runs. */
  const loaded = (name: string, found = new Set<string>()): Set<string> => {
    if (found.has(name)) return found;
    found.add(name);
    for (const [, next = ""] of read(name).matchAll(/(?:from|import)\s*"\.\/([^"]+\.js)"/g)) {
      loaded(next, found);
    }
    return found;
  };
  /** What they load when they are asked for a file of that name. */
  const asked = (from: string, name: string): string =>
    [...loaded(from)].map((one) => read(one).match(new RegExp(`import\\("\\./(${name}-\\w+\\.js)"`))?.[1])
      .find((one) => one !== undefined) ?? assert.fail(`${from} loads no ${name}`);
  for (const [bundle, command] of [["run.js", "exec"], ["run.js", "ext"], ["agent.js", "agent"]] as const) {
    const mod = asked(bundle, "mod");
    const all = [bundle, mod, asked(mod, command)].reduce(
      (found, one) => loaded(one, found),
      new Set<string>(),
    );
    // Each costs the start about half a millisecond. In a bundle with all commands exec had 52 files.
    assert.ok(all.size <= 36, `${command} loads ${all.size} files`);
  }
});

Deno.test("help names the commands, a wrong flag ends with 2", async () => {
  const help = await runMirrord(["--help"]);
  assert.equal(help.code, 0);
  assert.match(help.stdout, /exec/);
  const wrong = await runMirrord(["exec", "--no-such-flag", "true"]);
  assert.equal(wrong.code, 2);
  assert.match(wrong.stderr, /no-such-flag/);
});

Deno.test("the app's exit code passes through", async () => {
  for (const code of [0, 3, 74]) {
    assert.equal((await runMirrord(["exec", "--", "sh", "-c", `exit ${code}`])).code, code);
  }
});

Deno.test("targetless without a kubeconfig runs with this machine's own, and says so; a named one must be there", async () => {
  const home = await Deno.makeTempDir();
  try {
    const run = (...flags: string[]) =>
      runMirrord(["exec", ...flags, "--", "sh", "-c", "echo out"], { env: { HOME: home } });
    for (const flags of [["--target", "targetless"], ["-n", "shop"], ["--context", "c"]]) {
      const { code, stdout, stderr } = await run(...flags);
      assert.equal(code, 0, stderr);
      assert.equal(stdout, "out\n");
      assert.match(stderr, /warning.*no kubeconfig was found\n.*No target: .*this machine's own network/);
    }
    const named = await run("--target", "targetless", "--kubeconfig", `${home}/none`);
    assert.equal(named.code, 78, named.stderr);
    assert.equal(named.stdout, "");
  } finally {
    await Deno.remove(home, { recursive: true });
  }
});

Deno.test("the app's output is its own, mirrord speaks on standard error", async () => {
  const { stdout, stderr } = await runMirrord(["exec", "--", "sh", "-c", "echo out; echo err >&2"]);
  assert.equal(stdout, "out\n");
  assert.match(stderr, /^mirrord No target/m);
  assert.match(stderr, /^err$/m);
});

Deno.test("a signal to mirrord reaches the app and comes back as 128 + n", async () => {
  for (const [signal, code] of [["SIGTERM", 143], ["SIGINT", 130], ["SIGHUP", 129]] as const) {
    await using mirrord = new Mirrord([
      "exec",
      "--",
      "sh",
      "-c",
      "echo up >&2; kill -STOP $$; exec sleep 1000",
    ]);
    await mirrord.until(/^up$/);
    // Only a stopped app shows that both signals came, in whatever order they do.
    await until("the app stands still", async () => {
      const stat = await Deno.readTextFile(`/proc/${await mirrord.appPid()}/stat`);
      return stat.includes(") T ") || stat;
    }, 10);
    mirrord.kill(signal);
    mirrord.kill("SIGCONT");
    assert.equal((await mirrord.finished()).code, code);
  }
});

Deno.test("an app that handles a signal ends as it likes", async () => {
  await using mirrord = new Mirrord([
    "exec",
    "--",
    "python3",
    "-c",
    [
      "import signal, sys",
      "signal.signal(signal.SIGTERM, lambda *a: sys.exit(7))",
      "print('up', file=sys.stderr, flush=True)",
      "signal.pause()",
    ].join("\n"),
  ]);
  await mirrord.until(/^up$/);
  mirrord.kill("SIGTERM");
  assert.equal((await mirrord.finished()).code, 7);
});

Deno.test("the session's directory is private and goes with it, also after kill -9", async () => {
  const parent = Deno.makeTempDirSync({ prefix: "mirrord-parent-" });
  // The folder of all sessions' control sockets stays.
  const folders = () =>
    [...Deno.readDirSync(parent)].map(({ name }) => name).filter((one) => one !== "mirrord");
  try {
    const mirrord = new Mirrord(["exec", "--", "sh", "-c", "echo up >&2; exec sleep 1000"], {
      env: { XDG_RUNTIME_DIR: parent },
    });
    await mirrord.until(/^up$/);
    const made = folders();
    assert.equal(made.length, 1);
    assert.equal((Deno.statSync(`${parent}/${made[0]}`).mode ?? 0) & 0o777, 0o700);
    const app = await mirrord.appPid();
    mirrord.kill("SIGKILL");
    await mirrord.finished();
    await until(
      "the directory is gone",
      () => Promise.resolve(folders().length === 0 || folders().join()),
      20,
    );
    await until("the app ends with its session", () => Promise.resolve(!lives(app) || "it lives"), 20);
  } finally {
    Deno.removeSync(parent, { recursive: true });
  }
});

Deno.test("a missing program ends with 127 before anything is started", async () => {
  const { code, stderr } = await runMirrord(["exec", "--target", "process/1", "--", "no-such-program"]);
  assert.equal(code, 127);
  assert.match(stderr, /Cannot run "no-such-program": there is no such program/);
});

Deno.test("the configuration that counts is named in the first line", async () => {
  const folder = Deno.makeTempDirSync();
  try {
    Deno.mkdirSync(`${folder}/.mirrord`);
    const file = ".mirrord/mirrord.json";
    Deno.writeTextFileSync(`${folder}/${file}`, '{"telemetry": false, "operator": true}');
    Deno.writeTextFileSync(`${folder}/.mirrord/mirrord.yaml`, "");
    const first = async (flags: string[], env: Record<string, string> = {}) => {
      const args = ["exec", ...flags, "-t", "targetless", "--", "true"];
      const { code, stderr } = await runMirrord(args, { cwd: folder, env });
      assert.equal(code, 0, stderr);
      return stderr.split("\n")[0] ?? "";
    };
    const found = await first([]);
    const both = `mirrord warning: Using the configuration "${file}"; not read: .mirrord/mirrord.yaml`;
    assert.equal(found, both);
    Deno.removeSync(`${folder}/.mirrord/mirrord.yaml`);
    assert.equal(await first([]), `mirrord Using the configuration "${file}"`);
    const env = { MIRRORD_CONFIG_FILE: file };
    assert.equal(await first([], env), `mirrord Using the configuration "${file}"`);
    assert.equal(await first(["-f", file]), `mirrord Using the configuration "${file}"`);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});

Deno.test("bad configuration ends with 78 and names everything wrong", async () => {
  const folder = Deno.makeTempDirSync();
  try {
    Deno.writeTextFileSync(
      `${folder}/m.yaml`,
      "feature:\n  network:\n    incoming:\n      mode: stael\n      portz: [1]\n",
    );
    const { code, stderr } = await runMirrord(["exec", "-f", "m.yaml", "--", "true"], { cwd: folder });
    assert.equal(code, 78);
    assert.match(stderr, /mode/);
    assert.match(stderr, /portz/);
    const verdict = await runMirrord(["verify-config", "m.yaml"], { cwd: folder });
    assert.equal(verdict.code, 78);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});

Deno.test(
  {
    name: "a program with file capabilities is refused, never run un-hooked",
    ignore: Deno.uid() !== 0, // setcap(8) and setpriv(1) need root
  },
  async () => {
    const folder = Deno.makeTempDirSync();
    try {
      Deno.chmodSync(folder, 0o755);
      const program = `${folder}/sleep`;
      Deno.copyFileSync("/bin/sleep", program);
      Deno.chmodSync(program, 0o755);
      const { success, stderr } = await new Deno.Command("setcap", {
        args: ["cap_net_bind_service=+ep", program],
      }).output();
      assert.ok(success, new TextDecoder().decode(stderr));
      const prefix = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];
      const run = await runMirrord(["exec", "--", program, "1000"], { prefix, env: { HOME: folder } });
      assert.equal(run.code, 126);
      assert.match(run.stderr, /Cannot run ".*sleep": ".*sleep" has file capabilities/);
      Deno.copyFileSync(program, `${folder}/copy`);
      Deno.chmodSync(`${folder}/copy`, 0o755);
      assert.equal(
        (await runMirrord(["exec", "--", `${folder}/copy`, "0"], { prefix, env: { HOME: folder } })).code,
        0,
      );
    } finally {
      Deno.removeSync(folder, { recursive: true });
    }
  },
);

Deno.test("a run leaves nothing in the temporary directory", async () => {
  const folder = Deno.makeTempDirSync();
  try {
    assert.equal((await runMirrord(["exec", "--", "true"], { env: { TMPDIR: folder } })).code, 0);
    assert.deepEqual([...Deno.readDirSync(folder)].map((entry) => entry.name), []);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});
