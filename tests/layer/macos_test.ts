// The layer for macOS at work on this machine, in the loader of tests/support/macho: for each call that it
// hooks a case that passes, and fails once that hook is passed over. Nothing here ran on a Mac
// (docs/macos.md).

import assert from "node:assert/strict";
import { buildMacLayer, macLayerPart } from "../../scripts/build_layer.ts";
import { FakeSession } from "../support/fake_session.ts";
import { App, appFor, Calls } from "../support/layer_app.ts";
import { darwinHooks } from "../support/mac_hooks.ts";
import { macHookCases, unrun } from "./macos_hook_cases.ts";
import { carried } from "./macos_outgoing_cases.ts";

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

Deno.test("what a connection carries on macOS arrives", () => carried(layer));

Deno.test("a fork child of an app on macOS has links of its own", async () => {
  await using session = new FakeSession();
  await using app = await Calls.start(session, { layer });
  assert.equal(await app.do("socket 4"), "3");
  await app.do("bind 3 127.0.0.1 100");
  assert.equal(await app.do("fork"), "0");
  const fd = await app.do("socket 4");
  await app.do(`bind ${fd} 127.0.0.1 101`);
  const binds = session.heard.filter(({ name }) => name === "bind");
  assert.equal(new Set(binds.map(({ pid }) => pid)).size, 2);
  assert.equal(new Set(binds.map(({ process }) => process)).size, 2);
  assert.equal(new Set(binds.map(({ link }) => link)).size, 2);
});

for (const call of ["execve", "posix_spawn", "vfork"]) {
  Deno.test(`what macOS would keep the layer out of is replaced before ${call}`, async () => {
    const programs = { "/usr/bin/env": { path: "/bin/echo", words: ["echo", "in", "its", "place:"] } };
    await using session = new FakeSession({ programs });
    const argv = [...await appFor("execs", layer), call, "/usr/bin/env", "one"];
    await using app = new App(session, argv, { layer });
    assert.equal(await app.line(), "in its place: one");
  });
}
