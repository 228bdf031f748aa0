// The case list of ends, for every stage: by signals, by kill -9 of each actor, by a link that falls silent.
// Whatever happens, the original answers again and nothing stays behind.

import assert from "node:assert/strict";
import { until } from "../cluster/command.ts";
import type { Case } from "./cases.ts";
import { ask, load, untilBy } from "./client.ts";
import { assertClean } from "./postcondition.ts";
import { SessionRun } from "./session_run.ts";
import type { Stage } from "./stage.ts";

/** An agent that is quickly sure of having lost its client. */
const impatient = {
  agent: { communication_timeout: 3 },
  feature: { network: { incoming: "steal" } },
};

/** The first that mirrord says of its agent. */
const starting = /Adding the agent|Starting the agent/;

const ignoresTerm = [
  "import http.server, signal, sys",
  "signal.signal(signal.SIGTERM, signal.SIG_IGN)",
  "server = http.server.HTTPServer(('', 80), http.server.SimpleHTTPRequestHandler)",
  "print('listening', file=sys.stderr, flush=True)",
  "server.serve_forever()",
].join("\n");

/** Starts a session that answers, lets `end` end it, and checks exit code, last words and what is left. */
async function endsBy(
  stage: Stage,
  end: (run: SessionRun) => Promise<void>,
  expected: { code: number; said?: RegExp; config?: unknown },
): Promise<void> {
  const identity = await stage.identity();
  const { code, said, config } = expected;
  await using run = await SessionRun.listening(stage, config === undefined ? {} : { flags: [], config });
  assert.equal((await ask(stage)).by, "local");
  await end(run);
  const finished = await run.finished();
  assert.equal(finished.code, code, finished.stderr);
  if (said !== undefined) assert.match(finished.stderr, said);
  await assertClean(run, identity);
}

export const endCases: Case[] = [
  ...([["SIGTERM", 143], ["SIGINT", 130], ["SIGHUP", 129]] as const).map(([signal, code]): Case => ({
    name: `${signal} to mirrord ends the app, mirrord ends with ${code}`,
    run: (stage) => endsBy(stage, (run) => Promise.resolve(run.kill(signal)), { code }),
  })),
  {
    name: "kill -9 of the app ends mirrord with 137",
    run: (stage) => endsBy(stage, async (run) => Deno.kill(await run.appPid(), "SIGKILL"), { code: 137 }),
  },
  {
    name: "kill -9 of mirrord under load gives the port back at once",
    async run(stage) {
      const identity = await stage.identity();
      await using run = await SessionRun.listening(stage);
      const loading = load(stage, { by: "original" });
      await run.until(/^loaded$/);
      run.kill("SIGKILL");
      await run.finished();
      const { by, failures, settled } = await loading;
      assert.ok(settled, `the original did not answer for good: ${JSON.stringify({ by, failures })}`);
      assert.ok((by["local"] ?? 0) > 0 && (by["original"] ?? 0) >= 50, JSON.stringify(by));
      const [first, last] = [failures[0]?.[0] ?? 0, failures.at(-1)?.[0] ?? 0];
      assert.ok(last - first < 10, `the port was dead for ${last - first} s`);
      await assertClean(run, identity);
    },
  },
  {
    name: "kill -9 of mirrord before its agent is there leaves none",
    async run(stage) {
      const identity = await stage.identity();
      await using run = new SessionRun(stage, { flags: [], config: impatient });
      await run.until(starting);
      run.kill("SIGKILL");
      await run.finished();
      await assertClean(run, identity, { within: 25 });
    },
  },
  {
    name: "kill -9 of mirrord when its agent is just there leaves none",
    async run(stage) {
      const identity = await stage.identity();
      await using run = new SessionRun(stage, { flags: [], config: impatient });
      await until("something of the agent is at the target", async () => {
        const there = await stage.remains();
        return there.length > 0 || "nothing";
      }, 20);
      run.kill("SIGKILL");
      await run.finished();
      await assertClean(run, identity, { within: 25 });
    },
  },
  {
    name: "SIGINT before the agent is there ends mirrord with 130 and the agent with it, no app was started",
    async run(stage) {
      const identity = await stage.identity();
      // The agent itself would wait for longer than it may take to go.
      const config = { ...impatient, agent: { communication_timeout: 60 } };
      const app = ["sh", "-c", "echo started; exec sleep 100"];
      await using run = new SessionRun(stage, { flags: [], config, app });
      await run.until(starting);
      run.kill("SIGINT");
      const { code, stdout, stderr } = await run.finished();
      assert.equal(code, 130, stderr);
      assert.equal(stdout, "");
      await assertClean(run, identity, { within: 25 });
    },
  },
  {
    name: "an app that ignores SIGTERM is killed once its session is lost",
    async run(stage) {
      const identity = await stage.identity();
      await using run = new SessionRun(stage, {
        flags: [],
        config: impatient,
        app: ["python3", "-c", ignoresTerm],
      });
      await run.until(/^listening/);
      const app = await run.appPid();
      await silence(stage, run);
      const { code, stderr } = await run.finished();
      assert.equal(code, 74, stderr);
      assert.match(stderr, /did not end in time/);
      assert.throws(() => Deno.statSync(`/proc/${app}`), Deno.errors.NotFound);
      await assertClean(run, identity);
    },
  },
  {
    name: "a mirrord that stood still too long finds its agent gone and says so",
    run: (stage) =>
      endsBy(stage, (run) => silence(stage, run), {
        code: 74,
        said: /Cannot go on with the session: the agent is gone/,
        config: impatient,
      }),
  },
  {
    name: "a mirrord that stood still for less than the limit goes on",
    run: (stage) =>
      endsBy(stage, async (run) => {
        run.kill("SIGSTOP");
        const waiting = ask(stage);
        await untilStopped(run.pid);
        run.kill("SIGCONT");
        assert.equal((await waiting).by, "local");
        run.kill("SIGTERM");
      }, { code: 143 }),
  },
];

/** The case that needs the agent's process number. */
export const agentKilled: Case = {
  name: "kill -9 of the agent: the original answers at once, mirrord says so and ends with 74",
  run: (stage) =>
    endsBy(stage, async (run) => {
      const agents = await stage.agents();
      assert.equal(agents.length, 1, "one agent serves the session");
      for (const pid of agents) Deno.kill(pid, "SIGKILL");
      await run.until(/the agent is gone/);
      assert.equal((await ask(stage)).by, "original");
    }, { code: 74, said: /answers by itself again/ }),
};

/** Stops mirrord until the agent has left, then lets it run again. */
async function silence(stage: Stage, run: SessionRun): Promise<void> {
  run.kill("SIGSTOP");
  await until("the agent has left", async () => {
    const there = await stage.remains();
    return there.length === 0 || there.join("\n");
  }, 30);
  await untilBy(stage, "original");
  run.kill("SIGCONT");
}

async function untilStopped(pid: number): Promise<void> {
  await until("mirrord stands still", async () => {
    const stat = await Deno.readTextFile(`/proc/${pid}/stat`);
    return stat.slice(stat.lastIndexOf(")")).startsWith(") T") || stat;
  }, 10);
}
