// Services of `mirrord up` that run in containers, with Debian's podman: beside programs, and each of their
// ends, after which no container is left.

import assert from "node:assert/strict";
import { until } from "../cluster/command.ts";
import { missingForProcess } from "../support/cases.ts";
import { ask, untilBy } from "../support/client.ts";
import { Containers, missingForContainers } from "../support/containers.ts";
import { assertTargetClean } from "../support/postcondition.ts";
import { ProcessStage } from "../support/process_stage.ts";
import { type Finished, runMirrord } from "../support/program.ts";
import { localApp } from "../support/session_run.ts";
import { alone, Up } from "../support/up_run.ts";

const missing = missingForProcess() ?? missingForContainers();
const ours = { headers: { Baggage: "mirrord-session=ana" } };
let containers: Containers;
let stage: ProcessStage;

if (missing === null) {
  Deno.test.beforeAll(async () => {
    containers = await Containers.create(["python", "busybox"]);
    stage = await ProcessStage.create();
  });
  Deno.test.afterAll(async () => {
    await stage?.[Symbol.asyncDispose]();
    await containers?.[Symbol.asyncDispose]();
  });
}

const test = (name: string, fn: () => Promise<void>): void =>
  // The stage's processes live longer than one test.
  Deno.test({ name, ignore: missing !== null, sanitizeOps: false, sanitizeResources: false, fn });

const targeted = (command: string[]) => ({
  target: { path: `process/${stage.pid}` },
  run: { type: "container", command },
});

/** A service whose container runs python's `code`, without a target. */
const python = (code: string, flags: string[] = []) => ({
  target: "none",
  run: {
    type: "container",
    command: containers.image("python", ["--entrypoint", "/usr/bin/python3", ...flags], "-c", code),
  },
});

const start = (services: Record<string, unknown>): Up => new Up(services, { env: containers.env });

const waits = "import time; print('runs', file=__import__('sys').stderr, flush=True); time.sleep(1000)";

/** Fails unless the target answers what the services took, and nothing is left there. */
async function assertGivenBack(one: ProcessStage, identity: string): Promise<void> {
  await untilBy(one, "original", ours);
  await assertTargetClean(one, identity);
}

/** Fails unless the engine has removed its containers. */
async function noContainers(): Promise<void> {
  await until("no container is left", async () => {
    const names = await containers.names();
    return names.length === 0 || names.join();
  }, 20);
}

test("a service answers from its container, beside a program's, and Ctrl-C ends both", async () => {
  await using other = await ProcessStage.create();
  const identities = [await stage.identity(), await other.identity()];
  const local = containers.python(["-e", "TELL=1"], "tests/apps/local.py");
  await using up = start({
    web: targeted(local),
    worker: { target: { path: `process/${other.pid}` }, run: { command: localApp } },
  });
  await up.until(/^web {4}\| listening /);
  await up.until(/^worker \| listening /);
  assert.equal((await ask(stage)).by, "original");
  const report = await ask(stage, { ...ours, path: "/?env=GREETING" });
  assert.deepEqual([report.by, report.pid, report.env["GREETING"]], ["local", 1, "from-the-target"]);
  assert.equal((await ask(other, ours)).by, "local");
  await up.until(/^web {4}\| saw GET /);
  Deno.kill(-up.pid, "SIGINT");
  const { code, stderr } = await up.finished();
  assert.equal(code, 130, stderr);
  assert.deepEqual(await containers.names(), [], stderr);
  await up.isGone();
  for (const [index, one] of [stage, other].entries()) await assertGivenBack(one, identities[index] ?? "");
});

test("a container that ends ends the others, and its exit code is that of mirrord up", async () => {
  await using up = start({
    fails: python("import os; print('out', flush=True); open('/gate').read(); os._exit(3)", [
      ...["--volume", "./gate:/gate"], // from where mirrord up runs
    ]),
    waits: python(waits, ["--stop-timeout", "1"]),
    program: alone("trap 'echo asked to end; exit 0' TERM; sleep infinity & wait"),
  });
  await up.until(/^waits {3}\| runs$/);
  await Deno.writeTextFile(`${up.folder}/gate`, "");
  const { code, stdout, stderr } = await up.finished();
  assert.equal(code, 3, stderr);
  assert.match(stderr, /^mirrord warning: "fails" ended with exit code 3; the other services are ended$/m);
  assert.deepEqual(stdout.trim().split("\n").sort(), ["fails   | out", "program | asked to end"]);
  assert.deepEqual(await containers.names(), []);
  await up.isGone();
});

