// Every hook is needed: for each line of layer/hooks.h there is a case that passes with the layer and fails
// with a layer which does not export that one name.

import assert from "node:assert/strict";
import { withoutSymbol } from "../support/elf_symbols.ts";
import { builtLayer } from "../support/layer_app.ts";
import { hookCases } from "./hook_cases.ts";

const root = decodeURIComponent(new URL("../../", import.meta.url).pathname);

/** The names that hooks.h exports with glibc, aliases included. */
function hookedNames(): string[] {
  return ["hooks", "hooks_files"].flatMap((header) => {
    const text = Deno.readTextFileSync(`${root}layer/${header}.h`)
      .replace(/^#define LAYER_\w+_(?:DARWIN|MUSL)_(?:HOOKS|ALIASES)\(X\)(?:.*\\\n)*.*\n/gm, "");
    // A call begins with its type, an alias with its own name.
    const [calls = "", aliases = ""] = text.split(/#define LAYER_(?:FILES_LINUX|GLIBC)_ALIASES/);
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

/** Cases that run at a time. */
const sideBySide = 6;

Deno.test("a layer without one of its hooks fails that hook's case", async (t) => {
  const folder = await Deno.makeTempDir();
  try {
    // Side by side: some fail only when their deadline has passed.
    const waiting = Object.entries(hookCases);
    const failed = new Set<string>();
    const work = async (): Promise<void> => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        const [name, hookCase] = next;
        const lacking = `${folder}/without_${name}.so`;
        await withoutSymbol(builtLayer, name, lacking);
        await hookCase(lacking).catch(() => failed.add(name));
        await Deno.remove(lacking);
      }
    };
    await Promise.all(Array.from({ length: sideBySide }, work));
    for (const name of Object.keys(hookCases)) {
      await t.step(`without ${name}`, () => assert.ok(failed.has(name), "it passes without its hook"));
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
