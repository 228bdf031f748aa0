// `mirrord ci container` as the steps of a pipeline run it, with Debian's podman beside a real process.

import assert from "node:assert/strict";
import { until } from "../cluster/command.ts";
import { missingForProcess } from "../support/cases.ts";
import { ask } from "../support/client.ts";
import { Containers, missingForContainers } from "../support/containers.ts";
import { Pipeline } from "../support/pipeline.ts";
import { assertTargetClean } from "../support/postcondition.ts";
import { ProcessStage } from "../support/process_stage.ts";

const missing = missingForProcess() ?? missingForContainers();
const root = decodeURIComponent(new URL("../../", import.meta.url).pathname);
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

/** Words that run python's `code` in a container. */
const python = (code: string, flags: string[] = []): string[] =>
  containers.image("python", ["--entrypoint", "/usr/bin/python3", ...flags], "-c", code);

/** Code that ends with `code` when it is asked to end; it says when it can be. */
const ends = (code: number): string =>
  `import os, signal; signal.signal(15, lambda *_: os._exit(${code})); os.write(1, b'runs\\n')\n` +
  "while True: signal.pause()";

const prints = (file: unknown, text: string): Promise<void> =>
  until(`${text} is printed`, async () => {
    const printed = await Deno.readTextFile(String(file));
    return printed.includes(text) || printed;
  }, 20);

test("container returns once the program answers for the target, and stop ends both", async () => {
  const identity = await stage.identity();
  await using pipeline = new Pipeline(containers.env);
  // As its container's first process a program ends by SIGTERM only if it has a handler.
  const code = `import os, runpy, signal; signal.signal(15, lambda *_: os._exit(143))\n` +
    `runpy.run_path("${root}tests/apps/local.py", run_name="__main__")`;
  const line = python(code, ["--volume", `${root}tests:${root}tests:ro`]);
  const started = await pipeline.json(
    0,
    ...["container", ...stage.targetFlags, "--steal", "-o", "json", "--", ...line],
  );
  await prints(started["stderr"], "listening ");
  const report = await ask(stage, { path: "/?env=GREETING" });
  assert.deepEqual([report.by, report.env["GREETING"]], ["local", "from-the-target"]);
  const id = String(started["container"]);
  assert.equal((await containers.ask("ps", "--no-trunc", "--quiet")).trim(), id);
  const first = await Deno.readTextFile(`/proc/${started["program_pid"]}/cmdline`);
  assert.ok(first.startsWith("/usr/bin/python3\0"), first);
  assert.match(String(started["stdout"]), /\/mirrord-ci-python_1-[^/]*\/stdout$/);
  assert.deepEqual(pipeline.states(), ["default.json", "default.lock"]);

  const second = await pipeline.run("container", "--", ...line);
  assert.equal(second.code, 75);
  assert.match(
    second.stderr,
    /Cannot start "default": a session of that name runs \(python:1, process \d+\)/,
  );

  const stopped = await pipeline.json(0, "stop", "-o", "json");
  assert.deepEqual(stopped, {
    ...{ name: "default", code: 143, asked: true },
    ...{ stdout: started["stdout"], stderr: started["stderr"] },
  });
  assert.deepEqual(await containers.names(), []);
  await pipeline.isQuiet();
  await assertTargetClean(stage, identity);
});

test("stop ends with the container's exit code, and kills a program that does not end", async () => {
  await using pipeline = new Pipeline(containers.env);
  const { code, stdout } = await pipeline.run("container", "--", ...python(ends(7)));
  assert.equal(code, 0);
  assert.match(stdout, /^container: [0-9a-f]{64}$/m);
  await prints(/^stdout: (.*)$/m.exec(stdout)?.[1], "runs");
  assert.equal((await pipeline.run("stop")).code, 7);

  assert.equal((await pipeline.run("container", ...python("raise SystemExit(4)"))).code, 0);
  await pipeline.isQuiet();
  const ended = await pipeline.run("stop");
  assert.equal(ended.code, 4);
  assert.match(ended.stderr, /The program had ended with exit code 4; its output: /);

  const behindInit = python("import os, signal; os.write(1, b'runs\\n'); signal.pause()", [
    ...["--init", "--init-path", "/usr/bin/docker-init"],
  ]);
  const begun = await pipeline.json(0, "container", "-o", "json", "--", ...behindInit);
  await prints(begun["stdout"], "runs");
  assert.deepEqual((await pipeline.json(0, "stop", "-o", "json"))["code"], 143);

  // As its container's first process it ignores SIGTERM.
  const deaf = python("import os, signal; os.write(1, b'runs\\n'); signal.pause()", [
    "--stop-timeout",
    "600",
  ]);
  const started = await pipeline.json(0, "container", "-o", "json", "--", ...deaf);
  await prints(started["stdout"], "runs");
  const killed = await pipeline.run("stop", "--timeout", "1");
  assert.equal(killed.code, 137, killed.stderr);
  assert.match(killed.stderr, /The program did not end within 1 s, and so is killed/);
  assert.deepEqual(await containers.names(), []);
  await pipeline.isQuiet();
  assert.deepEqual(pipeline.states(), []);
});

