// The layer for macOS of both processors, in the loader of tests/support/macho: every hooked call's case
// passes, and fails once that hook is passed over. The other processor's programs run in qemu-user. Not
// part of a plain ./dev test; tests/layer/macos_test.ts is.

import assert from "node:assert/strict";
import { buildMacLayer, macLayerPart } from "../../scripts/build_layer.ts";
import { macHookCases, unrun } from "../layer/macos_hook_cases.ts";
import { carried } from "../layer/macos_outgoing_cases.ts";
import { darwinHooks } from "../support/mac_hooks.ts";
import { type MacMachine, withoutHook } from "../support/macho.ts";

const root = decodeURIComponent(new URL("../../", import.meta.url).pathname);
const native = Deno.build.arch;
const machines: MacMachine[] = ["x86_64", "aarch64"];
const runs = darwinHooks().filter((name) => unrun[name] === undefined);
/** Cases that run at a time. */
const sideBySide = 6;

await buildMacLayer();

/** Whether programs of that processor run here, and otherwise why not. */
function obstacle(machine: MacMachine): string | null {
  if (machine === native) return null;
  const found = [`/usr/bin/qemu-${machine}`, `/usr/${machine}-linux-gnu/lib`].every((path) => {
    try {
      return Deno.statSync(path) !== null;
    } catch {
      return false;
    }
  });
  return found
    ? null
    : `needs qemu-user and the C library of ${machine} (libc6-arm64-cross, libc6-amd64-cross)`;
}

/** Runs `each` for every hooked call, several at a time; the calls whose case failed, and why. */
async function failures(each: (name: string) => Promise<void> | undefined): Promise<Map<string, unknown>> {
  const waiting = [...runs];
  const failed = new Map<string, unknown>();
  const work = async (): Promise<void> => {
    for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
      const one = name;
      await each(one)?.catch((error) => failed.set(one, error));
    }
  };
  await Promise.all(Array.from({ length: sideBySide }, work));
  return failed;
}

for (const machine of machines) {
  const layer = root + macLayerPart(machine);
  const reason = obstacle(machine);
  const title = `${machine}${reason === null ? "" : `: ${reason}`}`;

  Deno.test({ name: `what is hooked is hooked, ${title}`, ignore: reason !== null }, async (t) => {
    const failed = await failures((name) => macHookCases[name]?.(layer));
    for (const name of runs) {
      await t.step(name, () => {
        if (failed.has(name)) throw failed.get(name);
      });
    }
    await t.step("what a connection carries", () => carried(layer));
  });

  Deno.test({ name: `a case fails without its hook, ${title}`, ignore: reason !== null }, async (t) => {
    const failed = await failures((name) => macHookCases[name]?.(withoutHook(layer, name)));
    for (const name of runs) {
      await t.step(`without ${name}`, () => assert.ok(failed.has(name), "it passes without its hook"));
    }
  });
}
