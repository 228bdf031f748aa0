// Every hook is needed: for each line of layer/hooks.h there is a case that passes with the layer and fails with a
// layer which does not export that one name.

import assert from "node:assert/strict";
import { withoutSymbol } from "../support/elf_symbols.ts";
import { builtLayer } from "../support/layer_app.ts";
import { hookCases } from "./hook_cases.ts";

const root = decodeURIComponent(new URL("../../", import.meta.url).pathname);

/** The names that hooks.h exports, aliases included. */
function hookedNames(): string[] {
  return ["hooks", "hooks_files"].flatMap((header) => {
    const text = Deno.readTextFileSync(`${root}layer/${header}.h`);
    // A call begins with its type, an alias with its own name.
    const [calls = "", aliases = ""] = text.split(/#define LAYER_(?:FILES_)?ALIASES/);
    return [
      ...[...calls.matchAll(/^\tX\([\w ]+\*?, (\w+),/gm)].map((match) => match[1] ?? ""),
      ...[...aliases.matchAll(/^\tX\((\w+),/gm)].map((match) => match[1] ?? ""),
    ];
  });
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
    for (const [name, hookCase] of Object.entries(hookCases)) {
      const lacking = `${folder}/without_${name}.so`;
      await withoutSymbol(builtLayer, name, lacking);
      await t.step(`without ${name}`, () => assert.rejects(hookCase(lacking)));
      await Deno.remove(lacking);
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
