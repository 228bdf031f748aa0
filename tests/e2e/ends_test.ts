// The shared cases of ends with a Deployment as the target, and the end that only a cluster knows: the pod is
// deleted.

import assert from "node:assert/strict";
import { registerCases } from "../support/cases.ts";
import { agentKilled, endCases } from "../support/cases_ends.ts";
import { ask } from "../support/client.ts";
import { allRules } from "../support/kube_users.ts";
import { ClusterStage, missingCluster, missingNode } from "../support/cluster_stage.ts";
import { assertClean } from "../support/postcondition.ts";
import { SessionRun } from "../support/session_run.ts";

const podDeleted = {
  name: "a target that is deleted ends the session with 74, its successor is untouched",
  async run(stage: ClusterStage): Promise<void> {
    const pod = await stage.podName();
    await using run = await SessionRun.listening(stage);
    assert.equal((await ask(stage)).by, "local");
    await stage.kubectl("delete", "pod", pod, "--wait=true", "--grace-period=1");
    const { code, stderr } = await run.finished();
    assert.equal(code, 74, stderr);
    assert.match(stderr, /Cannot go on with the session: the agent is gone/);
    await stage.kubectl("wait", "--for=condition=Available", "deployment", "app", "--timeout=180s");
    await stage.lookAgain();
    await assertClean(run, await stage.identity());
  },
};

if (missingNode === null) {
  registerCases(
    [...endCases, agentKilled, podDeleted],
    () => ClusterStage.create({ rules: allRules }),
    missingCluster,
  );
} else {
  registerCases([...endCases, podDeleted], () => ClusterStage.create({ rules: allRules }), missingCluster);
  registerCases([agentKilled], () => ClusterStage.create({ rules: allRules }), missingNode);
}
