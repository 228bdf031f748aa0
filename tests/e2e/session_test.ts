// `mirrord session` on a pod: what is told of the cluster, and that the agent leaves the pod by stop and by
// kill.

import assert from "node:assert/strict";
import { until } from "../cluster/command.ts";
import { type Case, registerCases } from "../support/cases.ts";
import { untilBy } from "../support/client.ts";
import { ClusterStage, missingCluster } from "../support/cluster_stage.ts";
import { assertClean } from "../support/postcondition.ts";
import { runMirrord } from "../support/program.ts";
import { SessionRun } from "../support/session_run.ts";

/** `mirrord session` for the user of `run`. */
function ask({ folder }: SessionRun, ...words: string[]): ReturnType<typeof runMirrord> {
  return runMirrord(["session", ...words], { env: { XDG_RUNTIME_DIR: folder } });
}

const cases: Case[] = (["stop", "kill"] as const).map((how) => ({
  name: `a session is listed with its pod, namespace and context; ${how} ends it, and its agent leaves`,
  async run(stage) {
    const identity = await stage.identity();
    await using run = await SessionRun.listening(stage);
    await untilBy(stage, "local");
    let facts: Record<string, unknown> = {};
    // One that does not answer in time is listed without its facts.
    await until("the session is listed with its target", async () => {
      [facts = {}] = JSON.parse((await ask(run, "list", "-o", "json")).stdout);
      return facts["target"] !== undefined || `it is listed as ${JSON.stringify(facts)}`;
    }, 20);
    const { id, target, namespace, context, agent, ports } = facts;
    assert.equal(target, stage.targetFlags[stage.targetFlags.indexOf("--target") + 1]);
    assert.ok(typeof namespace === "string" && typeof context === "string", JSON.stringify(facts));
    const { place, node, kernel } = agent as Record<string, string>;
    assert.match(String(place), /^pod [\w-]+$/);
    assert.ok(node !== "" && /^\d+\.\d+/.test(String(kernel)));
    assert.deepEqual((ports as { port: number }[]).map(({ port }) => port), [80]);
    const { code, stderr } = await ask(run, how, String(id));
    assert.equal(code, 0, stderr);
    assert.equal((await run.finished()).code, how === "stop" ? 143 : 137);
    await assertClean(run, identity);
  },
}));

registerCases(cases, () => ClusterStage.create(), missingCluster);
