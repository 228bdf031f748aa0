// TCP_NODELAY on the connections of a session with a pod, the runtime's own to the API server above all:
// without it each new connection of the app or the pod waits for a delayed acknowledgement. The sockets are
// asked, nothing is timed.

import assert from "node:assert/strict";
import { registerCases } from "../support/cases.ts";
import { ClusterStage, missingCluster, missingNode } from "../support/cluster_stage.ts";
import { tcpSockets } from "../support/no_delay.ts";
import { SessionRun } from "../support/session_run.ts";

/** How the API server is reached: by the runtime's own TLS, or by mirrord's tunnel. */
const ways = [
  { name: "", flags: [] },
  { name: ", with a certificate that is not checked", flags: ["--accept-invalid-certificates"] },
];

const cases = ways.map(({ name, flags }) => ({
  name: `every connection of session and agent sends small writes at once${name}`,
  async run(stage: ClusterStage) {
    await using run = new SessionRun(stage, { flags: ["--steal", ...flags] });
    await run.until(/Stealing port 80/);
    const pids = [run.pid, ...(missingNode === null ? await stage.agents() : [])];
    const sockets = await tcpSockets(pids);
    assert.deepEqual(sockets.filter(({ noDelay }) => !noDelay), []);
    for (const pid of pids) {
      assert.ok(sockets.some((socket) => socket.pid === pid), `process ${pid} has none`);
    }
  },
}));

registerCases(cases, () => ClusterStage.create(), missingCluster ?? (Deno.uid() === 0 ? null : "needs root"));
