// The tests of `mirrord container` with a real engine and a process as the target. Registered by
// tests/program/container_podman_test.ts and container_docker_test.ts.

import assert from "node:assert/strict";
import { until } from "../cluster/command.ts";
import { imageName } from "../cluster/images.ts";
import { missingForProcess } from "./cases.ts";
import { ask } from "./client.ts";
import { Containers, missingForContainers, type TestedEngine } from "./containers.ts";
import { assertClean, assertTargetClean, withSession } from "./postcondition.ts";
import { ProcessStage } from "./process_stage.ts";
import { type Finished, runMirrord } from "./program.ts";
import { SessionRun } from "./session_run.ts";

const local = "tests/apps/local.py";
const changedImage = "test.local/changed:1";
/** Files run beside each other. */
const publishedPorts: Record<TestedEngine, number> = { podman: 8348, docker: 8349 };

/** Registers them for `engine`. */
export function registerContainerTests(engine: TestedEngine): void {
  const missing = missingForProcess() ?? missingForContainers(engine);
  const publishedPort = publishedPorts[engine];
  let containers: Containers;
  let stage: ProcessStage;

  if (missing === null) {
    Deno.test.beforeAll(async () => {
      containers = await Containers.create(["python", "busybox", "shellless"], engine);
      stage = await ProcessStage.create({ env: { LINES: "first\nsecond", QUOTED: `it's "so"` } });
    });
    Deno.test.afterAll(async () => {
      await stage?.[Symbol.asyncDispose]();
      await containers?.[Symbol.asyncDispose]();
    });
  }

  const test = (name: string, fn: () => Promise<void>): void =>
    // The stage's processes live longer than one test.
    Deno.test({ name, ignore: missing !== null, sanitizeOps: false, sanitizeResources: false, fn });

  const listening = (app: string[]): Promise<SessionRun> =>
    SessionRun.listening(stage, { command: "container", env: containers.env, app });

  const runContainer = (line: string[], flags: string[] = []): Promise<Finished> =>
    runMirrord(["container", ...stage.targetFlags, ...flags, "--", ...line], { env: containers.env });

  /** Prints what python's expression is, in a container. */
  const printed = (expression: string, flags: string[] = []): Promise<Finished> => {
    const code = `import os; print(${expression})`;
    const own = ["--entrypoint", "/usr/bin/python3", ...flags];
    return runContainer(containers.image("python", own, "-c", code));
  };

  test("a stolen request is answered in the container, with a variable of the target", async () => {
    await withSession(stage, () => listening(containers.python([], local)), async (run) => {
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

  test("a container of another user answers too, and reads files of the target", async () => {
    const folder = await Deno.makeTempDir({ dir: "/srv", prefix: "mirrord-test-" });
    try {
      await Deno.chmod(folder, 0o755);
      await Deno.writeTextFile(`${folder}/text`, "of the target\n");
      await Deno.writeFile(`${folder}/large`, new Uint8Array(300_000).fill(0x61)); // stays open in the session
      const asked = [
        `open("${folder}/text").read()`,
        `len(open("${folder}/large").read())`,
        `sorted(os.listdir("${folder}"))`,
        "os.getuid()",
      ];
      const { code, stdout, stderr } = await printed(`[${asked}]`, ["--user", "1234:1234"]);
      assert.equal(code, 0, stderr);
      assert.equal(stdout, "['of the target\\n', 300000, ['large', 'text'], 1234]\n", stderr);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
    await withSession(stage, () => listening(containers.python(["--user", "1234:1234"], local)), async () => {
      assert.equal((await ask(stage)).by, "local");
    });
  });

  test("what the engine is told wins over the target's variables, and no secret is on its command line", async () => {
    const words = containers.python(["-e", "GREETING=own"], local);
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

  test("a variable of the image is removed, and its LD_PRELOAD stays behind the layer", async () => {
    const id = (await containers.ask("create", imageName("python"))).trim();
    const change = (line: string) => ["--change", `ENV ${line}`];
    await containers.ask(
      "commit",
      ...change("AWAY=1"),
      ...change("LD_PRELOAD=libutil.so.1"),
      id,
      changedImage,
    );
    await containers.ask("rm", id);
    const config = await Deno.makeTempFile({ suffix: ".json" });
    try {
      await Deno.writeTextFile(config, JSON.stringify({ feature: { env: { unset: ["away"] } } }));
      const names = `[os.environ.get(name) for name in ("AWAY", "LD_PRELOAD", "GREETING")]`;
      const words = containers.image("python", ["--entrypoint", "/usr/bin/python3"]).slice(0, -1);
      const line = [...words, changedImage, "-c", `import os; print(${names})`];
      const { code, stdout, stderr } = await runContainer(line, ["-f", config]);
      assert.equal(code, 0, stderr);
      assert.match(stdout, /^\[None, '\/.*\/libmirrord_layer\.so:libutil\.so\.1', 'from-the-target'\]$/m);
    } finally {
      await Deno.remove(config);
    }
  });

  test("the container's exit code is passed on, and its output is its own", async () => {
    const { code, stdout, stderr } = await printed("os._exit(print('here', flush=True) or 42)");
    assert.equal(code, 42, stderr);
    assert.equal(stdout, "here\n");
  });

  test("Ctrl-C and SIGTERM end the container, and the session with it", async () => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      const identity = await stage.identity();
      await using run = await listening(containers.python([], local));
      assert.equal((await ask(stage)).by, "local");
      if (signal === "SIGINT") run.interrupt();
      else run.kill(signal);
      const { code, stderr } = await run.finished();
      assert.ok([130, 137, 143].includes(code), `${code}\n${stderr}`);
      assert.deepEqual(await containers.names(), []);
      await assertTargetClean(stage, identity);
    }
  });

  test("a published port is where the program listens here, and the pod's port is its own", async () => {
    const words = containers.python(["-p", `${publishedPort}:80`], local);
    await withSession(stage, () => listening(words), async (run) => {
      const report = await ask(stage);
      assert.deepEqual([report.by, report.own_port], ["local", 80]);
      const here = await (await fetch(`http://127.0.0.1:${publishedPort}/`)).json();
      assert.equal(here.by, "local");
      assert.ok(!run.said().some((line) => line.includes("not available")), run.said().join("\n"));
    });
  });

  test("a lost session ends the container", async () => {
    await using own = await ProcessStage.create();
    await using run = await SessionRun.listening(own, {
      command: "container",
      env: containers.env,
      app: containers.python([], local),
    });
    Deno.kill(own.pid, "SIGKILL");
    const { code, stderr } = await run.finished();
    assert.equal(code, 74, stderr);
    assert.match(stderr, new RegExp(`the target, process ${own.pid}, ended`));
    await until("the engine has removed it", async () => {
      const names = await containers.names();
      return names.length === 0 || names.join();
    });
  });

  test("when mirrord is killed the container is ended, and nothing is left", async () => {
    const identity = await stage.identity();
    await using run = await listening(containers.python([], local));
    assert.equal((await ask(stage)).by, "local");
    run.kill("SIGKILL");
    await run.finished();
    await until("the engine has removed it", async () => {
      const names = await containers.names();
      return names.length === 0 || names.join();
    });
    await assertClean(run, identity);
  });

  test("the container that is only looked at goes when mirrord is interrupted or killed meanwhile", async () => {
    const folder = await Deno.makeTempDir({ prefix: "mirrord-engine-" });
    try {
      const [program = "", ...words] = containers.image("python", []);
      const slow = `${folder}/${engine}`;
      const made = `${program} "$@" >&2 && echo made >&2 && exec sleep infinity 2>/dev/null`;
      const script = `#!/bin/sh\ncase " $* " in *" create "*) ${made} ;; esac\nexec ${program} "$@"\n`;
      await Deno.writeTextFile(slow, script, { mode: 0o755 });
      for (const signal of ["SIGTERM", "SIGKILL"] as const) {
        const identity = await stage.identity();
        const options = { command: "container", env: containers.env, app: [slow, ...words] };
        await using run = new SessionRun(stage, options);
        await run.until(/^made$/);
        assert.equal((await containers.names()).length, 1);
        run.kill(signal);
        const { code } = await run.finished();
        assert.equal(code, signal === "SIGTERM" ? 143 : 137);
        await until("the engine has removed it", async () => {
          const names = await containers.names();
          return names.length === 0 || names.join();
        });
        await assertTargetClean(stage, identity);
      }
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });

  test("a program that the dynamic linker gives no layer is ended, or reported if it was faster", async () => {
    const folder = await Deno.makeTempDir({ prefix: "mirrord-setuid-" });
    try {
      await Deno.chmod(folder, 0o755);
      for (const name of ["true", "sleep"]) {
        await Deno.copyFile(`/bin/${name}`, `${folder}/${name}`);
        await Deno.chmod(`${folder}/${name}`, 0o4755); // set-user-ID: LD_PRELOAD is ignored (ld.so(8))
      }
      const flags = (name: string) => [
        ...["--user", "1234", "--volume", `${folder}:${folder}`],
        ...["--entrypoint", `${folder}/${name}`],
      ];
      const short = await runContainer(containers.image("python", flags("true")));
      assert.equal(short.code, 0, short.stderr);
      assert.match(
        short.stderr,
        /"test.local\/python:1" ended, and mirrord's library was never in its program/,
      );
      const long = await runContainer(containers.image("python", flags("sleep"), "infinity"));
      assert.equal(long.code, 126, long.stderr);
      assert.match(long.stderr, /Cannot run "test.local\/python:1": the dynamic linker did not load/);
      assert.deepEqual(await containers.names(), []);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });

  test("an init that the engine adds is seen through", async () => {
    const folder = await Deno.makeTempDir({ prefix: "mirrord-init-" });
    try {
      await Deno.writeTextFile(`${folder}/init`, '#!/bin/sh\nshift\nexec "$@"\n', { mode: 0o755 });
      // Docker's daemon has one of its own; podman's package only suggests one.
      const flags = engine === "docker" ? ["--init"] : ["--init", "--init-path", `${folder}/init`];
      const { code, stdout, stderr } = await printed('os.environ["GREETING"]', flags);
      assert.equal(code, 0, stderr);
      assert.equal(stdout, "from-the-target\n");
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });

  test("programs of another CPU are refused, behind a script and an init too", async () => {
    const folder = await Deno.makeTempDir({ prefix: "mirrord-foreign-" });
    try {
      const foreign = await Deno.readFile("/bin/true");
      foreign[18] = 243; // e_machine, RISC-V (elf(5))
      await Deno.writeFile(`${folder}/foreign`, foreign, { mode: 0o755 });
      await Deno.writeTextFile(`${folder}/script`, `#!${folder}/foreign\n`, { mode: 0o755 });
      const starts = (program: string, ...args: string[]): string[] =>
        containers.image("python", ["--volume", `${folder}:${folder}`, "--entrypoint", program], ...args);
      const refusals: [string[], RegExp][] = [
        [starts(`${folder}/foreign`), /is built for another machine than this one/],
        [starts(`${folder}/script`), /another machine/],
        [starts("tini", "--", `${folder}/foreign`), /another machine/],
      ];
      for (const [words, said] of refusals) {
        const { code, stderr } = await runContainer(words);
        assert.equal(code, 126, stderr);
        assert.match(stderr, said);
        assert.doesNotMatch(stderr, /Starting the agent/);
      }
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });

  test("an image that the layer cannot get into is refused before an agent starts", async () => {
    const refusals: [string[], number, RegExp][] = [
      [
        containers.image("busybox", []),
        126,
        /Cannot run "test.local\/busybox:1": "\/bin\/httpd" is statically linked/,
      ],
      [containers.image("shellless", []), 126, /"\/bin\/sleep" is statically linked/],
      [
        containers.image("python", ["--entrypoint", "nothing"]),
        127,
        /Cannot run "test.local\/python:1": there is no program "nothing" in it/,
      ],
    ];
    for (const [words, wanted, said] of refusals) {
      const { code, stderr } = await runContainer(words);
      assert.equal(code, wanted, stderr);
      assert.match(stderr, said);
      assert.doesNotMatch(stderr, /Starting the agent/);
    }
    assert.deepEqual(await containers.names(), []);
  });
}
