// An agent without an image, as it is where no configuration names one: it is sent into a container of the
// target's own image. The targets are one of Debian, one without glibc (busybox alone), and one without a
// shell, which is refused.

import assert from "node:assert/strict";
import { registerCases } from "../support/cases.ts";
import { ask } from "../support/client.ts";
import { ClusterStage, type KubeObject, missingCluster, missingNode } from "../support/cluster_stage.ts";
import { betterRules, rulesWithout, sentRules, withUser } from "../support/kube_users.ts";
import { withSession } from "../support/postcondition.ts";
import { refuses } from "../support/refusal.ts";
import { SessionRun } from "../support/session_run.ts";
import { ensureImages, imageName } from "../cluster/images.ts";
import { importImage } from "../cluster/access.ts";

/** The spec of the newest container that a session added. */
async function addedTo(stage: ClusterStage): Promise<{ image: string; securityContext: unknown }> {
  const added = (await stage.pod())?.spec.ephemeralContainers ?? [];
  return added[added.length - 1];
}

async function steals(stage: ClusterStage, flags: string[] = []): Promise<SessionRun> {
  const start = () => SessionRun.listening(stage, { flags: ["--steal", ...flags] });
  let session: SessionRun | undefined;
  await withSession(stage, start, async (run) => {
    session = run;
    assert.equal((await ask(stage)).by, "local");
  });
  assert.ok(session !== undefined);
  return session;
}

/** A session that is on its way to the target; `ending` ends it. */
async function endsWhileSending(
  stage: ClusterStage,
  when: RegExp,
  ending: (run: SessionRun) => void = () => {},
): Promise<void> {
  const start = async () => {
    const run = new SessionRun(stage);
    await run.until(when);
    return run;
  };
  await withSession(stage, start, (run) => Promise.resolve(ending(run)), { within: 40 });
}

const cases = [
  {
    name: "a steal without an image is answered by the local process",
    async run(stage: ClusterStage): Promise<void> {
      const said = (await steals(stage)).said().join("\n");
      const told = /The agent is sent, \d+ MB, to a container of the target's own image \((.*)\)$/m;
      assert.equal(told.exec(said)?.[1], imageName("python"), said);
      const { image, securityContext } = await addedTo(stage);
      assert.equal(image, imageName("python"));
      const { privileged, allowPrivilegeEscalation, capabilities } = securityContext as Record<
        string,
        unknown
      >;
      assert.deepEqual([privileged, allowPrivilegeEscalation], [false, false]);
      assert.deepEqual((capabilities as { drop: string[] }).drop, ["ALL"]);
    },
  },
  {
    name: "without the right to attach nothing is added, and both ways out are named",
    run: (stage: ClusterStage) =>
      withUser(stage, rulesWithout("pods/attach", undefined, betterRules), async (kubeconfig) => {
        await refuses(stage, {
          code: 77,
          said: [/you may not "get" the resource "pods\/attach"/, /agent\.image/],
          kubeconfig,
        });
      }),
  },
  {
    name: "a session ended before the agent is sent leaves nothing",
    run: (stage: ClusterStage) => endsWhileSending(stage, /Starting the agent/),
  },
  {
    name: "a session ended while the agent is sent leaves nothing",
    run: (stage: ClusterStage) => endsWhileSending(stage, /The agent is sent/),
  },
  {
    name: "a session killed while the agent is sent leaves nothing",
    run: (stage: ClusterStage) => endsWhileSending(stage, /The agent is sent/, (run) => run.kill("SIGKILL")),
  },
  {
    name: "a container without a shell is refused with what to do, and nothing is left running",
    run: (stage: ClusterStage) =>
      refuses(stage, {
        code: 69,
        said: [/image has no shell to which the agent can be sent/, /agent\.image/],
        targetFlags: stage.flags("deployment/app/container/shellless"),
        agent: { image: "target" },
        within: 30,
      }),
  },
];

/** Gives the target's pod a container without a shell. */
function addShellless(object: KubeObject): void {
  const containers = object.metadata.name === "app" ? object.spec?.template?.spec.containers : undefined;
  if (containers === undefined) return;
  containers.push({ name: "shellless", image: imageName("shellless") });
  object.spec.template.metadata.annotations = { "kubectl.kubernetes.io/default-container": "app" };
}

/** Makes the images known to the node: clusters that are up already know the others alone. */
async function importTargets(): Promise<void> {
  for (const archive of (await ensureImages(["busybox", "shellless"])).values()) await importImage(archive);
}

const lacking = missingCluster ?? missingNode;

registerCases(cases, async () => {
  await importTargets();
  return await ClusterStage.create({
    sends: true,
    rules: sentRules,
    change: addShellless,
  });
}, lacking);

registerCases(
  [{
    name: "a target without glibc gets its agent too",
    async run(stage: ClusterStage): Promise<void> {
      await steals(stage, ["--agent-image", "target"]);
    },
  }],
  async () => {
    await importTargets();
    const toBusybox = (object: KubeObject): void => {
      const [container] = object.metadata.name === "app" ? object.spec?.template?.spec.containers ?? [] : [];
      if (container !== undefined) container.image = imageName("busybox");
    };
    return await ClusterStage.create({ sends: true, change: toBusybox });
  },
  lacking,
);
