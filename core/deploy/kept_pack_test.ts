// What is kept between sessions counts for the very file it was made from, and for nobody who can be another.

import assert from "node:assert/strict";
import { identityOf, keep, readKept } from "./kept_pack.ts";

const chunks = [Uint8Array.of(1, 2), Uint8Array.of(10, 3)];

/** A folder with a pack in it. */
async function withPack(work: (folder: string, file: string) => Promise<void>): Promise<void> {
  const parent = await Deno.makeTempDir();
  try {
    const folder = `${parent}/mirrord`;
    await keep("x", "identity", { facts: { size: 7 }, chunks }, folder);
    await work(folder, `${folder}/agent-x.pack`);
  } finally {
    await Deno.remove(parent, { recursive: true });
  }
}

Deno.test("what was kept is read, for that file and that machine alone", () =>
  withPack(async (folder) => {
    const kept = await readKept("x", "identity", folder);
    assert.deepEqual(kept, { facts: { size: 7 }, bytes: Uint8Array.of(1, 2, 10, 3) });
    assert.equal(await readKept("x", "another", folder), null);
    assert.equal(await readKept("y", "identity", folder), null);
    await keep("x", "another", { facts: { size: 8 }, chunks: [] }, folder);
    assert.deepEqual(await readKept("x", "another", folder), { facts: { size: 8 }, bytes: new Uint8Array() });
    assert.deepEqual([...Deno.readDirSync(folder)].map(({ name }) => name), ["agent-x.pack"]);
  }));

const spoilt: [string, (folder: string, file: string) => void][] = [
  ["a file that was cut off", (_, file) => Deno.truncateSync(file, Deno.statSync(file).size - 1)],
  ["a file with other bytes", (_, file) => Deno.writeTextFileSync(file, "more", { append: true })],
  ["a file that others can write", (_, file) => Deno.chmodSync(file, 0o620)],
  ["a folder that others can write", (folder) => Deno.chmodSync(folder, 0o777)],
  ["no file", (_, file) => Deno.removeSync(file)],
];
for (const [name, spoil] of spoilt) {
  Deno.test(`${name} counts as nothing`, () =>
    withPack(async (folder, file) => {
      spoil(folder, file);
      assert.equal(await readKept("x", "identity", folder), null);
    }));
}

Deno.test("a folder that cannot be made is no error", async () => {
  await keep("x", "identity", { facts: {}, chunks }, "/proc/none/mirrord");
  assert.equal(await readKept("x", "identity", "/proc/none/mirrord"), null);
});

Deno.test("a file that was replaced or changed is another", async () => {
  const file = await Deno.makeTempFile();
  try {
    const first = await identityOf(file);
    assert.equal(await identityOf(file), first);
    await Deno.writeTextFile(file, "x");
    assert.notEqual(await identityOf(file), first);
  } finally {
    await Deno.remove(file);
  }
  assert.equal(await identityOf(file), null);
});
