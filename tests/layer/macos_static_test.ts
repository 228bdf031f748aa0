// The layer for macOS as a file: what dyld needs of it, and that its table of hooks is whole. Nothing of it
// runs here; macos_test.ts runs it on this machine. Apple's list of names is zig's (libSystem.tbd).

import assert from "node:assert/strict";
import { buildMacLayer } from "../../scripts/build_layer.ts";
import { zig } from "../../scripts/tools.ts";
import { exportsOf } from "../support/libsystem.ts";
import { type MacFile, partsOf, readMacFile } from "../support/macho_file.ts";
import { darwinHooks } from "../support/mac_hooks.ts";

const root = decodeURIComponent(new URL("../../", import.meta.url).pathname);
const processors: Record<number, string> = { 0x01000007: "x86_64", 0x0100000c: "arm64" };

/**
 * Names that the headers gave the calls with 32-bit inode numbers before macOS 10.6: nothing calls them now.
 */
function isAncient(name: string, all: Set<string>): boolean {
  return all.has(`${name}$INODE64`);
}

await buildMacLayer();
const tbd = (await zig()).replace(/zig$/, "lib/libc/darwin/libSystem.tbd");
const parts = partsOf(await Deno.readFile(`${root}core/launch/layer_macos.dylib`));
const layers = new Map<string, MacFile>();
for (const part of parts) {
  const file = await readMacFile(part.slice());
  layers.set(processors[file.processor] ?? String(file.processor), file);
}

Deno.test("the layer for macOS is one file for both processors", () => {
  assert.deepEqual([...layers.keys()], ["x86_64", "arm64"]);
});

for (const [processor, layer] of layers) {
  const known = exportsOf(await Deno.readTextFile(tbd), `${processor}-macos`);
  const paired = layer.binds.filter(({ section }) => section === "__interpose").map(({ name }) => name);

  Deno.test(`${processor}: a library for macOS 11 and newer that needs libSystem alone`, () => {
    assert.equal(layer.kind, 6);
    assert.equal(layer.platform, 1);
    assert.equal(layer.minimum, 1100);
    assert.deepEqual(layer.libraries, ["/usr/lib/libSystem.B.dylib"]);
  });

  Deno.test(`${processor}: libSystem exports every name that the layer needs`, () => {
    assert.ok(layer.binds.length > 100);
    const unknown = layer.binds.filter(({ name }) => !known.has(name) && name !== "dyld_stub_binder");
    assert.deepEqual(unknown.map(({ name }) => name), []);
  });

  Deno.test(`${processor}: every call of hooks.h is hooked under each of its names, and once`, () => {
    const wanted = darwinHooks().flatMap((call) =>
      [...known].filter((name) =>
        (name === `_${call}` || name.startsWith(`_${call}$`)) && !isAncient(name, known)
      )
    );
    assert.deepEqual([...paired].sort(), wanted.sort());
  });

  Deno.test(`${processor}: a hook of a name that only some versions of macOS have is passed over elsewhere`, () => {
    const twins = layer.binds.filter(({ section, name }) => section === "__interpose" && name.includes("$"));
    assert.ok(twins.length > 20);
    const strong = twins.filter(({ weak, name }) => !weak && !/\$(INODE64|1050|DARWIN_EXTSN)$/.test(name));
    assert.deepEqual(strong.map(({ name }) => name), []);
  });
}

Deno.test("the part for arm64 is signed, page by page", () => {
  const signed = layers.get("arm64")?.signed;
  assert.ok(signed && signed.pages > 10);
  assert.equal(signed.wrong, 0);
});
