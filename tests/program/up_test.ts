// `mirrord up` as a user runs it: real programs beside real processes, their output, and each of its ends,
// after which nothing is left.

import assert from "node:assert/strict";
import { until } from "../cluster/command.ts";
import { missingForProcess } from "../support/cases.ts";
import { ask, untilBy } from "../support/client.ts";
import { ProcessStage } from "../support/process_stage.ts";
import { binary, type Finished, runMirrord, userPath } from "../support/program.ts";
import { localApp } from "../support/session_run.ts";
import { alone, Up } from "../support/up_run.ts";

const root = decodeURIComponent(new URL("../../", import.meta.url).pathname);

async function noRemains(stage: ProcessStage): Promise<true | string> {
  const left = await stage.remains();
  return left.length === 0 || left.join("\n");
}

Deno.test({
  name: "each service has its own target, filter, command and folder, and Ctrl-C ends all",
  ignore: missingForProcess() !== null,
  async fn() {
    await using one = await ProcessStage.create();
    await using two = await ProcessStage.create();
    const target = ({ pid }: ProcessStage) => ({ path: `process/${pid}` });
    const command = ["env", "TELL=1", ...localApp];
    await using up = new Up({
      api: { target: target(one), run: { command } },
      web: { target: target(two), http_filter: { path_filter: "^/web" }, run: { command, directory: "/" } },
    });
    await up.until(/^api \| listening /);
    await up.until(/^web \| listening /);
    const by = async (stage: ProcessStage, request: { path?: string; headers?: Record<string, string> }) =>
      (await ask(stage, request)).by;
    assert.equal(await by(one, {}), "original");
    assert.equal(await by(one, { headers: { Baggage: "a=1, mirrord-session=ana;x=2" } }), "local");
    assert.equal(await by(one, { headers: { Baggage: "mirrord-session=anabel" } }), "original");
    assert.equal(await by(two, {}), "original");
    assert.equal(await by(two, { path: "/web" }), "local");
    assert.match(up.said().join("\n"), /Requests with the header "baggage: mirrord-session=ana" .* \(api\)/);

    const identities = [await one.identity(), await two.identity()];
    Deno.kill(-up.pid, "SIGINT");
    assert.equal((await up.finished()).code, 130);
    await up.isGone();
    for (const stage of [one, two]) {
      assert.equal(
        await by(stage, { path: "/web", headers: { Baggage: "mirrord-session=ana" } }),
        "original",
      );
      await until("no agent is left", () => noRemains(stage), 20);
    }
    assert.deepEqual([await one.identity(), await two.identity()], identities);
  },
});

Deno.test("lines of several services stay whole, and standard output stays apart from standard error", async () => {
  const pieces = (name: string) =>
    `for i in 1 2 3 4 5 6 7 8 9; do printf 'a'; printf '${name}'; printf 'z\\n'; echo 'err-${name}' >&2; done`;
  await using up = new Up({
    a: alone(`${pieces("one")}; read _; echo 'stdin is open' && exit 1`),
    long: alone(`${pieces("two")}; printf 'no end'; sleep infinity`),
  });
  // The input of a service stays open and empty: what ends its read is the end of all.
  for (const name of ["a   ", "long"]) await up.until(new RegExp(`^${name} \\| err-`));
  await until("both printed all", () => {
    const errors = up.said().filter((line) => /err-/.test(line)).length;
    return Promise.resolve(errors === 18 || `${errors} lines`);
  }, 20);
  up.kill("SIGTERM");
  const { code, stdout, stderr } = await up.finished();
  assert.equal(code, 143);
  const counts = new Map<string, number>();
  for (const line of stdout.trim().split("\n")) counts.set(line, (counts.get(line) ?? 0) + 1);
  assert.deepEqual(Object.fromEntries(counts), { "a    | aonez": 9, "long | atwoz": 9, "long | no end": 1 });
  assert.ok(!stderr.includes("aonez"), stderr);
  await up.isGone();
});

