// A hostile target in a real pod: its processes against the agent that serves a session with all floors. What
// it gets of an ordinary process of its own is shown first. The same on this machine's kernel alone:
// target_process_test.ts.

import assert from "node:assert/strict";
import { registerCases } from "../support/cases.ts";
import { tryKubectl } from "../cluster/access.ts";
import { ClusterStage, missingCluster } from "../support/cluster_stage.ts";
import { SessionRun } from "../support/session_run.ts";
import { type Actor, actors, judge, type Outcome, script } from "./target_actor.ts";

/** The runtime's seccomp profile forbids these to everybody without other capabilities. */
const forbidden = ["kcmp", "pidfd_getfd", "move_pages", "get_robust_list", "ioprio_set"];

/** Runs the attack in the target's container. */
async function attacked(stage: ClusterStage, pid: number, order: string[]): Promise<Outcome> {
  const place = ["exec", "--stdin", await stage.podName(), "--", "python3", "-", String(pid), ...order];
  const { code, stdout, stderr } = await tryKubectl(["--namespace", stage.namespace, ...place], {
    stdin: script,
  });
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout);
}

/** The agent's number as the target sees it. */
async function agentSeen(stage: ClusterStage): Promise<number> {
  const look = 'for one in /proc/[0-9]*; do case "$(tr "\\0" " " <$one/cmdline)" in "/mirrord agent "*) ' +
    "echo ${one#/proc/};; esac; done 2>/dev/null | sort -n | tail -1";
  const found = (await stage.kubectl("exec", await stage.podName(), "--", "sh", "-c", look)).trim();
  assert.match(found, /^\d+$/);
  return Number(found);
}

async function attackAs(stage: ClusterStage, actor: Actor): Promise<void> {
  const app = ["sh", "-c", "cat /etc/hostname >&2; echo read >&2; exec sleep 600"];
  const config = { feature: { network: { incoming: "steal" } } };
  await using run = new SessionRun(stage, { app, config, flags: [] });
  await run.until(/^read$/);
  const pid = await agentSeen(stage);
  const own = await attacked(stage, 0, actor.order.slice(0, 2));
  judge(actor, own, await attacked(stage, pid, actor.order), forbidden);
}

registerCases(
  actors.map((actor) => ({
    name: `in a pod ${actor.name} gets ${actor.gets.join(", ") || "nothing"} of the agent`,
    run: (stage: ClusterStage) => attackAs(stage, actor),
  })),
  () => ClusterStage.create(),
  missingCluster,
);
