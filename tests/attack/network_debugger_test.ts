// An attacker on the network, who can reach the pod's address, looks for a debugger of the developer's
// machine behind it and runs code by it. First where nothing protects: the inspector opened by the program
// itself, on a port that the configuration names, runs the attacker's code on this machine. Then as mirrord
// leaves it: the same listener without a name, and named debuggers of every kind.

import assert from "node:assert/strict";
import { until } from "../cluster/command.ts";
import { missingForProcess } from "../support/cases.ts";
import { deadline } from "../support/deadline.ts";
import { debugpyPackage } from "../support/packages.ts";
import { ProcessStage } from "../support/process_stage.ts";
import { SessionRun } from "../support/session_run.ts";

const ignore = missingForProcess() !== null;
const apps = decodeURIComponent(new URL("../apps/", import.meta.url).pathname);
const python = "/usr/bin/python3";
const port = 9333;
const env = { PATH: "/usr/bin:/bin", SECRET_OF_THE_DEVELOPER: "on-this-machine" };
/** Node opens its inspector by itself: nothing on its command line says so. */
const opens =
  `require("node:inspector").open(${port}, "127.0.0.1"); console.error("up"); setInterval(() => {}, 1e6)`;

/** Runs code by the inspector at the target's address; null: nobody is there. */
async function attack(stage: ProcessStage, at = port): Promise<string | null> {
  let list: { webSocketDebuggerUrl: string }[];
  try {
    list = await (await fetch(`http://${stage.hosts.ipv4}:${at}/json/list`)).json();
  } catch (error) {
    assert.match(String(error), /[Cc]onnection refused/);
    return null;
  }
  const socket = new WebSocket(list[0]?.webSocketDebuggerUrl ?? "");
  const answer = Promise.withResolvers<string>();
  socket.onopen = () => {
    const params = { expression: "process.env.SECRET_OF_THE_DEVELOPER" };
    socket.send(JSON.stringify({ id: 1, method: "Runtime.evaluate", params }));
  };
  socket.onmessage = ({ data }) => answer.resolve(JSON.parse(String(data)).result.result.value);
  socket.onerror = () => answer.reject(new Error("the inspector broke off"));
  const closed = Promise.withResolvers<void>();
  socket.onclose = () => closed.resolve();
  try {
    return await deadline(answer.promise, "the attacker's code answers");
  } finally {
    socket.close();
    await deadline(closed.promise, "the inspector lets go");
  }
}

function steal(ports?: number[]): unknown {
  return { feature: { network: { incoming: { mode: "steal", ...(ports === undefined ? {} : { ports }) } } } };
}

Deno.test({
  name: "where the configuration opens it, the network runs code by a debugger of the developer's machine",
  ignore,
  async fn() {
    await using stage = await ProcessStage.create();
    await using run = new SessionRun(stage, {
      config: steal([port]),
      flags: [],
      env,
      app: ["node", "-e", opens],
    });
    await run.until(/^up$/);
    await run.until(/Stealing port 9333: open to the cluster, as the configuration names this port/);
    assert.equal(await attack(stage), "on-this-machine");
  },
});

Deno.test({
  name: "the same debugger that nothing names is refused to the network, on every address of the target",
  ignore,
  async fn() {
    await using stage = await ProcessStage.create();
    await using run = new SessionRun(stage, { config: steal(), flags: [], env, app: ["node", "-e", opens] });
    await run.until(/^up$/);
    await run.until(/Stealing port 9333: only inside the pod/);
    assert.equal(await attack(stage), null);
    await assert.rejects(Deno.connect({ hostname: stage.hosts.ipv6, port }), Deno.errors.ConnectionRefused);
  },
});

/**
 * Debuggers that are known: command lines as people and editors write them, behind shells, npm and variables.
 */
const known: { name: string; app: string[]; env?: Record<string, string>; signal?: true; at?: number }[] = [
  { name: "node --inspect", app: ["node", `--inspect=0.0.0.0:${port}`, "-e", "setInterval(() => {}, 1e6)"] },
  {
    name: "node by a shell's child, with NODE_OPTIONS",
    app: ["sh", "-c", "node -e 'setInterval(() => {}, 1e6)'; true"],
    env: { NODE_OPTIONS: `--inspect-brk=127.0.0.1:${port}` },
  },
  {
    name: "node's inspector, opened by a signal",
    app: ["node", "-e", 'console.error("up", process.pid); setInterval(() => {}, 1e6)'],
    signal: true,
    at: 9229,
  },
  {
    name: "debugpy",
    app: [
      python,
      "-Xfrozen_modules=off",
      "-m",
      "debugpy",
      "--listen",
      `0.0.0.0:${port}`,
      `${apps}loopback.py`,
      "serve",
    ],
  },
  {
    name: "JDWP in JAVA_TOOL_OPTIONS",
    app: ["java", "-version"],
    env: { JAVA_TOOL_OPTIONS: `-agentlib:jdwp=transport=dt_socket,server=y,suspend=y,address=*:${port}` },
  },
];

for (const one of known) {
  Deno.test({
    name: `a known debugger is refused to the network though the configuration names its port: ${one.name}`,
    ignore,
    async fn() {
      const at = one.at ?? port;
      await using stage = await ProcessStage.create();
      await using run = new SessionRun(stage, {
        config: steal([port, at]),
        flags: [],
        env: {
          ...env,
          ...(one.name === "debugpy" ? { PYTHONPATH: await debugpyPackage() } : {}),
          ...one.env,
        },
        app: one.app,
      });
      if (one.signal) Deno.kill(Number((await run.until(/^up \d+$/)).split(" ")[1]), "SIGUSR1");
      await run.until(new RegExp(`Port ${at} stays on this machine: it is the port of a debugger`));
      // It does listen, here.
      await until("the debugger listens", async () => {
        const tables = await Promise.all(
          ["tcp", "tcp6"].map((name) => Deno.readTextFile(`/proc/net/${name}`)),
        );
        return tables.join().includes(`:${at.toString(16).toUpperCase()} `) || "it does not";
      });
      for (const hostname of [stage.hosts.ipv4, stage.hosts.ipv6]) {
        await assert.rejects(Deno.connect({ hostname, port: at }), Deno.errors.ConnectionRefused);
      }
    },
  });
}

Deno.test({
  name: "a debugger's port that only the editor's variable names is refused to the network",
  ignore,
  async fn() {
    await using stage = await ProcessStage.create();
    await using run = new SessionRun(stage, {
      config: steal([port]),
      flags: [],
      env: { ...env, MIRRORD_IGNORE_DEBUGGER_PORTS: "9000-9999" },
      app: ["node", "-e", opens],
    });
    await run.until(/^up$/);
    await run.until(
      /Port 9333 stays on this machine: it is the port of a debugger \(MIRRORD_IGNORE_DEBUGGER_PORTS\)/,
    );
    assert.equal(await attack(stage), null);
  },
});
