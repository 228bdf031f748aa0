// The rows that a process as the target shows as a pod does: an actor of the session is killed under load.
// process_test.ts runs them in the default run, session_cluster_test.ts on the cluster.

import assert from "node:assert/strict";
import { raw, untilBy } from "../support/client.ts";
import { assertClean } from "../support/postcondition.ts";
import { SessionRun } from "../support/session_run.ts";
import type { Stage } from "../support/stage.ts";
import type { Traffic } from "../support/traffic.ts";
import { atMost, type Outcome, row, underLoad } from "./row.ts";

/** Two servers of one app: the second on 8080, where the target has none. */
const twoServers = ["sh", "-c", 'PORT=8080 ANSWER_AS=second python3 "$1" & exec python3 "$1"', "sh"];

/** Steals under load, lets `end` bring the end about, and looks at what is left; returns the exit code. */
export async function endsUnderLoad(
  stage: Stage,
  end: (run: SessionRun, traffic: Traffic) => Promise<void>,
  expected: { code?: number; said?: RegExp; seconds?: number },
): Promise<Outcome> {
  const identity = await stage.identity();
  const outcome = await underLoad(stage, async (traffic) => {
    await using run = await SessionRun.listening(stage);
    await traffic.settled("local");
    await end(run, traffic);
    const { code, stderr } = await run.finished(90_000);
    await traffic.settled("original");
    if (expected.code !== undefined) assert.equal(code, expected.code, stderr);
    if (expected.said !== undefined) assert.match(stderr, expected.said);
    await assertClean(run, identity);
    return code;
  });
  atMost(outcome.tally, expected.seconds ?? 1);
  return outcome;
}

export const sessionRows = [
  row(
    "1",
    (stage: Stage) => endsUnderLoad(stage, (run) => Promise.resolve(run.kill("SIGKILL")), { code: 137 }),
  ),
  row(
    "2a",
    (stage: Stage) =>
      endsUnderLoad(stage, async (run) => Deno.kill(await run.appPid(), "SIGKILL"), { code: 137 }),
  ),
  row("2b", (stage: Stage) =>
    underLoad(stage, async (traffic) => {
      const identity = await stage.identity();
      const local = decodeURIComponent(new URL("../apps/local.py", import.meta.url).pathname);
      const app = [...twoServers, local];
      await using run = await SessionRun.listening(stage, { app });
      await traffic.settled("local");
      const where = { port: 8080, host: stage.addresses.ipv4 };
      Deno.kill((await untilBy(stage, "second", where)).pid, "SIGKILL");
      await raw(stage, { ...where, text: "GET / HTTP/1.0\r\n\r\n", expect: "Refused", again: true });
      await traffic.more(100);
      await traffic.settled("local");
      run.kill("SIGTERM");
      const { code, stderr } = await run.finished();
      assert.equal(code, 143, stderr);
      await traffic.settled("original");
      await assertClean(run, identity);
      return code;
    }).then((outcome) => {
      atMost(outcome.tally, 1);
      return outcome;
    })),
  row("12", async (stage: Stage) => {
    const first = await endsUnderLoad(stage, (run) => Promise.resolve(run.kill("SIGKILL")), {});
    const second = await endsUnderLoad(stage, (run) => Promise.resolve(run.kill("SIGTERM")), { code: 143 });
    assert.ok(first.tally !== undefined);
    return second;
  }),
];

/** The row that needs the agent's process number. */
export const agentRow = row("3a", (stage: Stage) =>
  endsUnderLoad(stage, async () => {
    const [pid = 0, ...more] = await stage.agents();
    assert.deepEqual(more, [], "one agent serves the session");
    Deno.kill(pid, "SIGKILL");
    await Promise.resolve();
  }, { code: 74, said: /Cannot go on with the session: the agent is gone/ }));
