// The case list of programs that nobody here wrote, each unmodified in the target's place: servers of one
// process, of several processes that share a listener, and programs behind shells. Each answers the target's
// clients by itself.

import assert from "node:assert/strict";
import type { Case } from "./cases.ts";
import { ask, many, raw, untilBy } from "./client.ts";
import { lives } from "./local_remains.ts";
import { assertClean, assertTargetClean, withSession } from "./postcondition.ts";
import {
  express,
  flask,
  gunicorn,
  httpServer,
  inFolder,
  jdk,
  nginx,
  nodeCluster,
  type Program,
  uvicorn,
} from "./programs.ts";
import { localApp, SessionRun } from "./session_run.ts";
import type { Stage } from "./stage.ts";

/** A program behind shells: what npm and make do. */
function behind(name: string, app: string[]): Program {
  return { name, start: () => ({ app }), tellsPeers: true };
}

const [python = "", script = ""] = localApp;
const programs: Program[] = [
  gunicorn,
  uvicorn,
  nodeCluster,
  nginx,
  behind("a program behind two shells", ["sh", "-c", `true && exec sh -c 'true; exec ${python} ${script}'`]),
  behind("a program that its shell starts and waits for", [
    "sh",
    "-c",
    `${python} ${script} & trap "kill $!" TERM; wait; wait`,
  ]),
  behind("a program behind env and nohup", ["env", "A=b", "nohup", python, script]),
];

/** The four whose thousand requests the release is judged by. */
const judged: Program[] = [httpServer, flask, express, jdk];

/** One program in the target's place for `count` requests. */
async function serves(stage: Stage, program: Program, count: number): Promise<void> {
  await inFolder(async (folder) => {
    const start = async () => new SessionRun(stage, await program.start(folder));
    await withSession(stage, start, async () => {
      const first = await untilBy(stage, program.by ?? "local", { path: "/?env=GREETING" });
      if (first.env !== undefined) assert.ok(first.env["GREETING"]?.startsWith("from-the-"));
      const counts = await many(stage, { count, connections: 4 });
      assert.deepEqual(counts.failures, []);
      assert.deepEqual(Object.values(counts.by), [count]);
      assert.ok(Object.keys(counts.by)[0]?.includes(program.by ?? "local"), JSON.stringify(counts.by));
      if (program.tellsPeers) assert.deepEqual(counts.peers, [stage.clients.ipv4]);
      const processes = Object.keys(counts.pids).length;
      assert.ok(processes >= (program.processes ?? 1), `answers of ${processes} processes`);
    });
  });
}

/** Every program for a few requests. */
export const programCases: Case[] = [
  ...programs.map((program) => ({
    name: `${program.name} answers in the target's place`,
    run: (stage: Stage) => serves(stage, program, 60),
  })),
  {
    name: "SIGTERM to mirrord also ends what a shell started beside the app",
    run: async (stage) => {
      const identity = await stage.identity();
      await using run = new SessionRun(stage, { app: ["sh", "-c", `${python} ${script} & wait`] });
      const { pid } = await untilBy(stage, "local");
      run.kill("SIGTERM");
      assert.equal((await run.finished()).code, 143);
      assert.ok(!lives(pid), "the app's own process outlived mirrord");
      await assertTargetClean(stage, identity);
      await assertClean(run, identity);
    },
  },
  {
    name: "a process that outlives the app loses the target's traffic, and mirrord says so",
    run: async (stage) => {
      const identity = await stage.identity();
      const ignores = `(trap "" TERM; exec ${python} ${script}) & wait`;
      await using run = new SessionRun(stage, { app: ["sh", "-c", ignores] });
      const { pid } = await untilBy(stage, "local");
      run.kill("SIGTERM");
      await run.until(/1 of its processes live on/);
      await run.end();
      assert.ok(Deno.statSync(`/proc/${pid}`).isDirectory);
      await assertTargetClean(stage, identity);
      Deno.kill(pid, "SIGKILL");
      assert.equal((await run.finished()).code, 143);
      await assertClean(run, identity);
    },
  },
  {
    name: "redis-server answers in the target's place and knows its clients",
    run: (stage) => {
      const app = [
        "redis-server",
        "--port",
        "80",
        "--bind",
        "0.0.0.0",
        "--save",
        "",
        "--protected-mode",
        "no",
      ];
      return withSession(stage, () => Promise.resolve(new SessionRun(stage, { app })), async () => {
        assert.equal(
          await raw(stage, { text: "PING\r\n\r\n", expect: "+PONG\r\n", again: true }),
          "+PONG\r\n",
        );
        const list = await raw(stage, { text: "CLIENT LIST\r\n", expect: "cmd=client" });
        assert.ok(list.includes(` addr=${stage.clients.ipv4}:`), list);
      });
    },
  },
];

/** The four for a thousand requests, a thousand more for the original afterwards. */
export const judgedCases: Case[] = judged.map((program) => ({
  name: `${program.name} answers 1,000 requests, then the original answers 1,000`,
  async run(stage) {
    await serves(stage, program, 1000);
    const after = await many(stage, { count: 1000, connections: 4, each: 10 });
    assert.deepEqual(after.failures, []);
    assert.equal(after.failed, 0);
    assert.ok(Object.keys(after.by).every((by) => by.includes("original")), JSON.stringify(after.by));
    assert.ok((await ask(stage)).by.includes("original"));
  },
}));
