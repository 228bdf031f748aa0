// Rows of docs/reliability.md with a pod as the target: an actor of the session ends, or the target goes.

import assert from "node:assert/strict";
import { until } from "../cluster/command.ts";
import { registerCases } from "../support/cases.ts";
import { many } from "../support/client.ts";
import { ClusterStage, missingNode } from "../support/cluster_stage.ts";
import { SessionRun } from "../support/session_run.ts";
import { assertClean, assertTargetClean } from "../support/postcondition.ts";
import { type Outcome, row, underLoad } from "./row.ts";
import { agentRow, sessionRows } from "./session_rows.ts";
import { longRows, shortRows } from "./still_rows.ts";

const lost = /Cannot go on with the session: the agent is gone/;

/**
 * The target goes by `leave`, and comes again by itself or by `come`. Requests are lost as long as there is
 * none.
 */
async function targetGoes(
  stage: ClusterStage,
  leave: () => Promise<unknown>,
  come: () => Promise<unknown> = () => Promise.resolve(),
): Promise<Outcome> {
  return await underLoad(stage, async (traffic) => {
    const before = await stage.identity();
    await using run = await SessionRun.listening(stage);
    await traffic.settled("local");
    await leave();
    const { code, stderr } = await run.finished(60_000);
    assert.equal(code, 74, stderr);
    assert.match(stderr, lost);
    await come();
    await traffic.settled("original", undefined, 90_000);
    await stage.kubectl("wait", "--for=condition=Available", "deployment", "app", "--timeout=60s");
    await stage.kubectl(
      "wait",
      "--for=delete",
      "pod",
      "--selector",
      "app=app",
      "--timeout=60s",
      "--field-selector=status.phase=Failed",
    );
    await stage.lookAgain();
    const after = await stage.identity();
    assert.notEqual(after, before);
    await assertTargetClean(stage, after);
    return code;
  });
}

async function evict(stage: ClusterStage): Promise<void> {
  const name = await stage.podName();
  const body = {
    apiVersion: "policy/v1",
    kind: "Eviction",
    metadata: { name, namespace: stage.namespace },
  };
  const file = Deno.makeTempFileSync({ prefix: "mirrord-eviction-" });
  try {
    await Deno.writeTextFile(file, JSON.stringify(body));
    await stage.kubectl(
      ...["create", "--raw", `/api/v1/namespaces/${stage.namespace}/pods/${name}/eviction`, "-f", file],
    );
  } finally {
    Deno.removeSync(file);
  }
}

const targetRows = [
  row(
    "9a",
    (stage: ClusterStage) =>
      targetGoes(
        stage,
        async () => await stage.kubectl("delete", "pod", await stage.podName(), "--wait=false"),
      ),
  ),
  row(
    "9b",
    (stage: ClusterStage) => targetGoes(stage, () => stage.kubectl("rollout", "restart", "deployment/app")),
  ),
  row(
    "9c",
    (stage: ClusterStage) =>
      targetGoes(
        stage,
        async () => await stage.kubectl("exec", await stage.podName(), "--", "sh", "-c", "kill -TERM 1"),
      ),
  ),
  row("10a", (stage: ClusterStage) => targetGoes(stage, () => evict(stage))),
  row("10b", (stage: ClusterStage) =>
    targetGoes(
      stage,
      () =>
        stage.kubectl(
          ...["drain", "node1", "--force", "--ignore-daemonsets", "--delete-emptydir-data", "--timeout=60s"],
          ...["--pod-selector", "app=app"],
        ),
      () => stage.kubectl("uncordon", "node1"),
    )),
];

const connections = 10_000;

/** How many descriptors the session and the agent have. */
async function descriptors(stage: ClusterStage, run: SessionRun): Promise<number[]> {
  const pids = [run.pid, ...await stage.agents()];
  assert.equal(pids.length, 2);
  return pids.map((pid) => [...Deno.readDirSync(`/proc/${pid}/fd`)].length);
}

const churn = row("20", async (stage: ClusterStage) => {
  const identity = await stage.identity();
  await using run = await SessionRun.listening(stage);
  await many(stage, { count: 100, connections: 8 });
  const before = await descriptors(stage, run);
  const { by, failed, failures } = await many(stage, { count: connections, connections: 8 });
  assert.deepEqual([by, failures], [{ local: connections }, []]);
  await until("descriptors are back to where they were", async () => {
    const after = await descriptors(stage, run);
    return after.every((open, index) => open <= (before[index] ?? 0)) || `${before} before, ${after} after`;
  }, 30);
  run.kill("SIGTERM");
  const { code } = await run.finished();
  await assertClean(run, identity);
  return { tally: { sent: connections, lost: failed, by, failures: {}, seconds: 0 }, code };
});

registerCases(
  [...sessionRows, agentRow, ...shortRows, ...longRows, ...targetRows, churn],
  () => ClusterStage.create(),
  missingNode,
);
