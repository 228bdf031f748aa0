// The role of docs/rbac.md: it is enough, each verb of it is needed, and mirrord names the missing one.
// That it is enough for what a session does later is shown by other end-to-end tests that run under it
// (cluster_stage.ts).

import assert from "node:assert/strict";
import { registerCases } from "../support/cases.ts";
import { ask } from "../support/client.ts";
import { ClusterStage, missingCluster } from "../support/cluster_stage.ts";
import { allRules, betterRules, rulesWithout, withUser } from "../support/kube_users.ts";
import { withSession } from "../support/postcondition.ts";
import { runMirrord } from "../support/program.ts";
import { refuses } from "../support/refusal.ts";
import { SessionRun } from "../support/session_run.ts";

/**
 * Newer servers call a WebSocket upgrade "create" as well, older ones "get" alone: either may be the one that
 * lacks.
 */
const upgrade = "pods/portforward";
const rights = allRules.flatMap(({ resources, verbs }) =>
  resources.flatMap((resource) => resource === upgrade ? [] : verbs.map((verb) => ({ resource, verb })))
);

const lacking = [...rights, { resource: upgrade, verb: undefined }].map(({ resource, verb }) => ({
  name: `without the right to ${verb ?? "open"} ${resource} mirrord ends with 77 and names it`,
  run: (stage: ClusterStage) =>
    withUser(stage, rulesWithout(resource, verb), async (kubeconfig) => {
      const named = new RegExp(
        `you may not "${verb ?? "(get|create)"}" the resource "${resource}" in the namespace`,
      );
      const help = new RegExp(`resources: \\["${resource}"\\], verbs: \\["${verb ?? "(get|create)"}"\\]`);
      await refuses(stage, { code: 77, said: [named, help], kubeconfig });
    }),
}));

const enough = [["the role", allRules], ["the role with what makes it better", betterRules]] as const;
const cases = [
  ...enough.map(([name, rules]) => ({
    name: `${name} is enough for a session`,
    run: (stage: ClusterStage) =>
      withUser(stage, rules, (kubeconfig) => {
        const targetFlags = stage.flags("deployment/app", kubeconfig);
        return withSession(stage, () => SessionRun.listening(stage, { targetFlags }), async () => {
          assert.equal((await ask(stage)).by, "local");
        });
      }),
  })),
  ...lacking,
  {
    name: "ls lists what the role lets it, and names once what it does not",
    async run(stage: ClusterStage): Promise<void> {
      const list = (kubeconfig: string, ...flags: string[]) =>
        runMirrord(["ls", "--kubeconfig", kubeconfig, "--namespace", stage.namespace, ...flags], {
          prefix: stage.prefix,
        });
      const pod = `pod/${await stage.podName()}`;
      const without = await list(stage.kubeconfig);
      assert.deepEqual([without.code, without.stdout], [0, `${pod}\npod/client\n`], without.stderr);
      assert.match(
        without.stderr,
        /^\S+ warning: The deployments are not listed: you may not "list" the resource "deployments" in the namespace "[^"\n]*"$/,
      );
      const pods = await list(stage.kubeconfig, "--target-type", "pod");
      assert.deepEqual([pods.code, pods.stdout, pods.stderr], [0, without.stdout, ""]);
      const none = await list(stage.kubeconfig, "--target-type", "deployment");
      assert.deepEqual([none.code, none.stdout], [77, ""]);
      assert.match(none.stderr, /may not "list" the resource "deployments"/);
      await withUser(stage, betterRules, async (kubeconfig) => {
        assert.equal((await list(kubeconfig)).stdout, `deployment/app\n${pod}\npod/client\n`);
        const plain = await list(kubeconfig, "--output", "json", "--target-type", "deployment");
        assert.equal(plain.stdout, '["deployment/app"]\n');
      });
    },
  },
];

registerCases(cases, () => ClusterStage.create({ rules: allRules }), missingCluster);
