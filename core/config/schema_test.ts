// The published JSON schema comes from the declaration that checks the files.

import assert from "node:assert/strict";
import { configSchema, jsonSchema } from "./schema.ts";

/** The schema node at `path` through properties; undefined when there is none. */
function nodeAt(path: readonly string[]): unknown {
  const alternatives = (node: unknown): unknown[] => {
    const list: unknown = typeof node === "object" && node !== null ? Reflect.get(node, "anyOf") : undefined;
    return Array.isArray(list) ? list.flatMap(alternatives) : [node];
  };
  let nodes: unknown[] = [jsonSchema()];
  for (const part of path) {
    nodes = nodes.flatMap(alternatives).flatMap((node) => {
      const properties: unknown = typeof node === "object" && node !== null
        ? Reflect.get(node, "properties")
        : undefined;
      const child: unknown = typeof properties === "object" && properties !== null
        ? Reflect.get(properties, part)
        : undefined;
      return child === undefined ? [] : [child];
    });
  }
  return nodes[0];
}

Deno.test("the JSON schema knows the keys that the checks know", () => {
  assert.equal(jsonSchema()["additionalProperties"], false);
  for (
    const path of [
      "target",
      "kubeconfig",
      "agent.image",
      "feature.env.include",
      "feature.network.incoming.http_filter.all_of",
    ]
  ) {
    assert.notEqual(nodeAt(path.split(".")), undefined, path);
  }
  assert.equal(nodeAt(["feature", "nothing"]), undefined);
});

Deno.test("nested filters are allowed as deep as they go", () => {
  const leaf = { not: { all_of: [{ any_of: [{ header: "a: b" }, { method: "GET" }] }] } };
  const network = { incoming: { mode: "steal", http_filter: leaf } };
  assert.equal(configSchema.safeParse({ feature: { network } }).success, true);
  const wrong = { incoming: { http_filter: { not: { all_of: [{ any_of: [{ hea: "x" }] }] } } } };
  assert.equal(configSchema.safeParse({ feature: { network: wrong } }).success, false);
});
