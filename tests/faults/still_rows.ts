// Rows of docs/reliability.md in which a party stands still: the original has the port for that time, and the
// session has it again when all are back soon. process_test.ts runs the short ones, session_cluster_test.ts
// all.

import assert from "node:assert/strict";
import { assertClean } from "../support/postcondition.ts";
import { localApp, SessionRun } from "../support/session_run.ts";
import type { Stage } from "../support/stage.ts";
import { rate, type Traffic } from "../support/traffic.ts";
import { atMost, type Outcome, row, underLoad } from "./row.ts";

/** What the original has the port after, at the latest, in seconds. */
const limit = 3;
const over = /Cannot go on with the session: the agent is gone/;

/** Something that stands still; disposing lets it go on. */
export interface Standing extends AsyncDisposable {
  goOn(): Promise<void>;
}

/** `goOn` is called once. */
export function standing(goOn: () => Promise<void>): Standing {
  let still = true;
  const once = async () => {
    if (still) await goOn();
    still = false;
  };
  return { goOn: once, [Symbol.asyncDispose]: once };
}

function stop(pid: number): Standing {
  Deno.kill(pid, "SIGSTOP");
  return standing(() => {
    try {
      Deno.kill(pid, "SIGCONT");
    } catch {
      // A process target's agent is ended by mirrord, which gave it up.
    }
    return Promise.resolve();
  });
}

/** Makes a party of a session stand still. */
export type Stops = (stage: Stage, run: SessionRun) => Promise<Standing>;

const agentStops: Stops = async (stage) => {
  const [pid = 0, ...more] = await stage.agents();
  assert.deepEqual(more, [], "one agent serves the session");
  return stop(pid);
};
const mirrordStops: Stops = (_, run) => Promise.resolve(stop(run.pid));

async function still(
  stage: Stage,
  stops: Stops,
  work: (run: SessionRun, traffic: Traffic, standing: Standing) => Promise<number>,
): Promise<Outcome> {
  const identity = await stage.identity();
  const outcome = await underLoad(stage, async (traffic) => {
    await using run = await SessionRun.listening(stage, { app: localApp, env: { TELL: "1" } });
    await traffic.settled("local");
    await using standing = await stops(stage, run);
    await traffic.settled("original");
    const code = await work(run, traffic, standing);
    await traffic.settled("original");
    await assertClean(run, identity, { within: 30 });
    return code;
  });
  atMost(outcome.tally, limit);
  return outcome;
}

/** It stands still for so long that the session is given up. */
export function forLong(stops: Stops, seconds: number): (stage: Stage) => Promise<Outcome> {
  return (stage) =>
    still(stage, stops, async (run, traffic, standing) => {
      await traffic.more(seconds * rate);
      await standing.goOn();
      const { code, stderr } = await run.finished(60_000);
      assert.equal(code, 74, stderr);
      assert.match(stderr, over);
      return code;
    });
}

/** It goes on while the session waits: the app has the port again, and has seen no request twice. */
export function forShort(stops: Stops, seconds: number): (stage: Stage) => Promise<Outcome> {
  return (stage) =>
    still(stage, stops, async (run, traffic, standing) => {
      await traffic.more(seconds * rate);
      await standing.goOn();
      await traffic.settled("local");
      run.kill("SIGTERM");
      const { code, stderr } = await run.finished();
      assert.equal(code, 143, stderr);
      const seen = stderr.split("\n").filter((line) => line.startsWith("saw GET /"));
      assert.ok(seen.length > rate);
      assert.equal(new Set(seen).size, seen.length, "a request came twice");
      return code;
    });
}

/** Until the agent or mirrord goes on, before the session is given up. */
export const shortRows = [
  row("3c", forShort(agentStops, 4)),
  row("8b", forShort(mirrordStops, 4)),
];
export const longRows = [
  row("3b", forLong(agentStops, 40)),
  row("8a", forLong(mirrordStops, 60)),
];
