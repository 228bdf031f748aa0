// What the target picker offers, in which order.

import assert from "node:assert/strict";
import { type Offered, targetItems } from "./targets.ts";

const targets = [
  { path: "pod/api-1/container/web", available: true },
  { path: "deployment/broken", available: false },
  { path: "statefulset/db", available: true },
  { path: "deployment/api", available: true },
];
const usual = { targets, last: undefined, namespace: "shop", namespaces: ["shop"], isPinned: false };

function shown(options: Partial<Offered> = {}): string[] {
  const items = targetItems({ ...usual, ...options });
  return items.map(({ label, description }) =>
    description === undefined ? `-- ${label}` : `${label} (${description})`
  );
}

const none = ["-- others", "No target (only the cluster's network and names)"];
const typed = "Type a target … (kind/NAME, process/PID)";
const [api, db, pod] = [
  ["-- deployments", "api (deployment)"],
  ["-- statefulsets", "db (statefulset)"],
  ["-- pods", "api-1/container/web (pod)"],
];

Deno.test("targets that are ready, by kind, then none; other namespaces where there are some", () => {
  assert.deepEqual(shown(), [...api, ...db, ...pod, ...none, typed]);
  assert.equal(shown({ namespaces: ["shop", "web"] }).at(-1), "Another namespace … (now: shop)");
  assert.match(shown({ isPinned: true })[0] ?? "", /^Ask at each start/);
});

Deno.test("the last target comes first, if it is still there or cannot be listed", () => {
  assert.deepEqual(shown({ last: "pod/api-1/container/web" }), [
    "api-1/container/web (pod, the last one)",
    ...[...api, ...db, ...none, typed],
  ]);
  assert.deepEqual(shown({ last: "deployment/broken" }), shown());
  assert.deepEqual(shown({ last: "targetless" }), shown());
  assert.equal(shown({ last: "process/12" })[0], "12 (process, the last one)");
  assert.equal(shown({ targets: [], last: "deployment/api" })[0], "api (deployment, the last one)");
});
