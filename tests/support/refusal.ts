// A run of `mirrord exec` that must be refused: its exit code, its words, how long it took, and that nothing
// is left. Used by the end-to-end tests of what goes wrong.

import assert from "node:assert/strict";
import { type ClusterStage, withoutImage } from "./cluster_stage.ts";
import { assertClean } from "./postcondition.ts";
import { SessionRun } from "./session_run.ts";

export interface Refusal {
  code: number;
  /** Each must be found in what mirrord says. */
  said: RegExp[];
  /** Flags that name the target; the stage's own unless given. */
  targetFlags?: string[];
  kubeconfig?: string;
  agent?: Record<string, unknown>;
  /** Seconds; ten unless a test sets a limit of its own. */
  within?: number;
}

/** mirrord must end with `code` and say all of `said` as one error, before the app is started. */
export async function refuses(stage: ClusterStage, refusal: Refusal): Promise<void> {
  const { code, said, kubeconfig, agent = {}, within = 10 } = refusal;
  const identity = await stage.identity();
  const config = {
    agent: { communication_timeout: 3, ...agent },
    feature: { network: { incoming: "steal" } },
  };
  const targetFlags = refusal.targetFlags ??
    (kubeconfig === undefined ? stage.targetFlags : stage.flags("deployment/app", kubeconfig));
  const began = performance.now();
  await using run = new SessionRun(stage, {
    targetFlags,
    flags: [],
    config,
    ...(agent["image"] === undefined ? {} : { prefix: [...withoutImage] }),
    app: ["sh", "-c", "echo started"],
  });
  const finished = await run.finished();
  const seconds = (performance.now() - began) / 1000;
  assert.equal(finished.code, code, finished.stderr);
  assert.equal(finished.stdout, "");
  for (const pattern of said) assert.match(finished.stderr, pattern);
  const errors = finished.stderr.split("\n").filter((line) => line.startsWith("mirrord error: "));
  assert.equal(errors.length, 1, finished.stderr);
  assert.ok(seconds <= within, `it took ${seconds.toFixed(1)} s`);
  await assertClean(run, identity, { within: 40 });
}
