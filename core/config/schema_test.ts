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

/** Each key of a schema with its description, below alternatives and items too. */
function documented(node: unknown, path = ""): [path: string, description: unknown][] {
  if (typeof node !== "object" || node === null) return [];
  return Object.entries(node).flatMap(([name, inner]) => {
    if (name !== "properties") return documented(inner, path);
    return Object.entries(inner as Record<string, object>).flatMap(([key, value]) => {
      const own = path === "" ? key : `${path}.${key}`;
      const said: [string, unknown] = [own, Reflect.get(value, "description")];
      return [said, ...documented(value, own)];
    });
  });
}

Deno.test("the JSON schema says of each key what it means", () => {
  const keys = documented(jsonSchema());
  assert.ok(keys.length > 100, `only ${keys.length} were found`);
  const wordless = keys.filter(([, said]) => typeof said !== "string" || !/^\S.{10,}\.$/.test(said));
  assert.deepEqual(wordless, []);
});

Deno.test("nested filters are allowed as deep as they go", () => {
  const leaf = { not: { all_of: [{ any_of: [{ header: "a: b" }, { method: "GET" }] }] } };
  const network = { incoming: { mode: "steal", http_filter: leaf } };
  assert.equal(configSchema.safeParse({ feature: { network } }).success, true);
  const wrong = { incoming: { http_filter: { not: { all_of: [{ any_of: [{ hea: "x" }] }] } } } };
  assert.equal(configSchema.safeParse({ feature: { network: wrong } }).success, false);
});
