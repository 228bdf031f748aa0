// Which keys the format has: those of the schema, and those known by name without being supported. Called by
// load.ts for "did you mean", and to tell a key that is null from a misspelt one. Loaded only when either is
// asked.

import { isLaterKey, isObject, laterKeysAt } from "./later.ts";
import { jsonSchema } from "./schema.ts";

type Path = readonly (string | number)[];

const schema = jsonSchema();

/** The keys allowed directly below `path`. */
export function knownKeys(path: Path): string[] {
  return [...keysIn(path), ...laterKeysAt(path.join("."))];
}

/** True when the format has a key at `path`. */
export function isKnownKey(path: Path): boolean {
  return isLaterKey(path) || keysIn(path.slice(0, -1)).some((key) => key === path[path.length - 1]);
}

/** The keys that the JSON schema allows at `path`: objects and the object branches of alternatives. */
function keysIn(path: Path): string[] {
  const nodes = path.reduce<unknown[]>(
    (found, part) =>
      found.flatMap(branches).flatMap((node) => {
        if (!isObject(node)) return [];
        const { properties, items } = node;
        if (typeof part === "number") return items === undefined ? [] : [items];
        return isObject(properties) && Object.hasOwn(properties, part) ? [properties[part]] : [];
      }),
    [schema],
  );
  return nodes.flatMap(branches).flatMap((node) =>
    isObject(node) && isObject(node["properties"]) ? Object.keys(node["properties"]) : []
  ).filter((key) => key !== "$schema");
}

/** The alternatives of `node`; a reference stands for what it names ("#/$defs/NAME"). */
function branches(node: unknown): unknown[] {
  if (!isObject(node)) return [node];
  const { anyOf, $ref } = node;
  if (Array.isArray(anyOf)) return anyOf.flatMap(branches);
  if (typeof $ref !== "string") return [node];
  const definitions = schema["$defs"];
  return isObject(definitions) ? branches(definitions[$ref.replace(/^.*\//, "")]) : [];
}
