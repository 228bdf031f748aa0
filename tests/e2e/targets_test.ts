// How targets are named: each form finds its pod and container, a wrong name is answered with near ones.

import assert from "node:assert/strict";
import { registerCases } from "../support/cases.ts";
import { ask } from "../support/client.ts";
import { ClusterStage, missingCluster } from "../support/cluster_stage.ts";
import { allRules, betterRules, withUser } from "../support/kube_users.ts";
import { assertTargetClean, withSession } from "../support/postcondition.ts";
import { runMirrord } from "../support/program.ts";
import { SessionRun } from "../support/session_run.ts";

interface Named {
  path: string;
  greeting: string;
  port?: number;
}

const greeting = "MIRRORD_TEST_GREETING";

/** A session on `path` gets that container's port and variable. */
function reaches({ path, greeting: expected, port = 80 }: Named) {
  return {
    name: `${path} is stolen from, with its container's variables`,
    run(stage: ClusterStage): Promise<void> {
      const flags = ["--steal", "-s", greeting];
      const options = { targetFlags: stage.flags(path), flags, env: { PORT: String(port) } };
      const start = () => SessionRun.listening(stage, options);
      return withSession(stage, start, async () => {
        const where = { host: stage.addresses.ipv4, port };
        const report = await ask(stage, { ...where, path: `/?env=${greeting}` });
        assert.deepEqual([report.by, report.env[greeting]], ["local", expected]);
      });
    },
  };
}

interface Wrong {
  path: string;
  code: number;
  said: RegExp;
}

function refuses({ path, code, said }: Wrong) {
  return {
    name: `${path} is no target`,
    async run(stage: ClusterStage): Promise<void> {
      const identity = await stage.identity();
      // Near names are known to who may list them.
      const finished = await withUser(stage, betterRules, (kubeconfig) => {
        const flags = [...stage.flags(path, kubeconfig), "--steal"];
        const options = { prefix: stage.prefix };
        return runMirrord(["exec", ...flags, "--", "sh", "-c", "echo started"], options);
      });
      assert.equal(finished.code, code, finished.stderr);
      assert.equal(finished.stdout, "");
      assert.match(finished.stderr, said);
      await assertTargetClean(stage, identity);
    },
  };
}

const named: Named[] = [
  { path: "pod/multi/container/front", greeting: "from-the-front" },
  { path: "pod/multi/container/side", greeting: "from-the-side", port: 8080 },
];

const wrong: Wrong[] = [
  {
    path: "pod/mutli",
    code: 69,
    said: /Cannot target "pod\/mutli": there is no such pod in the namespace .*\n.*Did you mean "multi"\?/,
  },
  {
    path: "deployment/noode",
    code: 69,
    said: /Cannot target "deployment\/noode": there is no such deployment .*\n.*Did you mean "node"\?/,
  },
  {
    path: "pod/multi",
    code: 78,
    said:
      /its pod has the containers "front" and "side", and none is named\n.*"pod\/multi\/container\/front"/,
  },
  {
    path: "pod/multi/container/sid",
    code: 78,
    said: /its pod has no container "sid"\n.*Did you mean "side"\?/,
  },
  { path: "deploymnt/node", code: 78, said: /no kind of target called "deploymnt"\n.*"deployment"/ },
  { path: "statefulset/db", code: 78, said: /targets of the kind "statefulset" are not supported yet/ },
  { path: "pod/Multi", code: 78, said: /"Multi" cannot be the name of a pod/ },
  { path: "multi", code: 78, said: /it does not name the kind of target/ },
];

const annotation = "kubectl.kubernetes.io/default-container";
const annotated = {
  name: "of several containers the one that the pod's annotation names is meant",
  async run(stage: ClusterStage): Promise<void> {
    await stage.kubectl("annotate", "pod", "multi", `${annotation}=side`);
    try {
      await reaches({ path: "pod/multi", greeting: "from-the-side", port: 8080 }).run(stage);
    } finally {
      await stage.kubectl("annotate", "pod", "multi", `${annotation}-`);
    }
  },
};

registerCases(
  [...named.map(reaches), ...wrong.map(refuses), annotated],
  () => ClusterStage.create({ rules: allRules, target: "multi", path: "pod/multi", others: ["node"] }),
  missingCluster,
);
registerCases(
  [reaches({ path: "deployment/app/container/app", greeting: "from-the-pod" })],
  () => ClusterStage.create({ rules: allRules }),
  missingCluster,
);
