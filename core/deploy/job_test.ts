// The agent's own pod: what its Job holds, and that it ends in every case. How it fares on a cluster is
// tests/e2e/targetless_test.ts.

import assert from "node:assert/strict";
import { SigningKey } from "../../protocol-wasm/mod.ts";
import { verifyConfig } from "../config/load.ts";
import { agentJob } from "./job.ts";
import { Startup } from "./startup.ts";

async function jobOf(agent: Record<string, unknown> = {}) {
  const file = await Deno.makeTempFile({ suffix: ".json" });
  try {
    await Deno.writeTextFile(file, JSON.stringify({ target: "targetless", agent }));
    const { config, errors } = await verifyConfig({ file, flags: {}, env: new Map() });
    assert.ok(config?.agent.pod, errors.join());
    using startup = new Startup(60);
    const key = await SigningKey.generate();
    const order = { config: config.agent, needs: { steal: false, env: false }, key, startup };
    return agentJob("mirrord-agent-x", order, config.agent.pod);
  } finally {
    await Deno.remove(file);
  }
}

Deno.test("the pod has no right that the Pod Security level restricted forbids, and no token", async () => {
  const { spec } = await jobOf();
  const pod = spec?.template.spec;
  assert.equal(pod?.automountServiceAccountToken, false);
  assert.equal(pod?.securityContext?.runAsNonRoot, true);
  assert.notEqual(pod?.securityContext?.runAsUser, 0);
  assert.deepEqual(pod?.securityContext?.seccompProfile, { type: "RuntimeDefault" });
  const [container, ...others] = pod?.containers ?? [];
  assert.deepEqual(others, []);
  assert.deepEqual(container?.securityContext, {
    privileged: false,
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    capabilities: { drop: ["ALL"] },
  });
  assert.deepEqual([pod?.hostNetwork, pod?.hostPID, pod?.volumes], [undefined, undefined, undefined]);
});

Deno.test("the Job never starts a second pod, has a deadline until it is lifted, and goes when it ended", async () => {
  const { spec } = await jobOf({ startup_timeout: 20, communication_timeout: 5, ttl: 3 });
  assert.equal(spec?.backoffLimit, 0);
  assert.equal(spec?.template.spec?.restartPolicy, "Never");
  assert.equal(spec?.activeDeadlineSeconds, 35);
  assert.equal(spec?.ttlSecondsAfterFinished, 3);
});

Deno.test("what the configuration says of the pod is in it, and cannot change how the session finds it", async () => {
  const { metadata, spec } = await jobOf({
    image: "agent:1",
    image_pull_policy: "Always",
    image_pull_secrets: [{ name: "secret" }],
    labels: { team: "shop", "mirrord.dev/agent": "other", app: "own" },
    annotations: { note: "mine" },
    node_selector: { disk: "ssd" },
    tolerations: [{ operator: "Exists" }],
    priority_class: "low",
    service_account: "runner",
    resources: { requests: { cpu: 1 } },
  });
  const labels = spec?.template.metadata?.labels ?? {};
  assert.deepEqual(metadata?.labels, labels);
  assert.equal(labels["mirrord.dev/agent"], "mirrord-agent-x");
  assert.equal(labels["team"], "shop");
  assert.equal(labels["app"], "own");
  assert.equal(labels["sidecar.istio.io/inject"], "false");
  assert.equal(spec?.template.metadata?.annotations?.["note"], "mine");
  const pod = spec?.template.spec;
  assert.deepEqual(pod?.imagePullSecrets, [{ name: "secret" }]);
  assert.deepEqual(pod?.nodeSelector, { "kubernetes.io/os": "linux", disk: "ssd" });
  assert.deepEqual(pod?.tolerations, [{ operator: "Exists" }]);
  assert.equal(pod?.priorityClassName, "low");
  assert.equal(pod?.serviceAccountName, "runner");
  assert.equal(pod?.containers[0]?.image, "agent:1");
  assert.equal(pod?.containers[0]?.imagePullPolicy, "Always");
  assert.deepEqual(pod?.containers[0]?.resources, { requests: { cpu: "1" }, limits: {} });
  const mesh = await jobOf({ disable_mesh_sidecar_injection: false });
  assert.equal(mesh.spec?.template.metadata?.labels?.["sidecar.istio.io/inject"], undefined);
});