test("a program that fails ends the container of another service, or the one that is looked at", async () => {
  await using up = start({
    program: alone("read _ <gate; exit 4"),
    waits: python(waits, ["--stop-timeout", "1"]),
  });
  await up.until(/^waits {3}\| runs$/);
  await Deno.writeTextFile(`${up.folder}/gate`, "\n");
  const { code, stderr } = await up.finished();
  assert.equal(code, 4, stderr);
  assert.deepEqual(await containers.names(), []);
  await up.isGone();

  const [program = "", ...words] = containers.image("python", []);
  await using early = start({
    program: alone("read _ <gate; exit 5"),
    looked: { target: "none", run: { type: "container", command: ["./podman", ...words] } },
  });
  const made = `${program} "$@" >&2 && echo >gate && exec sleep infinity`;
  const script = `#!/bin/sh\ncase " $* " in *" create "*) ${made} ;; esac\nexec ${program} "$@"\n`;
  await Deno.writeTextFile(`${early.folder}/podman`, script, { mode: 0o755 });
  const failed = await early.finished();
  assert.equal(failed.code, 5, failed.stderr);
  assert.deepEqual(await containers.names(), []);
  await early.isGone();
});

test("a second signal kills the container of a program that does not end", async () => {
  const deaf =
    "import os, signal\nfor one in (2, 15): signal.signal(one, lambda *_: os.write(2, b'heard\\n'))\n" +
    "os.write(2, b'armed\\n')\nwhile True: signal.pause()";
  await using up = start({ deaf: python(deaf, ["--stop-timeout", "600"]) });
  await up.until(/armed/);
  up.kill("SIGINT");
  await up.until(/heard/);
  up.kill("SIGINT");
  const { code, stderr } = await up.finished();
  assert.equal(code, 130, stderr);
  assert.match(stderr, /Not ended, and so killed: deaf/); // after the grace it would say how long that was
  assert.deepEqual(await containers.names(), [], stderr);
  await up.isGone();
});

test("no container is left of mirrord up that is killed", async () => {
  const identity = await stage.identity();
  await using up = start({
    web: targeted(containers.python([], "tests/apps/local.py")),
    other: python(waits),
  });
  await up.until(/^web {3}\| listening /);
  await up.until(/^other \| runs$/);
  up.kill("SIGKILL");
  await noContainers();
  await up.isGone();
  await assertGivenBack(stage, identity);
});

test("command lines that cannot run are found before anything starts, an image before its agent", async () => {
  const refused = async (service: Record<string, unknown>): Promise<Finished> => {
    const folder = await Deno.makeTempDir({ prefix: "mirrord-up-" });
    try {
      const services = { a: alone("echo started; sleep infinity"), web: service };
      await Deno.writeTextFile(`${folder}/mirrord-up.yaml`, JSON.stringify({ services }, null, 1));
      return await runMirrord(["up"], { cwd: folder, env: { HOME: folder, USER: "ana", ...containers.env } });
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  };
  const [engine = ""] = containers.image("python", []);
  const lines: [string[], RegExp][] = [
    [["run", "-d", "x"], /: cannot use "--detach": a session lasts as long .*\n {2}help: Leave it out/],
    [["run", "-it", "x"], /: cannot use "--tty": the container's output is no terminal here/],
    [["run", "-p", "x", "x"], /: cannot use "--publish x": it is not /],
    [
      ["run", "--rm"],
      /: cannot run "podman run": the image is missing\n {2}help: Write the engine's command line: /,
    ],
    [["compose", "up"], /: cannot run "podman compose": mirrord runs one container/],
  ];
  for (const [words, said] of lines) {
    const { code, stdout, stderr } = await refused(targeted([engine, ...words]));
    assert.equal(code, 78, stderr);
    assert.match(stderr, /Cannot use "services.web.run.command" \(line \d+ of "mirrord-up.yaml"\): /);
    assert.match(stderr, said);
    assert.equal(stdout, "");
  }
  const images: [string[], number, RegExp][] = [
    [containers.image("busybox", []), 126, /^web \| mirrord error: Cannot run .* is statically linked/m],
    [
      ["./docker", "run", "x"],
      127,
      /^web \| mirrord error: Cannot run ".\/docker": there is no such program$/m,
    ],
    [[engine, "run", "--pull", "never", "test.local/none:1"], 125, /^web \| .*test.local\/none:1/m],
  ];
  for (const [command, wanted, said] of images) {
    const { code, stderr } = await refused(targeted(command));
    assert.equal(code, wanted, stderr);
    assert.match(stderr, said);
    assert.doesNotMatch(stderr, /Starting the agent/);
  }
  assert.deepEqual(await containers.names(), []);
});
