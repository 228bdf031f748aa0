// `mirrord ci start` and `ci stop` as the steps of a pipeline run them: programs of their own beside a real
// process, what is printed where, exit codes, and that nothing is left.

import assert from "node:assert/strict";
import { run, until } from "../cluster/command.ts";
import { missingForProcess } from "../support/cases.ts";
import { ask } from "../support/client.ts";
import { lives } from "../support/local_remains.ts";
import { Pipeline } from "../support/pipeline.ts";
import { ProcessStage } from "../support/process_stage.ts";
import { localApp } from "../support/session_run.ts";

const ends = (code: number) => `trap 'echo asked; exit ${code}' TERM; echo runs; sleep infinity & wait`;

Deno.test({
  name: "start returns once the program runs beside the target, and stop ends both",
  ignore: missingForProcess() !== null,
  async fn() {
    await using stage = await ProcessStage.create();
    const identity = await stage.identity();
    await using pipeline = new Pipeline();
    const started = await pipeline.json(
      0,
      "start",
      ...stage.targetFlags,
      "--steal",
      "-o",
      "json",
      ...localApp,
    );
    assert.equal(started["name"], "default");
    const stderr = String(started["stderr"]);
    await until("the program listens", async () => {
      const text = await Deno.readTextFile(stderr);
      return text.includes("listening ") || text;
    }, 20);
    const report = await ask(stage);
    assert.equal(report.by, "local");
    assert.equal(report.pid, started["program_pid"]);
    for (const file of [stderr, String(started["stdout"])]) {
      assert.equal((Deno.statSync(file).mode ?? 0) & 0o777, 0o600);
      assert.equal((Deno.statSync(file.replace(/\/[^/]*$/, "")).mode ?? 0) & 0o777, 0o700);
    }
    assert.deepEqual(pipeline.states(), ["default.json", "default.lock"]);
    for (const name of pipeline.states()) {
      const { mode } = Deno.statSync(`${pipeline.folder}/.local/state/mirrord/ci/${name}`);
      assert.equal((mode ?? 0) & 0o777, 0o600);
    }

    const second = await pipeline.run("start", "--", "true");
    assert.equal(second.code, 75);
    assert.match(
      second.stderr,
      /Cannot start "default": a session of that name runs \(python3, process \d+\)/,
    );

    // It has no handler, so it ends by the signal of stop, which is what stop is for.
    const stopped = await pipeline.json(0, "stop", "-o", "json");
    assert.deepEqual(stopped, {
      ...{ name: "default", code: 143, asked: true },
      ...{ stdout: started["stdout"], stderr: started["stderr"] },
    });
    await pipeline.isQuiet();
    assert.equal((await ask(stage)).by, "original");
    await until("no agent is left", async () => {
      const left = await stage.remains();
      return left.length === 0 || left.join("\n");
    }, 20);
    assert.equal(await stage.identity(), identity);
  },
});

Deno.test("stop ends with the program's exit code, whether it was asked to end or ended before", async () => {
  await using pipeline = new Pipeline();
  const { code, stdout } = await pipeline.run("start", "sh", "-c", ends(7));
  assert.equal(code, 0);
  const file = /^stdout: (.*)$/m.exec(stdout)?.[1] ?? "";
  await until(
    "the program runs",
    async () => (await Deno.readTextFile(file)).includes("runs") || "it does not",
  );
  assert.equal((await pipeline.run("stop")).code, 7);
  assert.equal(await Deno.readTextFile(file), "runs\nasked\n");

  assert.equal((await pipeline.run("start", "sh", "-c", "exit 4")).code, 0);
  await pipeline.isQuiet();
  const ended = await pipeline.run("stop");
  assert.equal(ended.code, 4);
  assert.match(ended.stderr, /The program had ended with exit code 4; its output: /);

  const nothing = await pipeline.run("stop");
  assert.equal(nothing.code, 0);
  assert.match(nothing.stderr, /There is no session "default" to stop/);
  assert.deepEqual(pipeline.states(), []);
});

Deno.test("a session that cannot start ends start with its error and exit code, and leaves nothing", async () => {
  await using pipeline = new Pipeline();
  const cases: [string[], number, RegExp][] = [
    [["-t", "process/4194304", "true"], 69, /Cannot target "process\/4194304": there is no such process\n/],
    [["--", "no-such-program"], 127, /Cannot run "no-such-program": there is no such program\n {2}help: /],
    [["-f", "none.json", "true"], 78, /Cannot read "none.json"/],
  ];
  for (const [args, code, said] of cases) {
    const finished = await pipeline.run("start", ...args);
    assert.equal(finished.code, code, finished.stderr);
    assert.match(finished.stderr, said);
    assert.equal(finished.stdout, "");
    assert.deepEqual(pipeline.states(), []);
  }
});

