// Every hook is needed: for each line of layer/hooks.h there is a case that passes with the layer and fails with a
// layer which does not export that one name.

import assert from "node:assert/strict";
import { layerFlags, layerSources } from "../../scripts/build_layer.ts";
import { builtLayer } from "../support/layer_app.ts";
import { hookCases } from "./hook_cases.ts";

const root = decodeURIComponent(new URL("../../", import.meta.url).pathname);

/** The names that hooks.h exports, aliases included. */
function hookedNames(): string[] {
  const text = Deno.readTextFileSync(`${root}layer/hooks.h`);
  // A call begins with its type, an alias with its own name.
  const [calls = "", aliases = ""] = text.split("#define LAYER_ALIASES");
  return [
    ...[...calls.matchAll(/^\tX\([\w ]+\*?, (\w+),/gm)].map((match) => match[1] ?? ""),
    ...[...aliases.matchAll(/^\tX\((\w+),/gm)].map((match) => match[1] ?? ""),
  ];
}

async function gcc(args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command("gcc", { args, cwd: root, stderr: "piped" }).output();
  assert.ok(success, new TextDecoder().decode(stderr));
}

/** The layer without the hook `name`: all the same, but the symbol stays inside. */
async function layerWithout(name: string, objects: string[], folder: string): Promise<string> {
  const script = `${folder}/${name}.version`;
  const output = `${folder}/without_${name}.so`;
  Deno.writeTextFileSync(script, `{ global: *; local: ${name}; };\n`);
  await gcc(["-shared", `-Wl,--version-script=${script}`, "-o", output, ...objects, "-ldl"]);
  return output;
}

async function compileObjects(folder: string): Promise<string[]> {
  const objects: string[] = [];
  for (const source of layerSources()) {
    const object = `${folder}/${source.replaceAll("/", "_")}.o`;
    await gcc([...layerFlags, "-Os", "-c", "-o", object, source]);
    objects.push(object);
  }
  return objects;
}

Deno.test("every hooked name has a case, and every case a hooked name", () => {
  assert.deepEqual(Object.keys(hookCases).sort(), hookedNames().sort());
});

for (const [name, hookCase] of Object.entries(hookCases)) {
  Deno.test(`${name} is hooked`, () => hookCase(builtLayer));
}

Deno.test("a layer without one of its hooks fails that hook's case", async (t) => {
  const folder = await Deno.makeTempDir();
  try {
    const objects = await compileObjects(folder);
    for (const [name, hookCase] of Object.entries(hookCases)) {
      const lacking = await layerWithout(name, objects, folder);
      await t.step(`without ${name}`, () => assert.rejects(hookCase(lacking)));
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