test("the container of a session that was killed ends, and stop says so", async () => {
  await using pipeline = new Pipeline(containers.env);
  const { pid } = await pipeline.json(0, "container", "-o", "json", "--", ...python(ends(0)));
  Deno.kill(Number(pid), "SIGKILL");
  await until("no container is left", async () => {
    const names = await containers.names();
    return names.length === 0 || names.join();
  });
  const { code, stderr } = await pipeline.run("stop");
  assert.equal(code, 74);
  assert.match(stderr, /Cannot go on with the session: it was killed/);
  await pipeline.isQuiet();
});

test("an interrupted start leaves no container, whether it is looked at or runs", async () => {
  const [program = "", ...words] = python(ends(0));
  for (const verb of ["create", "run"]) {
    await using pipeline = new Pipeline(containers.env);
    const said = `${pipeline.folder}/said`;
    // The engine's own command goes on; what it did is told.
    const slow =
      `#!/bin/sh\ncase " $* " in *" ${verb} "*) echo ${verb} >${said} ;; esac\nexec ${program} "$@"\n`;
    await Deno.writeTextFile(`${pipeline.folder}/podman`, slow, { mode: 0o755 });
    await using start = pipeline.begin("container", "--", "./podman", ...words);
    await until(`the engine is told to ${verb}`, () => {
      const { isFile = false } = stat(said);
      return Promise.resolve(isFile || "not yet");
    });
    start.kill("SIGTERM");
    const { code, stderr } = await start.finished();
    assert.equal(code, 143, stderr);
    await pipeline.isQuiet();
    assert.deepEqual(await containers.names(), []);
    assert.deepEqual(pipeline.states().filter((name) => name.endsWith(".json")), []);
  }
});

function stat(path: string): Partial<Deno.FileInfo> {
  try {
    return Deno.statSync(path);
  } catch {
    return {};
  }
}

test("what cannot run ends container with its error and exit code, and leaves nothing", async () => {
  await using pipeline = new Pipeline(containers.env);
  const [engine = ""] = python("");
  const lines: [string[], RegExp][] = [
    [["container"], /Cannot run "ci container": the <program> is missing\n.*mirrord ci container/],
    [["container", "--", engine, "run", "-d", "x"], /Cannot use "--detach": a session lasts as long/],
    [
      ["container", "--", engine, "run", "-it", "x"],
      /Cannot use "--tty": the container's output is no terminal/,
    ],
    [["container", "--", "npm", "start"], /Cannot run "npm": it is none of docker, podman and nerdctl\n/],
    [
      ["container", "--foreground", "--", engine, "run", "x"],
      /Cannot use "--foreground".*\n.*mirrord container/,
    ],
  ];
  for (const [args, said] of lines) {
    const finished = await pipeline.run(...args);
    assert.equal(finished.code, 2, finished.stderr);
    assert.match(finished.stderr, said);
    assert.deepEqual(pipeline.outputs(), []);
  }
  const id = (await containers.ask("create", "--name", "taken", ...python("").slice(3))).trim();
  const starts: [string[], number, RegExp][] = [
    [["./docker", "run", "x"], 127, /Cannot run ".\/docker": there is no such program\n {2}help: Install it/],
    [containers.image("busybox", []), 126, /Cannot run "test.local\/busybox:1": .* is statically linked/],
    [containers.image("python", ["--entrypoint", "nothing"]), 127, /there is no program "nothing" in it/],
    [
      python("", ["--name", "taken"]),
      125,
      /Cannot run "test.local\/python:1": ".*podman run" ended with 125\n/,
    ],
  ];
  for (const [line, code, said] of starts) {
    const finished = await pipeline.run("container", ...stage.targetFlags, "--", ...line);
    assert.equal(finished.code, code, finished.stderr);
    assert.match(finished.stderr, said);
    assert.equal(finished.stdout, "");
    assert.deepEqual(pipeline.states(), []);
    await pipeline.isQuiet();
  }
  assert.deepEqual(await containers.names(), ["taken"]);
  await containers.ask("rm", id);
});
