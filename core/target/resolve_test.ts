// Choosing the pod and the container, and a process of this machine as the target.

import assert from "node:assert/strict";
import type { V1Deployment, V1Pod, V1ReplicaSet } from "../kube/client.ts";
import { resolveProcess, startTimeOf } from "./process.ts";
import { chooseContainer, mountsOf, newestReady, podsOf, selectorText } from "./resolve.ts";

const owner = (uid: string, controller = true) => [{ apiVersion: "", kind: "", name: "", uid, controller }];

/** As it comes from the API: times are text. */
function pod(
  name: string,
  options: { created?: string; ready?: boolean; set?: string; leaving?: boolean } = {},
): V1Pod {
  const { created = "2026-01-01T00:00:00Z", ready = true, set = "rs", leaving = false } = options;
  return JSON.parse(JSON.stringify({
    metadata: {
      name,
      uid: name,
      creationTimestamp: created,
      ownerReferences: owner(set),
      ...(leaving ? { deletionTimestamp: created } : {}),
    },
    status: { conditions: [{ type: "Ready", status: ready ? "True" : "False" }] },
  }));
}

Deno.test("of a deployment's pods the newest ready one is taken", () => {
  const pods = [
    pod("old"),
    pod("newest", { created: "2026-03-01T00:00:00Z", ready: false }),
    pod("leaving", { created: "2026-02-20T00:00:00Z", leaving: true }),
    pod("new", { created: "2026-02-01T00:00:00Z" }),
  ];
  assert.equal(newestReady(pods)?.metadata?.name, "new");
  assert.equal(newestReady([pod("x", { ready: false })]), undefined);
});

Deno.test("a pod that only wears the labels is not the deployment's", () => {
  const deployment: V1Deployment = { metadata: { uid: "d" } };
  const sets: V1ReplicaSet[] = [
    { metadata: { uid: "own", ownerReferences: owner("d") } },
    { metadata: { uid: "foreign", ownerReferences: owner("e") } },
    { metadata: { uid: "adopted", ownerReferences: owner("d", false) } },
  ];
  const pods = [pod("a", { set: "own" }), pod("b", { set: "foreign" }), pod("c", { set: "adopted" })];
  assert.deepEqual(podsOf(deployment, sets, pods).map((one) => one.metadata?.name), ["a"]);
});

Deno.test("a selector is written as the API reads it", () => {
  const selector = {
    matchLabels: { app: "x" },
    matchExpressions: [
      { key: "tier", operator: "In", values: ["a", "b"] },
      { key: "env", operator: "NotIn", values: ["prod"] },
      { key: "canary", operator: "DoesNotExist" },
      { key: "team", operator: "Exists" },
    ],
  };
  const deployment: V1Deployment = { spec: { selector, template: {} } };
  assert.equal(selectorText(deployment), "app=x,tier in (a,b),env notin (prod),!canary,team");
});

Deno.test("the container is the named one, the annotated one, or the first that no mesh put there", () => {
  const containers = (...names: string[]): V1Pod => ({
    spec: { containers: names.map((name) => ({ name })) },
  });
  assert.equal(chooseContainer(containers("a", "b"), "b", "pod/x"), "b");
  assert.equal(chooseContainer(containers("istio-proxy", "app"), undefined, "pod/x"), "app");
  assert.equal(chooseContainer(containers("istio-proxy"), undefined, "pod/x"), "istio-proxy");
  const annotated = {
    ...containers("a", "b"),
    metadata: { annotations: { "kubectl.kubernetes.io/default-container": "b" } },
  };
  assert.equal(chooseContainer(annotated, undefined, "pod/x"), "b");
  assert.throws(() => chooseContainer(containers("web", "log"), "wbe", "pod/x/container/wbe"), (error) => {
    assert.match(String(error), /its pod has no container "wbe"/);
    return true;
  });
});

Deno.test({
  name: `a process is found by its number, with the time of its start${
    Deno.build.os === "linux" ? "" : " (needs Linux)"
  }`,
  ignore: Deno.build.os !== "linux",
  async fn() {
    const child = new Deno.Command("sleep", { args: ["60"] }).spawn();
    const target = await resolveProcess(child.pid);
    assert.equal(target.pid, child.pid);
    assert.match(target.label, new RegExp(`process ${child.pid} \\(`));
    assert.equal(target.startTime, await startTimeOf(child.pid));
    assert.ok(target.startTime > 0n);
    child.kill("SIGKILL");
    await child.status;
    await assert.rejects(
      resolveProcess(child.pid),
      new RegExp(`Cannot target "process/${child.pid}": there is no such process`),
    );
  },
});

Deno.test("the mounts are those of the target's own container", () => {
  const volumeMounts = [
    { name: "conf", mountPath: "/etc/app" },
    { name: "conf", mountPath: "/opt/app/conf/app.yaml", subPath: "app.yaml" },
  ];
  const spec = {
    containers: [{ name: "side", volumeMounts: [{ name: "x", mountPath: "/x" }] }, {
      name: "app",
      volumeMounts,
    }],
  };
  assert.deepEqual(mountsOf({ spec }, "app"), ["/etc/app", "/opt/app/conf/app.yaml"]);
  assert.deepEqual(mountsOf({ spec: { containers: [{ name: "app" }] } }, "app"), []);
});
