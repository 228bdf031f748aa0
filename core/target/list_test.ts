// Listing targets against a real HTTP server that answers as the API server does, for users with more and
// fewer rights.

import assert from "node:assert/strict";
import { ApiError } from "../kube/api_error.ts";
import { kubeClient } from "../../tests/support/kube_client.ts";
import { type ListedKind, type Listing, listTargets } from "./list.ts";

const deployments = [
  { metadata: { name: "web" }, status: { readyReplicas: 2 } },
  { metadata: { name: "api" }, status: {} },
];
const ready = { phase: "Running", conditions: [{ type: "Ready", status: "True" }] };
const pods = [
  { metadata: { name: "web-1" }, spec: { containers: [{ name: "web" }, { name: "log" }] }, status: ready },
  { metadata: { name: "job-1" }, spec: { containers: [{ name: "a" }] }, status: { phase: "Succeeded" } },
];

/** A listing as far as most tests read it. */
interface Entries {
  targets: { path: string; available: boolean }[];
  refused: Listing["refused"];
}

/** What a user sees who may list `may`, asking for `kinds`; and which resources were asked for. */
async function list(
  may: readonly string[],
  kinds?: ListedKind[],
): Promise<{ listing: Entries; asked: string[] }> {
  const asked: string[] = [];
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, (request) => {
    const resource = new URL(request.url).pathname.replace(/^.*\//, "");
    asked.push(resource);
    if (may.includes(resource)) return Response.json({ items: resource === "pods" ? pods : deployments });
    const message = `${resource} is forbidden: User "u" cannot list resource "${resource}" in API group ""`;
    return Response.json({ kind: "Status", reason: "Forbidden", message, code: 403 }, { status: 403 });
  });
  using kube = kubeClient(`http://127.0.0.1:${server.addr.port}`);
  try {
    const { targets, refused } = await listTargets(kube, kinds);
    const entries = targets.map(({ path, available }) => ({ path, available }));
    return { listing: { targets: entries, refused }, asked: asked.sort() };
  } finally {
    await server.shutdown();
  }
}

const podTargets = [
  { path: "pod/web-1/container/web", available: true },
  { path: "pod/web-1/container/log", available: true },
];
const deploymentTargets = [
  { path: "deployment/api", available: false },
  { path: "deployment/web", available: true },
];

Deno.test("deployments come before pods, each by name, and nothing else is asked for", async () => {
  const { listing, asked } = await list(["pods", "deployments"]);
  const byName = (a: { path: string }, b: { path: string }) => a.path < b.path ? -1 : 1;
  assert.deepEqual(listing, { targets: [...deploymentTargets, ...podTargets.sort(byName)], refused: [] });
  assert.deepEqual(asked, ["deployments", "pods"]);
});

Deno.test("what may be listed is listed, and what may not is named", async () => {
  const { listing } = await list(["pods"]);
  assert.deepEqual(listing.targets.map(({ path }) => path), [
    "pod/web-1/container/log",
    "pod/web-1/container/web",
  ]);
  assert.deepEqual(listing.refused.map(({ kind }) => kind), ["deployment"]);
  assert.match(
    listing.refused[0]?.error.message ?? "",
    /may not "list" the resource "deployments" in the na/,
  );
  const other = await list(["deployments"]);
  assert.deepEqual(other.listing.targets, deploymentTargets);
});

Deno.test("only the kinds that are wanted are asked for", async () => {
  const { listing, asked } = await list(["pods"], ["pod"]);
  assert.deepEqual([listing.refused, asked], [[], ["pods"]]);
  assert.deepEqual((await list(["pods", "deployments"], ["deployment"])).asked, ["deployments"]);
  assert.deepEqual((await list([], [])).listing, { targets: [], refused: [] });
});

Deno.test("a user who may list nothing is refused as for any missing right", async () => {
  for (const kinds of [undefined, ["deployment"] as ListedKind[]]) {
    await assert.rejects(list([], kinds), (error) => {
      assert.ok(error instanceof ApiError);
      assert.equal(error.exitCode, 77);
      return true;
    });
  }
});

Deno.test("targets of every namespace come namespace by namespace, with what a list shows", async () => {
  const asked: string[] = [];
  const made = "2026-01-02T03:04:05Z";
  const items = {
    pods: [{
      metadata: { name: "web-1", namespace: "shop", creationTimestamp: made },
      spec: {
        containers: [
          { name: "web", ports: [{ containerPort: 80 }, { containerPort: 53, protocol: "UDP" }] },
          { name: "log" },
        ],
      },
      status: { ...ready, containerStatuses: [{ ready: true }, { ready: false }] },
    }],
    deployments: [
      { metadata: { name: "web", namespace: "shop" }, spec: { replicas: 3 }, status: { readyReplicas: 2 } },
      { metadata: { name: "api", namespace: "back" }, status: {} },
    ],
  };
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, (request) => {
    const { pathname } = new URL(request.url);
    asked.push(pathname);
    return Response.json({ items: pathname.endsWith("/pods") ? items.pods : items.deployments });
  });
  using kube = kubeClient(`http://127.0.0.1:${server.addr.port}`);
  const { targets } = await listTargets(kube, undefined, { everywhere: true });
  await server.shutdown();
  assert.deepEqual(asked.sort(), ["/api/v1/pods", "/apis/apps/v1/deployments"]);
  const seen = targets.map(({ namespace, path, ready, ports }) => [namespace, path, ready, ports.join()]);
  assert.deepEqual(seen, [
    ["back", "deployment/api", "0/1", ""],
    ["shop", "deployment/web", "2/3", ""],
    ["shop", "pod/web-1/container/log", "1/2", ""],
    ["shop", "pod/web-1/container/web", "1/2", "80"],
  ]);
  assert.equal(targets[2]?.created?.getTime(), Date.parse(made));
});
