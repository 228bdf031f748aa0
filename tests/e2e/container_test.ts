// `mirrord container` with a real engine (Debian's podman) and a Deployment as the target.

import assert from "node:assert/strict";
import { registerCases } from "../support/cases.ts";
import { ask } from "../support/client.ts";
import { ClusterStage, missingCluster } from "../support/cluster_stage.ts";
import { Containers, missingForContainers } from "../support/containers.ts";
import { withSession } from "../support/postcondition.ts";
import { SessionRun } from "../support/session_run.ts";

/** Prints the pod's name out of a file of it, and what a Service answers that only the cluster knows. */
const program = `
import json, urllib.request
print(open("/etc/hostname").read().strip())
print(json.load(urllib.request.urlopen("http://app/"))["by"])
print(open("/etc/test-image").read().strip())
`;

registerCases(
  [{
    name: "a container answers the pod's clients, reads its files and reaches its Services",
    async run(stage: ClusterStage) {
      await using containers = await Containers.create(["python"]);
      const { env } = containers;
      const app = containers.python([], "tests/apps/local.py");
      await withSession(
        stage,
        () => SessionRun.listening(stage, { command: "container", env, app }),
        async () => {
          for (const family of ["ipv4", "ipv6"] as const) {
            const report = await ask(stage, { family, path: "/?env=GREETING" });
            assert.equal(report.by, "local");
            assert.equal(report.peer, stage.clients[family]);
            assert.equal(report.env["GREETING"], "from-the-pod");
          }
        },
      );
      const words = containers.image("python", ["--entrypoint", "/usr/bin/python3"], "-c", program);
      await using run = new SessionRun(stage, { command: "container", env, flags: [], app: words });
      const { code, stdout, stderr } = await run.finished();
      assert.equal(code, 0, stderr);
      assert.deepEqual(stdout.trim().split("\n"), [
        await stage.podName(),
        "original",
        "test.local/python:1", // the container's own
      ]);
    },
  }],
  () => ClusterStage.create(),
  missingCluster ?? missingForContainers(),
);
