// Real debuggers of programs under mirrord, with a process as the target: those that dial the editor (debugpy
// --connect, JDWP server=n) find it on this machine, though their loopback is the target's; those that listen
// (debugpy --listen, node --inspect, JDWP server=y) are reached on this machine, and from nowhere else. And
// what else of this machine the app finds on loopback.

import assert from "node:assert/strict";
import { sockets } from "../../core/net/linux/listening.ts";
import { until } from "../cluster/command.ts";
import { missingForProcess } from "../support/cases.ts";
import { App } from "../support/layer_app.ts";
import { debugpyPackage } from "../support/packages.ts";
import { freePort } from "../support/ports.ts";
import { ProcessStage } from "../support/process_stage.ts";
import { SessionRun } from "../support/session_run.ts";

const apps = decodeURIComponent(new URL("../apps/", import.meta.url).pathname);
const python = "/usr/bin/python3";
const ignore = missingForProcess() !== null;

/** What listens on the target's port of that number, as another host sees it. */
async function outside(stage: ProcessStage, port: number): Promise<"refused" | "connected"> {
  try {
    using _conn = await Deno.connect({ hostname: stage.hosts.ipv4, port });
    return "connected";
  } catch (error) {
    assert.ok(error instanceof Deno.errors.ConnectionRefused, String(error));
    return "refused";
  }
}

async function debugpyEnv(): Promise<Record<string, string>> {
  return { PYTHONPATH: await debugpyPackage(), PYDEVD_DISABLE_FILE_VALIDATION: "1" };
}

Deno.test({
  name: "debugpy --connect finds the editor on this machine",
  ignore,
  async fn() {
    const env = await debugpyEnv();
    await using stage = await ProcessStage.create();
    const [adapterPort, port] = [freePort(), freePort()];
    await using adapter = new App(null, [
      ...[python, "-m", "debugpy.adapter", "--host", "127.0.0.1", "--port", String(adapterPort)],
      ...["--log-stderr"],
    ], { env });
    await using editor = await editorAt(adapterPort, { listen: { host: "127.0.0.1", port } });
    assert.equal(await editor.line(), "attaching");
    assert.equal(await editor.line(), `waiting ${port}`);
    await using run = new SessionRun(stage, {
      env,
      app: [
        python,
        "-Xfrozen_modules=off",
        "-m",
        "debugpy",
        "--connect",
        `127.0.0.1:${port}`,
        `${apps}debugged.py`,
      ],
    });
    assert.equal(await editor.line(), "stopped");
    assert.equal(await editor.line(), "'of the app'");
    const { code, stdout } = await run.finished();
    assert.deepEqual([code, stdout], [0, "went on\n"]);
    assert.match(
      run.said().join("\n"),
      new RegExp(`connects to 127.0.0.1:${port}: the app's debugger \\(debugpy\\)`),
    );
    adapter.kill();
  },
});

/** tests/apps/dap.py, once the adapter listens. */
async function editorAt(port: number, attach: unknown): Promise<App> {
  await listens(port);
  return new App(null, [python, `${apps}dap.py`, String(port), JSON.stringify(attach)]);
}

/**
 * Resolves when something of this machine listens on `port`; dials nobody, since debuggers take but one
 * client.
 */
async function listens(port: number): Promise<void> {
  await until(`somebody listens on port ${port}`, () => {
    const all = sockets("tcp").map((one) => one.port);
    return Promise.resolve(all.includes(port) || `there are ${all.join(" ")}`);
  });
}

Deno.test({
  name:
    "debugpy --listen is reached on this machine, not through the target, though the configuration names its port",
  ignore,
  async fn() {
    const env = await debugpyEnv();
    await using stage = await ProcessStage.create();
    const port = freePort();
    await using run = new SessionRun(stage, {
      env,
      config: { feature: { network: { incoming: { mode: "steal", ports: [80, port] } } } },
      flags: [],
      // By way of a shell, as a Makefile would.
      app: [
        "sh",
        "-c",
        `${python} -Xfrozen_modules=off -m debugpy --listen ${port} --wait-for-client ${apps}debugged.py`,
      ],
    });
    await run.until(
      new RegExp(`Port ${port} stays on this machine: it is the port of a debugger \\(debugpy\\)`),
    );
    await using editor = await editorAt(port, { connect: { host: "127.0.0.1", port } });
    assert.equal(await editor.line(), "attaching");
    await editor.lineLike(/^stopped$/);
    assert.equal(await outside(stage, port), "refused");
    assert.equal(await editor.line(), "'of the app'");
    const { code, stdout } = await run.finished();
    assert.deepEqual([code, stdout], [0, "went on\n"]);
  },
});

async function compiledJava(): Promise<Disposable & { path: string }> {
  const path = await Deno.makeTempDir({ prefix: "mirrord-java-" });
  const { success } = await new Deno.Command("javac", { args: ["-d", path, `${apps}Debugged.java`] })
    .output();
  assert.ok(success);
  return { path, [Symbol.dispose]: () => Deno.removeSync(path, { recursive: true }) };
}

const jdwp = "-agentlib:jdwp=transport=dt_socket,suspend=n";

