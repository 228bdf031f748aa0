// The layer for macOS at work on this machine, in the loader of tests/support/macho: for each call that it
// hooks a case that passes, and fails once that hook is passed over. Nothing here ran on a Mac
// (docs/macos.md).

import assert from "node:assert/strict";
import { buildMacLayer, macLayerPart } from "../../scripts/build_layer.ts";
import { darwinHooks } from "../support/mac_hooks.ts";
import { withoutHook } from "../support/macho.ts";
import { macHookCases, unrun } from "./macos_hook_cases.ts";

const root = decodeURIComponent(new URL("../../", import.meta.url).pathname);
/** The processor whose programs run without an emulator. */
const machine = Deno.build.arch;
const layer = root + macLayerPart(machine);
const names = darwinHooks();
const runs = names.filter((name) => unrun[name] === undefined);

await buildMacLayer();

Deno.test("every call that is hooked on macOS has a case or a reason", () => {
  assert.deepEqual(runs.filter((name) => macHookCases[name] === undefined), []);
  assert.deepEqual(Object.keys(unrun).filter((name) => !names.includes(name)), []);
});

for (const name of names) {
  Deno.test({
    name: `${name} is hooked on macOS${unrun[name] === undefined ? "" : `: ${unrun[name]}`}`,
    ignore: unrun[name] !== undefined,
    fn: () => macHookCases[name]?.(layer),
  });
}

/** Cases that run at a time. */
const sideBySide = 6;

Deno.test("without one of its hooks that hook's case fails", async (t) => {
  const waiting = [...runs];
  const failed = new Set<string>();
  const work = async (): Promise<void> => {
    for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
      const one = name;
      await macHookCases[one]?.(withoutHook(layer, one)).catch(() => failed.add(one));
    }
  };
  await Promise.all(Array.from({ length: sideBySide }, work));
  for (const name of runs) {
    await t.step(`without ${name}`, () => assert.ok(failed.has(name), "it passes without its hook"));
  }
});