Deno.test("the first service that ends ends the others, and its exit code is that of mirrord up", async () => {
  await using up = new Up({
    fails: alone("read _ <gate; exit 3"),
    waits: alone("trap 'echo asked to end; exit 0' TERM; echo >gate; sleep infinity & wait"),
  });
  const { code, stdout, stderr } = await up.finished();
  assert.equal(code, 3, stderr);
  assert.match(stderr, /^mirrord warning: "fails" ended with exit code 3; the other services are ended$/m);
  assert.equal(stdout, "waits | asked to end\n");
  await up.isGone();
});

Deno.test("a second signal ends services at once that do not end", async () => {
  await using up = new Up({
    deaf: alone("trap 'echo heard >&2' INT TERM; echo armed >&2; while :; do sleep infinity & wait; done"),
  });
  await up.until(/armed/);
  up.kill("SIGINT");
  await up.until(/heard/);
  up.kill("SIGINT");
  const { code, stderr } = await up.finished();
  assert.equal(code, 130);
  assert.match(stderr, /Not ended, and so killed: deaf/); // after the grace it would say how long that was
  await up.isGone();
});

Deno.test({
  name: "nothing is left of mirrord up that is killed",
  ignore: missingForProcess() !== null,
  async fn() {
    await using stage = await ProcessStage.create();
    await using up = new Up({
      api: { target: { path: `process/${stage.pid}` }, run: { command: localApp } },
      other: alone("echo runs >&2; sleep infinity"),
    });
    await up.until(/^api {3}\| listening /);
    await up.until(/^other \| runs/);
    up.kill("SIGKILL");
    await up.isGone();
    await until("no agent is left", () => noRemains(stage), 20);
    assert.equal((await ask(stage, { headers: { Baggage: "mirrord-session=ana" } })).by, "original");
  },
});

/** Says how many of the signals that ask to end came within a second of the first. */
const counter = `
import os, select, signal
reader, writer = os.pipe()
os.set_blocking(writer, False)
for number in (signal.SIGINT, signal.SIGTERM):
    signal.signal(number, lambda *_: None)
signal.set_wakeup_fd(writer)
print("ready", 0, flush=True)
came = os.read(reader, 1)
while select.select([reader], [], [], 1)[0]:
    came += os.read(reader, 1)
print("came", list(came), flush=True)
`;

Deno.test("a Ctrl-C typed at the terminal reaches each service once, however soon another ends", async () => {
  const folder = await Deno.makeTempDir();
  const services = {
    counts: { target: "none", run: { command: ["python3", "-c", counter] } },
    quick: alone("exec sleep infinity"),
  };
  await Deno.writeTextFile(`${folder}/mirrord-up.yaml`, JSON.stringify({ services }));
  const { stdout, stderr } = await new Deno.Command("python3", {
    args: [`${root}tests/apps/terminal.py`, binary, "up"],
    env: { PATH: userPath(), HOME: folder, TERM: "dumb", USER: "ana" },
    cwd: folder,
    stdin: "null",
  }).output();
  const text = new TextDecoder().decode(stdout);
  assert.match(text, /^(\^C)?counts \| came \[2\]$/m, text + new TextDecoder().decode(stderr));
  assert.match(text, /ended with 130\n$/);
  assert.doesNotMatch(text, /other services are ended/);
  await Deno.remove(folder, { recursive: true });
});

Deno.test("the prefix is coloured, each service's in its own, unless NO_COLOR says", async () => {
  const services = { a: alone("echo out; read _ <gate"), b: alone("echo out; sleep infinity") };
  const shown = async (env: Record<string, string>): Promise<string[]> => {
    await using up = new Up(services, { env });
    await up.until(/a \|.*Running/);
    await up.until(/b \|.*Running/);
    await Deno.writeTextFile(`${up.folder}/gate`, "\n");
    const { stdout } = await up.finished();
    return stdout.trim().split("\n").sort();
  };
  assert.deepEqual(await shown({}), ["a | out", "b | out"]);
  assert.deepEqual(await shown({ FORCE_COLOR: "1" }), ["\x1b[33mb | \x1b[39mout", "\x1b[36ma | \x1b[39mout"]);
});

