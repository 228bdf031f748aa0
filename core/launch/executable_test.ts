// What an editor names as its program: refused if it would run outside the pod, and otherwise whatever it is.

import assert from "node:assert/strict";
import { MirrordError } from "../base/errors.ts";
import { checkExecutable } from "./executable.ts";

const none = new Set<string>();

async function inFolder(run: (folder: string) => Promise<void>): Promise<void> {
  const folder = Deno.makeTempDirSync({ prefix: "mirrord-executable-" });
  try {
    await run(folder);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

/** The first bytes of a 64-bit ELF file of this machine without segments (elf(5)). */
function staticProgram(): Uint8Array {
  const head = new Uint8Array(64);
  head.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  head[16] = 2;
  head[18] = Deno.build.arch === "x86_64" ? 62 : 183;
  head[20] = 1;
  head[52] = 64;
  head[54] = 56;
  return head;
}

Deno.test("a program that takes the layer is found, by path or by name", async () => {
  assert.equal(await checkExecutable("/bin/sh", none), "/bin/sh");
  assert.match(await checkExecutable("sh", none), /^\/.*\/sh$/);
  assert.equal(await checkExecutable("", none), "");
});

Deno.test("what no kernel runs is the business of the program that reads it", () =>
  inFolder(async (folder) => {
    Deno.writeTextFileSync(`${folder}/app.js`, "1");
    Deno.writeTextFileSync(`${folder}/module.py`, "1", { mode: 0o755 });
    for (const name of ["app.js", "module.py", "missing", "."]) {
      assert.equal(await checkExecutable(`${folder}/${name}`, none), "", name);
    }
    assert.equal(await checkExecutable("no-such-program-anywhere", none), "");
  }));

Deno.test("a static program is refused, unless its name is skipped", () =>
  inFolder(async (folder) => {
    Deno.writeFileSync(`${folder}/still`, staticProgram(), { mode: 0o755 });
    const refused = await checkExecutable(`${folder}/still`, none).catch((error) => error);
    assert.ok(refused instanceof MirrordError);
    assert.match(refused.message, /is statically linked/);
    assert.equal(refused.exitCode, 126);
    assert.equal(await checkExecutable(`${folder}/still`, new Set(["still"])), `${folder}/still`);
  }));
