// How lists of targets look in each format.

import assert from "node:assert/strict";
import type { ListedTarget } from "../core/target/list.ts";
import { writeList } from "./listing.ts";

const now = Date.parse("2026-01-03T00:00:00Z");

function target(path: string, more: Partial<ListedTarget> = {}): ListedTarget {
  const created = new Date(now - 90_000);
  return {
    path,
    namespace: "shop",
    available: true,
    ready: "1/1",
    containers: [],
    ports: [],
    created,
    ...more,
  };
}

const targets = [
  target("deployment/api", { containers: ["api", "log"], ports: [80, 8080], ready: "2/3" }),
  target("pod/a", { namespace: "x", created: undefined }),
  target("pod/b", { created: new Date(now - 3 * 86_400_000) }),
];

Deno.test("a list of one namespace", async () => {
  const style = { everywhere: false, now };
  const paths = "deployment/api\npod/a\npod/b";
  assert.equal(await writeList(targets, { ...style, format: "plain" }), paths);
  assert.equal(await writeList(targets, { ...style, format: "name" }), paths);
  assert.equal(await writeList(targets, { ...style, format: "json" }), '["deployment/api","pod/a","pod/b"]');
  assert.equal(await writeList(targets, { ...style, format: "yaml" }), "- deployment/api\n- pod/a\n- pod/b");
  assert.equal(
    await writeList(targets, { ...style, format: "wide" }),
    [
      "TARGET          READY  PORTS    CONTAINERS  AGE",
      "deployment/api  2/3    80,8080  api,log     90s",
      "pod/a           1/1    -        -           -",
      "pod/b           1/1    -        -           3d",
    ].join("\n"),
  );
});

Deno.test("a list of all namespaces names each target's", async () => {
  const style = { everywhere: true, now };
  const two = targets.slice(0, 2);
  assert.equal(
    await writeList(two, { ...style, format: "plain" }),
    "NAMESPACE  TARGET\nshop       deployment/api\nx          pod/a",
  );
  assert.equal(await writeList(two, { ...style, format: "name" }), "shop deployment/api\nx pod/a");
  assert.deepEqual(JSON.parse(await writeList(two, { ...style, format: "json" })), [
    { namespace: "shop", path: "deployment/api" },
    { namespace: "x", path: "pod/a" },
  ]);
  assert.match(
    await writeList(two, { ...style, format: "yaml" }),
    /^- namespace: shop\n {2}path: deployment\/api\n/,
  );
  assert.match(
    await writeList(two, { ...style, format: "wide" }),
    /^NAMESPACE {2}TARGET .*\nshop +deployment\/api +2\/3/,
  );
});

Deno.test("an empty list is no heading", async () => {
  for (const format of ["plain", "name", "wide"] as const) {
    assert.equal(await writeList([], { format, everywhere: true }), "");
  }
  assert.equal(await writeList([], { format: "json", everywhere: true }), "[]");
});