for (const way of ["server=n", "server=y"]) {
  Deno.test({
    name: `JDWP ${way}: jdb on this machine debugs the app, and nobody does so through the target`,
    ignore,
    async fn() {
      using classes = await compiledJava();
      await using stage = await ProcessStage.create();
      const port = freePort();
      const dials = way === "server=n";
      const app = [
        "java",
        "-cp",
        classes.path,
        `${jdwp},${way},address=${dials ? "localhost" : "*"}:${port}`,
        "Debugged",
      ];
      const start = () =>
        new SessionRun(stage, { app, env: { PATH: "/usr/bin:/bin", JAVA_TOOL_OPTIONS: "-Xmx64m" } });
      const jdb = (argument: string) => new App(null, ["jdb", argument, String(port)]);
      const listening = dials ? jdb("-listen") : null;
      await using _listening = listening;
      if (dials) await listens(port);
      await using run = start();
      if (!dials) {
        await run.until(
          new RegExp(`Port ${port} stays on this machine: it is the port of a debugger \\(JDWP\\)`),
        );
        await listens(port);
        assert.equal(await outside(stage, port), "refused");
      }
      await using attached = dials ? null : jdb("-attach");
      const debug = listening ?? attached ?? assert.fail();
      await debug.write("stop in Debugged.step");
      await debug.lineLike(/Breakpoint hit/);
      await debug.write("set Debugged.goes = false");
      await debug.lineLike(/goes = false/);
      await debug.write("clear Debugged.step");
      await debug.lineLike(/Removed: breakpoint/);
      await debug.write("cont");
      const { code, stdout } = await run.finished();
      assert.deepEqual([code, stdout.split("\n").filter((line) => !line.startsWith("Listening"))], [0, [
        "runs",
        "went on",
        "",
      ]]);
    },
  });
}

Deno.test({
  name:
    "node --inspect, its variable, and the inspector that a signal opens are reached on this machine alone",
  ignore,
  async fn() {
    await using stage = await ProcessStage.create();
    const [argument, variable] = [freePort(), freePort()];
    const script =
      "process.on('SIGTERM', () => process.exit()); console.error('up', process.pid); setInterval(() => {}, 1e6)";
    const config = {
      feature: { network: { incoming: { mode: "steal", ports: [80, argument, variable, 9229] } } },
    };
    const cases: { port: number; args: string; env: Record<string, string>; signal?: true }[] = [
      { port: argument, args: `--inspect=0.0.0.0:${argument}`, env: {} },
      { port: variable, args: "", env: { NODE_OPTIONS: `--inspect=127.0.0.1:${variable}` } },
      { port: 9229, args: "", env: {}, signal: true },
    ];
    for (const { port, args, env, signal } of cases) {
      await using run = new SessionRun(stage, {
        config,
        flags: [],
        env: { PATH: "/usr/bin:/bin", ...env },
        app: ["sh", "-c", `node ${args} -e "$0"; true`, script],
      });
      const up = await run.until(/^up \d+$/);
      if (signal) Deno.kill(Number(up.split(" ")[1]), "SIGUSR1");
      await run.until(new RegExp(`Port ${port} stays on this machine: it is the port of a debugger`));
      await run.until(/^Debugger listening on/);
      const answer = await fetch(`http://127.0.0.1:${port}/json/version`);
      assert.match(await answer.text(), /node\.js/);
      assert.equal(await outside(stage, port), "refused");
    }
  },
});

Deno.test({
  name:
    "what this machine alone serves on loopback is reached there; what both serve is the target's, which is logged once",
  ignore,
  async fn() {
    await using stage = await ProcessStage.create({ port: 7780, listen: "127.0.0.1" });
    const ports = { here: freePort(), both: 7780, nobody: freePort() };
    await using helper = new App(null, [
      python,
      `${apps}loopback.py`,
      "serve",
      ...Object.entries(ports)
        .filter(([name]) => name !== "nobody").map(([, port]) => String(port)),
    ]);
    assert.equal(await helper.line(), "ready");
    const asked = [
      ...["tcp", "udp"].flatMap((protocol) => [ports.here, ports.both].map((port) => `${protocol}:${port}`)),
      ...[`tcp:${ports.both}`, `tcp:${ports.nobody}`],
    ];
    const ask = async (config: unknown, env: Record<string, string> = {}) => {
      await using run = new SessionRun(stage, {
        env,
        config,
        flags: ["--steal"],
        app: [python, `${apps}loopback.py`, "ask", ...asked],
      });
      const { stdout } = await run.finished();
      return {
        answers: stdout.trim().split("\n"),
        said: run.said().filter((line) => line.includes("connects to")),
      };
    };
    const here = "this machine";
    const usual = await ask({});
    // Nothing of the target has the port by UDP.
    assert.deepEqual(usual.answers, [here, "another", here, here, "another", "ECONNREFUSED"]);
    const both = usual.said.filter((line) => line.includes(`127.0.0.1:${ports.both}: both`));
    assert.equal(both.length, 1, usual.said.join("\n"));
    // The target has the editor's port as well, as somebody in it would who wants the debugger.
    const named = await ask({}, { MIRRORD_IGNORE_DEBUGGER_PORTS: `1-2,${ports.both}` });
    assert.deepEqual(named.answers, [here, here, here, here, here, "ECONNREFUSED"]);
    // A rule leaves no question; nor is there one where outgoing connections are this machine's.
    const rules = (filter: unknown) => ({ feature: { network: { outgoing: { filter } } } });
    const remote = await ask(rules({ remote: ["tcp://127.0.0.0/8"] }));
    assert.deepEqual(remote.answers, ["ECONNREFUSED", "another", here, here, "another", "ECONNREFUSED"]);
    const local = await ask(rules({ local: [`:${ports.both}`] }));
    assert.deepEqual(local.answers, named.answers);
    const off = await ask({ feature: { network: { outgoing: false } } });
    assert.deepEqual([off.answers, off.said], [named.answers, []]);
  },
});
