// Recipes and manifests agree.

import { deepStrictEqual } from "node:assert";
import { imageName, recipes } from "./images.ts";
import { sourceDir } from "./layout.ts";

Deno.test("workloads use only images that have a recipe", async () => {
  const manifest = await Deno.readTextFile(sourceDir("workloads.yaml"));
  const known = Object.keys(recipes).map(imageName);
  const used = [...manifest.matchAll(/image: (\S+)/g)].map((found) => found[1] ?? "");
  deepStrictEqual(used.filter((image) => !known.includes(image)), []);
});
