// The case list of silences, for every stage: mirrord, or all of this machine's side, or the agent stands
// still under load. The original answers new connections within moments, and the session goes on when they
// are back.

import assert from "node:assert/strict";
import type { Case } from "./cases.ts";
import { ask, load, untilBy } from "./client.ts";
import { withSession } from "./postcondition.ts";
import { SessionRun } from "./session_run.ts";
import type { Stage } from "./stage.ts";

/** As a client that has better things to do than to wait. */
const timeout = 3;
/**
 * Requests of one client after the other: the one that was under way, and one that came before the silence
 * was known.
 */
const mostFailures = 2;

const meanwhile = /is silent: the target answers new connections of port 80 until it works again/;
const again = /works again after .* port 80 is stolen again/;

/** `stop` and `go` stop and continue somebody. */
async function silent(
  stage: Stage,
  signal: (run: SessionRun, signal: "SIGSTOP" | "SIGCONT") => Promise<void>,
): Promise<void> {
  await withSession(stage, () => SessionRun.listening(stage), async (run) => {
    assert.equal((await ask(stage)).by, "local");
    const loading = load(stage, { by: "original", timeout });
    await run.until(/^loaded$/);
    await signal(run, "SIGSTOP");
    const { by, failures, settled } = await loading;
    await signal(run, "SIGCONT");
    assert.ok(settled, `the original did not answer for good: ${JSON.stringify({ by, failures })}`);
    assert.ok(failures.length <= mostFailures, JSON.stringify(failures));
    await untilBy(stage, "local", { timeout });
    await run.until(meanwhile);
    await run.until(again);
  });
}

export const silenceCases: Case[] = [
  {
    name: "while mirrord stands still the original answers, and the app again afterwards",
    run: (stage) =>
      silent(stage, (run, signal) => {
        run.kill(signal);
        return Promise.resolve();
      }),
  },
  {
    name: "while mirrord and the app stand still, as on a machine that sleeps, the original answers",
    run: (stage) =>
      silent(stage, (run, signal) => {
        Deno.kill(-run.pid, signal);
        return Promise.resolve();
      }),
  },
];

/** The case that needs the agent's process number. */
export const agentSilent: Case = {
  name: "while the agent stands still the original answers, and the app again afterwards",
  run: (stage) =>
    silent(stage, async (_run, signal) => {
      for (const pid of await stage.agents()) Deno.kill(pid, signal);
    }),
};
