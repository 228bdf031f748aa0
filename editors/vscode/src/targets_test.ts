// What the target picker offers, in which order.

import assert from "node:assert/strict";
import { targetItems } from "./targets.ts";

const targets = [
  { path: "deployment/api", available: true },
  { path: "deployment/broken", available: false },
  { path: "pod/api-1/container/web", available: true },
];
const place = { namespace: "shop", namespaces: ["shop"] };

function shown(options: Partial<Parameters<typeof targetItems>[1]>): string[] {
  const items = targetItems(targets, { last: undefined, ...place, ...options });
  return items.map(({ label, description }) => `${label} (${description})`);
}

Deno.test("targets that are ready, then none; other namespaces where there are some", () => {
  const ready = ["api (deployment)", "api-1/container/web (pod)"];
  const none = "No target (only the cluster's network and names)";
  assert.deepEqual(shown({}), [...ready, none]);
  assert.deepEqual(shown({ namespaces: ["shop", "web"] }), [
    ...ready,
    none,
    "Another namespace … (now: shop)",
  ]);
});

Deno.test("the last target comes first, if it is still there", () => {
  assert.deepEqual(shown({ last: "pod/api-1/container/web" }).slice(0, 2), [
    "api-1/container/web (pod, the last one)",
    "api (deployment)",
  ]);
  assert.deepEqual(shown({ last: "deployment/broken" }), shown({}));
});
