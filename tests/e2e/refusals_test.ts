// What a cluster may refuse: rights, a Pod Security level, an image it has not, no answer at all. Each is one clear error
// in good time, and nothing remains.

import assert from "node:assert/strict";
import { registerCases } from "../support/cases.ts";
import { ask } from "../support/client.ts";
import { ClusterStage, missingCluster } from "../support/cluster_stage.ts";
import { allRules, type Rule, rulesWithout, writeUser } from "../support/kube_users.ts";
import { assertClean, withSession } from "../support/postcondition.ts";
import { SessionRun } from "../support/session_run.ts";

interface Refusal {
  code: number;
  said: RegExp[];
  kubeconfig?: string;
  agent?: Record<string, unknown>;
}

/** mirrord must end with `code` and say all of `said`, before the app is started. */
async function refuses(stage: ClusterStage, { code, said, kubeconfig, agent = {} }: Refusal): Promise<void> {
  const identity = await stage.identity();
  const config = {
    agent: { communication_timeout: 3, ...agent },
    feature: { network: { incoming: "steal" } },
  };
  const targetFlags = kubeconfig === undefined
    ? stage.targetFlags
    : stage.flags("deployment/app", kubeconfig);
  await using run = new SessionRun(stage, {
    targetFlags,
    flags: [],
    config,
    app: ["sh", "-c", "echo started"],
  });
  const finished = await run.finished();
  assert.equal(finished.code, code, finished.stderr);
  assert.equal(finished.stdout, "");
  for (const pattern of said) assert.match(finished.stderr, pattern);
  await assertClean(run, identity, { within: 40 });
}

async function asUser(
  stage: ClusterStage,
  rules: Rule[],
  work: (kubeconfig: string) => Promise<void>,
): Promise<void> {
  const file = await Deno.makeTempFile({ prefix: "mirrord-kubeconfig-" });
  try {
    await writeUser(stage, `user-${crypto.randomUUID().slice(0, 8)}`, rules, file);
    await work(file);
  } finally {
    await Deno.remove(file);
  }
}

const lacking: [resource: string, verb: string][] = [
  ["deployments", "get"],
  ["replicasets", "list"],
  ["pods", "list"],
  ["pods/ephemeralcontainers", "patch"],
  ["pods/portforward", "get"],
];

const rights = [
  {
    name: "the rights that the README names are enough",
    run: (stage: ClusterStage) =>
      asUser(stage, allRules, (kubeconfig) => {
        const targetFlags = stage.flags("deployment/app", kubeconfig);
        return withSession(stage, () => SessionRun.listening(stage, { targetFlags }), async () => {
          assert.equal((await ask(stage)).by, "local");
        });
      }),
  },
  ...lacking.map(([resource, verb]) => ({
    name: `without the right to ${verb} ${resource} mirrord ends with 77 and names it`,
    run: (stage: ClusterStage) => {
      const rules = resource === "pods/portforward" ? rulesWithout(resource) : rulesWithout(resource, verb);
      const said = [new RegExp(`\\b(${verb}|create)\\b`), new RegExp(resource.replace("/", "."))];
      return asUser(stage, rules, (kubeconfig) => refuses(stage, { code: 77, said, kubeconfig }));
    },
  })),
];

const levels = ["baseline", "restricted"].map((level) => ({
  name: `a namespace of the Pod Security level ${level} is named`,
  run: async (stage: ClusterStage) => {
    const label = `pod-security.kubernetes.io/enforce=${level}`;
    await stage.label(label);
    await refuses(stage, { code: 77, said: [new RegExp(`PodSecurity level "${level}`), /privileged/] });
    await stage.label("pod-security.kubernetes.io/enforce-");
  },
}));

/** At the same time: the kubelet tells of a failed pull only when it looks at the pod again, after ten seconds and more. */
const images = {
  name: "an agent's image that the node has not ends with 69 in good time, pulled or not",
  async run(stage: ClusterStage): Promise<void> {
    await Promise.all(["Never", "IfNotPresent"].map((image_pull_policy) =>
      refuses(stage, {
        code: 69,
        said: [/cannot get the image "test\.local\/none:1"/, /agent\.image/],
        agent: { image: "test.local/none:1", image_pull_policy },
      })
    ));
  },
};

const unreachable = {
  name: "an API server that does not answer ends with 69 and is named",
  async run(stage: ClusterStage): Promise<void> {
    const file = await Deno.makeTempFile({ prefix: "mirrord-kubeconfig-" });
    const server = "https://127.0.0.1:1";
    const cluster = { name: "none", cluster: { server } };
    const context = { name: "none", context: { cluster: "none", user: "none" } };
    const users = [{ name: "none", user: { token: "none" } }];
    const kubeconfig = { clusters: [cluster], users, contexts: [context], "current-context": "none" };
    await Deno.writeTextFile(file, JSON.stringify({ apiVersion: "v1", kind: "Config", ...kubeconfig }));
    try {
      await refuses(stage, { code: 69, said: [/127\.0\.0\.1:1/, /refused/i], kubeconfig: file });
    } finally {
      await Deno.remove(file);
    }
  },
};

registerCases([...rights, ...levels, unreachable, images], () => ClusterStage.create(), missingCluster);
