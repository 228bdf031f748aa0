// `mirrord container` with a real engine (Debian's podman) and a process as the target.

import assert from "node:assert/strict";
import { missingForProcess } from "../support/cases.ts";
import { ask } from "../support/client.ts";
import { Containers, imageWords, missingForContainers, pythonWords } from "../support/containers.ts";
import { assertTargetClean, withSession } from "../support/postcondition.ts";
import { ProcessStage } from "../support/process_stage.ts";
import { type Finished, runMirrord } from "../support/program.ts";
import { type RunOptions, SessionRun } from "../support/session_run.ts";

const missing = missingForProcess() ?? missingForContainers();
const local = "tests/apps/local.py";
let containers: Containers;
let stage: ProcessStage;

if (missing === null) {
  Deno.test.beforeAll(async () => {
    containers = await Containers.create(["python", "busybox", "shellless"]);
    stage = await ProcessStage.create({ env: { LINES: "first\nsecond", QUOTED: `it's "so"` } });
  });
  Deno.test.afterAll(async () => {
    await stage[Symbol.asyncDispose]();
    await containers[Symbol.asyncDispose]();
  });
}

function test(name: string, fn: () => Promise<void>): void {
  // The stage's processes live longer than one test.
  Deno.test({ name, ignore: missing !== null, sanitizeOps: false, sanitizeResources: false, fn });
}

function listening(app: string[], options: RunOptions = {}): Promise<SessionRun> {
  const env = { ...containers.env, ...options.env };
  return SessionRun.listening(stage, { ...options, command: "container", env, app });
}

async function runContainer(line: string[], flags: string[] = []): Promise<Finished> {
  return await runMirrord(["container", ...stage.targetFlags, ...flags, "--", ...line], {
    env: containers.env,
  });
}

/** Prints what python's expression is, in a container. */
function printed(expression: string, flags: string[] = []): Promise<Finished> {
  const words = imageWords(
    "python",
    ["--entrypoint", "/usr/bin/python3", ...flags],
    "-c",
    `import os; print(${expression})`,
  );
  return runContainer(words);
}

test("a stolen request is answered in the container, with a variable of the target", async () => {
  await withSession(stage, () => listening(pythonWords([], local)), async (run) => {
    for (const family of ["ipv4", "ipv6"] as const) {
      const report = await ask(stage, { family, path: "/?env=GREETING&env=PATH" });
      assert.equal(report.by, "local");
      assert.equal(report.pid, 1, "the container has its own processes");
      assert.equal(report.peer, stage.clients[family]);
      assert.equal(report.env["GREETING"], "from-the-target");
      assert.equal(report.env["PATH"], "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
    }
    assert.ok(run.said().some((line) => line.includes("Running python:1 with the target's incoming")));
  });
  assert.deepEqual(await containers.names(), []);
});

test("a container of another user answers too, and reads a file of the target", async () => {
  const folder = await Deno.makeTempDir({ dir: "/srv", prefix: "mirrord-test-" });
  try {
    await Deno.chmod(folder, 0o755);
    await Deno.writeTextFile(`${folder}/text`, "of the target\n");
    const { code, stdout, stderr } = await printed(`open("${folder}/text").read(), os.getuid()`, [
      ...["--user", "1234:1234"],
    ]);
    assert.equal(code, 0, stderr);
    assert.equal(stdout, "of the target\n 1234\n", stderr);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
  await withSession(stage, () => listening(pythonWords(["--user", "1234:1234"], local)), async () => {
    assert.equal((await ask(stage)).by, "local");
  });
});

test("what the engine is told wins over the target's variables, and no secret is on its command line", async () => {
  const words = pythonWords(["-e", "GREETING=own"], local);
  await withSession(stage, () => listening(words), async (run) => {
    const { env } = await ask(stage, { path: "/?env=GREETING&env=LINES&env=QUOTED&env=SECRET_TOKEN" });
    assert.deepEqual(env, {
      GREETING: "own",
      LINES: "first\nsecond",
      QUOTED: `it's "so"`,
      SECRET_TOKEN: "hidden-in-the-target",
    });
    const children = await Deno.readTextFile(`/proc/${run.pid}/task/${run.pid}/children`);
    for (const pid of children.trim().split(" ")) {
      const line = await Deno.readTextFile(`/proc/${pid}/cmdline`);
      assert.ok(!line.includes("hidden-in") && !line.includes("second"), line);
    }
  });
});

test("the container's exit code is passed on, and its output is its own", async () => {
  const { code, stdout, stderr } = await printed("os._exit(print('here', flush=True) or 42)");
  assert.equal(code, 42, stderr);
  assert.equal(stdout, "here\n");
});

test("Ctrl-C and SIGTERM end the container, and the session with it", async () => {
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    const identity = await stage.identity();
    await using run = await listening(pythonWords([], local));
    assert.equal((await ask(stage)).by, "local");
    if (signal === "SIGINT") run.interrupt();
    else run.kill(signal);
    const { code, stderr } = await run.finished();
    assert.ok([130, 137, 143].includes(code), `${code}\n${stderr}`);
    assert.deepEqual(await containers.names(), []);
    await assertTargetClean(stage, identity);
  }
});

test("an image that the layer cannot get into is refused before an agent starts", async () => {
  const refusals: [string[], number, RegExp][] = [
    [
      imageWords("busybox", []),
      126,
      /Cannot run "test.local\/busybox:1": "\/bin\/httpd" is statically linked/,
    ],
    [imageWords("shellless", []), 126, /"\/bin\/sleep" is statically linked/],
    [
      imageWords("python", ["--entrypoint", "nothing"]),
      127,
      /Cannot run "test.local\/python:1": there is no program "nothing" in it/,
    ],
  ];
  for (const [words, wanted, said] of refusals) {
    const { code, stderr } = await runContainer(words);
    assert.equal(code, wanted, stderr);
    assert.match(stderr, said);
    assert.ok(!stderr.includes("agent\n") && !/Agent started/.test(stderr), stderr);
  }
  assert.deepEqual(await containers.names(), []);
});