Deno.test("a folder that others may write to is not trusted with the numbers of processes", async () => {
  await using pipeline = new Pipeline();
  const folder = `${pipeline.folder}/.local/state/mirrord/ci`;
  await Deno.mkdir(folder, { recursive: true });
  await Deno.chmod(folder, 0o777);
  for (const args of [["start", "true"], ["stop"]]) {
    const { code, stderr } = await pipeline.run(...args);
    assert.equal(code, 77, stderr);
    assert.match(stderr, /Cannot keep the session in ".*": others may write there/);
  }
});

Deno.test("a program that does not end when asked is killed after the time that stop gives it", async () => {
  await using pipeline = new Pipeline();
  const script = "trap '' TERM; echo armed; while :; do sleep infinity; done";
  const { stdout = "" } = await pipeline.json(0, "start", "-o", "json", "sh", "-c", script);
  await until("the program ignores SIGTERM", async () => {
    const text = await Deno.readTextFile(String(stdout));
    return text.includes("armed") || text;
  });
  const { code, stderr } = await pipeline.run("stop", "--timeout", "1");
  assert.equal(code, 137);
  assert.match(stderr, /The program did not end within 1 s, and so is killed/);
  await pipeline.isQuiet();
});

Deno.test("of a session that was killed stop ends the program, says so and makes room for the next", async () => {
  await using pipeline = new Pipeline();
  const { pid } = await pipeline.json(0, "start", "-o", "json", "sh", "-c", ends(0));
  Deno.kill(Number(pid), "SIGKILL");
  await until("the session is gone", async () => {
    const stat = await Deno.readTextFile(`/proc/${pid}/stat`).catch(() => "");
    return stat === "" || / Z /.test(stat) || stat;
  });
  // The program of a later session whose process got the same number.
  await using other = new Deno.Command("sleep", {
    args: ["60"],
    env: { MIRRORD_SESSION_PID: String(pid) },
  }).spawn();
  const { code, stderr } = await pipeline.run("stop");
  assert.ok(lives(other.pid));
  assert.equal(code, 74);
  assert.match(stderr, /Cannot go on with the session: it was killed/);
  await pipeline.isQuiet();
  assert.equal((await pipeline.run("start", "sh", "-c", ends(0))).code, 0);
  assert.equal((await pipeline.run("stop")).code, 0);
});

Deno.test("a start that another one overtakes is refused, and leaves that one's session alone", async () => {
  await using pipeline = new Pipeline();
  const gate = `${pipeline.folder}/gate.json`;
  await run(["mkfifo", gate]);
  const late = pipeline.run("start", "-f", gate, "--", "true"); // it waits for its configuration
  assert.equal((await pipeline.run("start", "sh", "-c", ends(7))).code, 0);
  await Deno.writeTextFile(gate, "{}");
  const { code, stderr } = await late;
  assert.equal(code, 75, stderr);
  assert.match(stderr, /Cannot start "default": a session of that name runs \(sh, process \d+\)/);
  await until("the program can be asked to end", async () => {
    const [folder = ""] = [...Deno.readDirSync(pipeline.folder)].map(({ name }) => name)
      .filter((name) => name.startsWith("mirrord-ci-sh-"));
    return (await Deno.readTextFile(`${pipeline.folder}/${folder}/stdout`)).includes("runs") ||
      "it does not run";
  });
  assert.equal((await pipeline.run("stop")).code, 7);
});

Deno.test("sessions of two names run at once, and ci.output_dir says where they print", async () => {
  await using pipeline = new Pipeline();
  const config = { ci: { output_dir: "artifacts" } };
  await Deno.writeTextFile(`${pipeline.folder}/m.json`, JSON.stringify(config));
  const start = (name: string) =>
    pipeline.json(0, "start", "--name", name, "-f", "m.json", "-o=json", "--", "sh", "-c", ends(name.length));
  const [one, other] = [await start("one"), await start("other")];
  for (const { stdout } of [one, other]) {
    assert.ok(String(stdout).startsWith(`${await Deno.realPath(pipeline.folder)}/artifacts/mirrord-ci-sh-`));
    await until(
      "it runs",
      async () => (await Deno.readTextFile(String(stdout))).includes("runs") || "not yet",
    );
  }
  assert.equal((await pipeline.run("stop", "--name", "other")).code, 5);
  assert.equal((await pipeline.run("stop", "--name", "one")).code, 3);
  const refused: [string[], RegExp][] = [
    [["start"], /Cannot run "ci start": the <program> is missing/],
    [["stop", "true"], /Cannot run "true": stop takes no program/],
    [["start", "--foreground", "true"], /Cannot use "--foreground".*\n.*mirrord exec/],
    [["start", "-f", "-", "true"], /Cannot use "--config-file -"/],
    [["start", "--name", "../x", "true"], /Cannot use "..\/x": it is no name/],
    [["api-key"], /Cannot use "api-key": it is left out: it needs upstream's operator/],
  ];
  for (const [args, said] of refused) {
    const finished = await pipeline.run(...args);
    assert.equal(finished.code, 2, finished.stderr);
    assert.match(finished.stderr, said);
  }
});
