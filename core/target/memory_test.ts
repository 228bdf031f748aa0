// A pod's memory limit out of its spec.

import assert from "node:assert/strict";
import type { V1Pod } from "../kube/client.ts";
import { bytesOf, memoryLimitOf } from "./memory.ts";

/** A pod whose containers have these limits; "": none. */
function pod(limits: string[], more: object = {}): V1Pod {
  const containers = limits.map((memory, index) => ({
    name: `c${index}`,
    ...(memory === "" ? {} : { resources: { limits: { memory } } }),
  }));
  return { spec: { containers, ...more } };
}

Deno.test("quantities are read as Kubernetes writes them", () => {
  const cases: [string, number | null][] = [
    ["128Mi", 128 * 2 ** 20],
    ["1.5Gi", 1.5 * 2 ** 30],
    ["100M", 1e8],
    ["100000000", 1e8],
    ["1e8", 1e8],
    ["1E8", 1e8],
    ["2E", 2e18],
    ["128974848000m", 128974848],
    [".5Gi", 2 ** 29],
    ["", null],
    ["much", null],
    ["12 Mi", null],
  ];
  for (const [text, bytes] of cases) assert.equal(bytesOf(text), bytes, text);
});

Deno.test("a pod's limit is its own, or the sum of its containers' where each has one", () => {
  assert.equal(memoryLimitOf(pod(["64Mi", "32Mi"])), 96 * 2 ** 20);
  assert.equal(memoryLimitOf(pod(["64Mi", ""])), null);
  assert.equal(memoryLimitOf(pod([""])), null);
  assert.equal(memoryLimitOf(pod(["", ""], { resources: { limits: { memory: "128Mi" } } })), 128 * 2 ** 20);
  const sidecar = { name: "s", restartPolicy: "Always", resources: { limits: { memory: "1Mi" } } };
  assert.equal(memoryLimitOf(pod(["64Mi"], { initContainers: [sidecar] })), 65 * 2 ** 20);
  assert.equal(memoryLimitOf(pod(["64Mi"], { initContainers: [{ ...sidecar, resources: {} }] })), null);
  assert.equal(memoryLimitOf(pod(["64Mi"], { initContainers: [{ name: "before" }] })), 64 * 2 ** 20);
});
