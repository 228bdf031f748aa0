// What an app reaches past the order of symbols, by which the layer comes before libc: libraries opened with
// their own symbols first or in a namespace of their own, libc by its handle, versions, and the next object
// of one that came late. Each must be asked of the target; the errno is the target's own. The app is
// tests/apps/late.c.

import assert from "node:assert/strict";
import { FakeSession } from "../support/fake_session.ts";
import { App, compileApp, compileLibrary } from "../support/layer_app.ts";
import { OutgoingStage } from "../support/outgoing_stage.ts";

const [host, port] = ["203.0.113.9", "80"];
/** An errno that this machine has no reason to give. */
const [decided, told] = [112, "EHOSTDOWN"];

/** The app's first line, and what the agent was asked. */
async function run(
  argv: string[],
  env: Record<string, string> = {},
): Promise<{ line: string; asked: string[]; rest: string }> {
  await using stage = await OutgoingStage.create({ decide: () => decided });
  const between = env["LD_PRELOAD"];
  const session = {
    env: (layer: string) => {
      const own = stage.env(layer);
      return between === undefined ? own : { ...own, LD_PRELOAD: `${layer}:${between}` };
    },
  };
  await using app = new App(session, argv, { env });
  const line = await app.line();
  const rest = await app.line().catch(() => "");
  return { line, asked: stage.asked, rest };
}

for (const way of ["direct", "handle", "version", "default-version"]) {
  Deno.test(`connect is the layer's when it is found so: ${way}`, async () => {
    const { line, asked } = await run([await compileApp("late"), way, host, port]);
    assert.equal(line, told);
    assert.deepEqual(asked, [`${host} ${port}`]);
  });
}

Deno.test("a name that libc lacks is not found, and dlerror tells", async () => {
  assert.equal((await run([await compileApp("late"), "nothing", host, port])).line, "0 1");
});

const libraries = {
  plain: "the program",
  deepbind: "the library",
  "deepbind-lazy": "the library",
  apart: "the program",
};
for (const [way, name] of Object.entries(libraries)) {
  Deno.test(`a library that is opened late is caught from its constructor on: ${way}`, async () => {
    const argv = [await compileApp("late"), way, host, port, await compileLibrary("late_library")];
    const { line, asked } = await run(argv, { LATE_AT_LOAD: `${host}:${port}` });
    assert.equal(line, `${name} ${told} ${told} ${told} ${told}`);
    assert.equal(asked.length, 4);
    if (way === "apart") return; // its symbols are the program's: that is what it is opened into
    const bare = new Deno.Command(argv[0] ?? "", { args: argv.slice(1) }).outputSync();
    assert.ok(
      new TextDecoder().decode(bare.stdout).startsWith(name),
      "without the layer the order is another",
    );
  });
}

for (const way of ["next", "version", "handle", "number"]) {
  Deno.test(`a preloaded library gets to libc's own and not back to the layer: ${way}`, async () => {
    const env = { LD_PRELOAD: await compileLibrary("between"), BETWEEN: way };
    const { line, asked, rest } = await run([await compileApp("late"), "direct", host, port], env);
    assert.equal(line, told);
    assert.deepEqual(asked, [`${host} ${port}`]);
    assert.match(rest, /^between: [1-9]/);
  });

  Deno.test(`so it does once libc's table is led: ${way}`, async () => {
    const env = { LD_PRELOAD: await compileLibrary("between"), BETWEEN: way };
    const argv = [await compileApp("late"), "deepbind", host, port, await compileLibrary("late_library")];
    const { line, asked, rest } = await run(argv, env);
    assert.equal(line, `the library 0 ${told} ${told} ${told}`);
    assert.equal(asked.length, 3);
    assert.match(rest, /^between: [1-9]/);
  });
}

Deno.test("a library that is opened apart though it is there already is named", async () => {
  await using session = new FakeSession();
  const library = await compileLibrary("late_library");
  await using app = new App(session, [await compileApp("late"), "apart-again", "127.0.0.1", "1", library]);
  assert.match(await app.line(), /^the library 0 /);
  const told = session.heard.filter(({ name }) => name === "unhooked");
  assert.deepEqual(told.map(({ executable }) => executable), [library]);
});

Deno.test("a library with system calls of its own and no need of libc is named; what a Python program loads is not", async () => {
  await using session = new FakeSession();
  const library = await compileLibrary("own_library", ["-nostdlib"]);
  const script = `import ctypes, curses, decimal, json, lzma, sqlite3, ssl, zlib
ctypes.CDLL(${JSON.stringify(library)})
print("done")`;
  await using app = new App(session, ["/usr/bin/python3", "-c", script]);
  assert.equal(await app.line(), "done");
  const told = session.heard.filter(({ name }) => name === "unhooked");
  assert.deepEqual(told.map(({ executable }) => executable), [library]);
});