Deno.test("errors of the file are reported before anything starts", async () => {
  const folder = await Deno.makeTempDir();
  const run = (args: string[], text?: string): Promise<Finished> => {
    const file = `${folder}/${crypto.randomUUID()}.yaml`;
    if (text !== undefined) Deno.writeTextFileSync(file, text);
    return runMirrord(["up", "-f", file, ...args], { cwd: folder, env: { HOME: folder } });
  };
  const started = "run: {command: [sh, -c, echo started]}";
  const cases: [what: Promise<Finished>, code: number, said: RegExp][] = [
    [run([]), 78, /Cannot read ".*": there is no such file\n.*mirrord up init/],
    [run([], `services: {a: {target: none, ${started}}, b: {env: 1, ${started}}}`), 78, /"services.b.env"/],
    [run(["c"], `services: {a: {target: none, ${started}}}`), 2, /Cannot start "c"/],
    [
      run(["-m", "replace"], `services: {a: {target: none, ${started}}}`),
      78,
      /"replace" needs upstream's op/,
    ],
    [run(["-m", "steal"], ""), 2, /Cannot use "steal": it is none of split, mirror, replace/],
    [
      run([], `services: {a: {target: {path: statefulset/x}, ${started}}}`),
      78,
      /Cannot use "statefulset\/x" as the target/,
    ],
    [run([], `services: {a: {env: {include: a, exclude: b}, ${started}}}`), 78, /"services.a.env.include"/],
  ];
  for (const [what, code, said] of cases) {
    const finished = await what;
    assert.equal(finished.code, code, finished.stderr);
    assert.match(finished.stderr, said);
    assert.equal(finished.stdout, "");
  }
  await Deno.remove(folder, { recursive: true });
});

Deno.test("up init writes a file that mirrord up takes, and overwrites none", async () => {
  const folder = await Deno.makeTempDir();
  const up = (...args: string[]) => runMirrord(["up", ...args], { cwd: folder, env: { HOME: folder } });
  const { code, stdout } = await up("init");
  assert.equal(code, 0);
  assert.match(stdout, /Wrote mirrord-up.yaml/);
  const again = await up("init");
  assert.equal(again.code, 78);
  assert.match(again.stderr, /Cannot write "mirrord-up.yaml": it is there already/);
  assert.equal((await up("init", "-o", "other.yaml")).code, 0);
  const text = await Deno.readTextFile(`${folder}/mirrord-up.yaml`);
  // Every key that is commented out can be used as it stands.
  const used = text.replace(/^(\s*)# (?=\s*\w+:|\s+\w+: |\s+[A-Z_]+:)/gm, "$1");
  assert.ok(used !== text);
  const plain = used.replace("directory: ./api", "directory: .").replace(
    "path: deployment/api",
    "path: process/4194304",
  )
    .replace("skip: true", "skip: false").replace('["npm", "start"]', "[sh]").replace(
      /^ +namespace: .*$/m,
      "",
    );
  await Deno.writeTextFile(`${folder}/mirrord-up.yaml`, plain);
  const tried = await up();
  assert.match(tried.stderr, /api \| .*there is no such process|api \| .*no such process/, plain);
  assert.doesNotMatch(tried.stderr, /Ignoring "(common|services)[^"]*".*no such key/);
  await Deno.remove(folder, { recursive: true });
});

Deno.test({
  name: "Ctrl-Z gives the target its traffic back, and fg goes on",
  ignore: missingForProcess() !== null,
  async fn() {
    await using stage = await ProcessStage.create();
    const services = {
      api: { target: { path: `process/${stage.pid}` }, run: { command: localApp } },
      other: alone("echo runs >&2; sleep infinity"),
    };
    await using up = new Up(services, { prefix: ["python3", `${root}tests/apps/job_control.py`] });
    await up.until(/^api {3}\| listening /);
    await up.until(/^other \| runs/);
    const request = { headers: { Baggage: "mirrord-session=ana" } };
    assert.equal((await ask(stage, request)).by, "local");
    await up.type("stop\n");
    await up.until(/^job stopped$/);
    await untilBy(stage, "original", request);
    await up.type("go\n");
    await up.until(/^api {3}\| mirrord Continued after .* s: port 80 is stolen again/);
    await untilBy(stage, "local", request);
  },
});
