// When the agent has a pod of its own, and which keys of "agent" count then.

import assert from "node:assert/strict";
import { agentHasOwnPod } from "./agent_pod.ts";
import { verifyConfig } from "./load.ts";
import { writtenConfig } from "./written.ts";

async function verify(value: unknown, flags: Record<string, unknown> = {}) {
  const file = await Deno.makeTempFile({ suffix: ".json" });
  try {
    await Deno.writeTextFile(file, JSON.stringify(value));
    return await verifyConfig({ file, flags, env: new Map() });
  } finally {
    await Deno.remove(file);
  }
}

Deno.test("without a target a namespace or a context means the cluster", () => {
  const cases: [Record<string, unknown>, boolean][] = [
    [{}, false],
    [{ target: null }, false],
    [{ target: {} }, false],
    [{ target: { path: null, namespace: null } }, false],
    [{ target: "targetless" }, true],
    [{ target: { path: "targetless" } }, true],
    [{ target: { namespace: "shop" } }, true],
    [{ target: { path: null, namespace: "shop" } }, true],
    [{ target: { path: "targetless", namespace: "shop" } }, true],
    [{ kube_context: "c" }, true],
    [{ kube_context: null }, false],
    [{ kubeconfig: "/k" }, false],
    [{ kube_context: "c", target: "pod/a" }, false],
    [{ kube_context: "c", target: "process/1" }, false],
    [{ target: { pod: "a", namespace: "shop" } }, false],
    [{ target: { path: { deployment: "a" }, namespace: "shop" } }, false],
  ];
  for (const [document, own] of cases) assert.equal(agentHasOwnPod(document), own, JSON.stringify(document));
});

Deno.test("network and names are on without a target where a cluster is meant, files and incoming are not", async () => {
  for (const [value, on] of [[{}, false], [{ target: "targetless" }, true]] as const) {
    const { config } = await verify(value);
    assert.equal(config?.outgoing.tcp, on);
    assert.equal(config?.outgoing.udp, on);
    assert.equal(config?.dns.enabled, on);
    assert.equal(config?.files.mode, "local");
    assert.equal(config?.incoming.mode, "off");
    assert.equal(config?.agent.pod !== null, on);
  }
  const { config } = await verify({}, { namespace: "shop" });
  assert.equal(config?.outgoing.tcp, true);
});

const keys = {
  namespace: "mesh",
  labels: { a: "b" },
  annotations: { c: "d" },
  node_selector: { disk: "ssd" },
  tolerations: [{ key: "k", operator: "Exists", effect: "NoExecute", tolerationSeconds: 5 }],
  priority_class: "low",
  service_account: "runner",
  image_pull_secrets: [{ name: "secret" }],
  resources: { requests: { cpu: 1 }, limits: { memory: "1Gi" } },
  ttl: 0,
  disable_mesh_sidecar_injection: false,
};

Deno.test("keys of the agent's own pod have their effect without a target", async () => {
  const { config, errors, warnings } = await verify({ target: "targetless", agent: keys });
  assert.deepEqual([errors, warnings], [[], []]);
  assert.deepEqual(config?.agent.pod, {
    namespace: "mesh",
    labels: { a: "b" },
    annotations: { c: "d" },
    nodeSelector: { disk: "ssd" },
    tolerations: [{ key: "k", operator: "Exists", effect: "NoExecute", tolerationSeconds: 5 }],
    priorityClass: "low",
    serviceAccount: "runner",
    pullSecrets: ["secret"],
    resources: { requests: { cpu: "1" }, limits: { memory: "1Gi" } },
    ttlSeconds: 0,
    joinsMesh: true,
  });
  assert.ok(config !== undefined);
  assert.deepEqual((await verify(writtenConfig(config))).config?.agent.pod, config.agent.pod);
});

Deno.test("a value that such a key cannot have is named", async () => {
  const { errors } = await verify({ target: "targetless", agent: { labels: { a: 1 }, ttl: -1 } });
  assert.equal(errors.length, 2);
  assert.match(errors.join("\n"), /"agent\.labels\.a".*\n.*"agent\.ttl"/);
});

Deno.test("settings that have no effect without a target are reported when they are given", async () => {
  const mirror = await verify({ target: "targetless", feature: { network: { incoming: "mirror" } } });
  assert.match(
    mirror.warnings.join(),
    /feature\.network\.incoming.*no target whose traffic could be mirrored/,
  );
  const steal = await verify({ target: "targetless", feature: { network: { incoming: "steal" } } });
  assert.match(steal.errors.join(), /no target to steal from/);
  const ephemeral = await verify({ target: "targetless", agent: { ephemeral: true } });
  assert.match(ephemeral.warnings.join(), /agent\.ephemeral.*has its own pod/);
});
