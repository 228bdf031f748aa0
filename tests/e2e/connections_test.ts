// Ten thousand outgoing connections through one session: each gets its answer, and afterwards the app, the
// session and the agent hold no descriptor more than before, but for links that the layer keeps.

import assert from "node:assert/strict";
import { until } from "../cluster/command.ts";
import { registerCases } from "../support/cases.ts";
import { ClusterStage, type KubeObject, missingCluster, missingNode } from "../support/cluster_stage.ts";
import { SessionRun } from "../support/session_run.ts";

const apps = decodeURIComponent(new URL("../apps", import.meta.url).pathname);
const config = { feature: { network: { incoming: "off" } } };
const connections = 10_000;
/** The layer's own descriptors in the app begin here (HIGH_FD in layer/sys/sys_linux.c). */
const firstOfLayer = 1000;

/** The descriptors that a process has open. */
function descriptors(pid: number): number[] {
  return [...Deno.readDirSync(`/proc/${pid}/fd`)].map(({ name }) => Number(name));
}

/**
 * How many descriptors app, session and agent have, but for links: a layer keeps as many as its threads ever
 * needed at one time, and each has its other end in the session.
 */
function count([app = 0, ...others]: number[]): number[] {
  const all = descriptors(app);
  const links = all.filter((fd) => fd >= firstOfLayer).length;
  const [session = 0, ...agents] = others.map((pid) => descriptors(pid).length);
  return [all.length - links, session - links, ...agents];
}

const cases = [
  {
    name: `${connections} outgoing connections leave no descriptor in app, session and agent`,
    async run(stage: ClusterStage) {
      const { spec } = JSON.parse(await stage.kubectl("get", "service", "web", "-o", "json")) as KubeObject;
      const app = ["python3", `${apps}/connections.py`, String(connections), spec.clusterIP, "80"];
      await using run = new SessionRun(stage, { app, flags: [], config, stdin: "piped" });
      await run.until(/^warm /);
      const pids = [await run.appPid(), run.pid, ...(missingNode === null ? await stage.agents() : [])];
      assert.equal(pids.length, missingNode === null ? 3 : 2);
      const before = count(pids);
      await run.type("\n");
      const done = await run.until(/^done /, 180_000);
      assert.match(done, new RegExp(`^done {'right': ${connections}} `));
      await until("descriptors are back to where they were", () => {
        const after = count(pids);
        const back = after.every((open, index) => open <= (before[index] ?? 0));
        return Promise.resolve(back || `app, session, agent had ${before} and have ${after}`);
      }, 30);
      await run.type("\n");
      assert.equal((await run.finished()).code, 0);
    },
  },
];

registerCases(cases, () => ClusterStage.create({ others: ["web"] }), missingCluster);
