// A pod whose memory is nearly all the target's, of the class Guaranteed, in which the kernel ends the
// largest process: starting mirrord there never ends the target. First it is shown that another container
// does.

import assert from "node:assert/strict";
import { until } from "../cluster/command.ts";
import { ask } from "../support/client.ts";
import { ClusterStage, type KubeObject, missingCluster } from "../support/cluster_stage.ts";
import { Mirrord } from "../support/program.ts";

const MiB = 2 ** 20;
const limit = 160 * MiB;
/** Of it the target's, beside the interpreter. */
const held = 128 * MiB;

/** A target that holds `bytes`, in a pod with `memory`. */
function crowded(memory: number, bytes: number): (object: KubeObject) => void {
  return ({ kind, metadata, spec }) => {
    if (kind !== "Deployment" || metadata.name !== "app") return;
    const [container] = spec.template.spec.containers;
    const resources = { cpu: "500m", memory: String(memory) };
    container.resources = { limits: resources, requests: resources };
    const app =
      "import os, sys; held = os.urandom(4096) * int(sys.argv[1]); exec(open('/app/app.py').read())";
    container.command = ["python3", "-c", app, String(Math.floor(bytes / 4096))];
  };
}

interface Status {
  restartCount: number;
  lastState?: { terminated?: { reason: string } };
}

async function target(stage: ClusterStage): Promise<Status> {
  const [status] = (await stage.pod())?.status.containerStatuses ?? [];
  return status;
}

/** Runs mirrord to its end, or until the app runs. */
async function session(
  stage: ClusterStage,
  ...flags: string[]
): Promise<{ code: number | null; said: string }> {
  const app = ["sh", "-c", "cat /etc/hostname >&2; echo it runs >&2; exec sleep 600"];
  const argv = ["exec", ...stage.targetFlags, "--steal", ...flags, "--", ...app];
  await using run = new Mirrord(argv, { prefix: stage.prefix });
  const ended = run.finished(60_000).then(({ code }) => code, () => null);
  const code = await run.until(/^it runs$/, 60_000).then(() => null, () => ended);
  return { code, said: run.said().join("\n") };
}

const options = {
  ignore: missingCluster !== null,
};
const named = (name: string) => missingCluster === null ? name : `${name} (skipped: ${missingCluster})`;

Deno.test({ ...options, name: named("in a pod without room the agent dies, never the target") }, async () => {
  await using stage = await ClusterStage.create({ change: crowded(limit, held) });
  for (let round = 0; round < 3; round++) {
    const { code, said } = await session(stage);
    const warned = /may take 160 MiB of memory, and the agent takes up to 96/.test(said);
    assert.ok(warned, `round ${round}: ${said}\n${warned || JSON.stringify((await stage.pod())?.status)}`);
    if (code !== null) assert.match(said, /OOMKilled|code 137|killed/, `round ${round} ended with ${code}`);
    assert.equal((await target(stage)).restartCount, 0, `round ${round}`);
  }
  assert.equal((await ask(stage)).by, "original");
  // What an ordinary container does there: the kernel ends the largest process, which is the target.
  const hog = `import time; held = b"x" * ${64 * MiB}; time.sleep(60)`;
  const pod = await stage.podName();
  const debug = [
    "--image=test.local/python:1",
    "--image-pull-policy=IfNotPresent",
    "--target=app",
    "--container=hog",
  ];
  await stage.kubectl("debug", pod, ...debug, "--", "python3", "-c", hog);
  await until("the target is ended for want of memory", async () => {
    const { restartCount, lastState } = await target(stage);
    return (restartCount > 0 && lastState?.terminated?.reason === "OOMKilled") || `${restartCount} restarts`;
  }, 60);
});

Deno.test(
  { ...options, name: named("a pod that the agent could fill alone is refused unless forced") },
  async () => {
    await using stage = await ClusterStage.create({ change: crowded(96 * MiB, 8 * MiB) });
    const { code, said } = await session(stage);
    assert.equal(code, 69);
    assert.match(said, /the pod may take 96 MiB of memory, and the agent alone up to 96/);
    assert.match(said, /--force/);
    assert.equal((await stage.pod())?.spec.ephemeralContainers, undefined);
    const forced = await session(stage, "--force");
    assert.equal(forced.code, null, forced.said);
    assert.match(forced.said, /^it runs$/m);
    assert.equal((await target(stage)).restartCount, 0);
  },
);
