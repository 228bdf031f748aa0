// `mirrord container`, `up` and `ci container` with a real engine (Debian's podman) and a Deployment as the
// target.

import assert from "node:assert/strict";
import { registerCases } from "../support/cases.ts";
import { ask, untilBy } from "../support/client.ts";
import { ClusterStage, missingCluster } from "../support/cluster_stage.ts";
import { Containers, missingForContainers } from "../support/containers.ts";
import { assertTargetClean, withSession } from "../support/postcondition.ts";
import { Mirrord } from "../support/program.ts";
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
  }, {
    name: "a service of mirrord up, and then a pipeline's program, answers from a container",
    async run(stage: ClusterStage) {
      await using containers = await Containers.create(["python"]);
      const identity = await stage.identity();
      const command = containers.python([], "tests/apps/local.py");
      const folder = await Deno.makeTempDir({ prefix: "mirrord-containers-" });
      await using _folder = { [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }) };
      const env = { ...containers.env, HOME: folder, XDG_RUNTIME_DIR: folder, KUBECONFIG: stage.kubeconfig };
      const begin = (args: string[]) =>
        new Mirrord(args, { cwd: folder, env, prefix: ["setsid", ...stage.prefix] });
      const target = { path: "deployment/app", namespace: stage.namespace };
      const services = { app: { target, run: { type: "container", command } } };
      await Deno.writeTextFile(`${folder}/mirrord-up.yaml`, JSON.stringify({ services }));
      {
        await using up = begin(["up", "--key", "ana"]);
        await up.until(/^app \| listening /, 60_000);
        const report = await ask(stage, {
          path: "/?env=GREETING",
          headers: { Baggage: "mirrord-session=ana" },
        });
        assert.deepEqual([report.by, report.env["GREETING"]], ["local", "from-the-pod"]);
        assert.equal((await ask(stage)).by, "original");
        Deno.kill(-up.pid, "SIGINT");
        assert.equal((await up.finished()).code, 130);
        assert.deepEqual(await containers.names(), []);
        await assertTargetClean(stage, identity);
      }
      // Where the case fails meanwhile, too; without a session it does nothing.
      await using _end = { [Symbol.asyncDispose]: async () => void await begin(["ci", "stop"]).finished() };
      const start = begin(["ci", "container", ...stage.targetFlags, "--steal", "--", ...command]);
      const started = await start.finished(60_000);
      assert.equal(started.code, 0, started.stderr);
      await untilBy(stage, "local");
      const stopped = await begin(["ci", "stop"]).finished();
      assert.equal(stopped.code, 137, stopped.stderr); // it ignores SIGTERM, as its container's first process
      assert.deepEqual(await containers.names(), []);
      await assertTargetClean(stage, identity);
    },
  }],
  () => ClusterStage.create(),
  missingCluster ?? missingForContainers(),
);
