// What the runner shows of suites: made-up ones over test files of a temporary folder, run for real.

import assert from "node:assert/strict";
import { exists, root } from "../../scripts/step.ts";
import { ending, runSuites } from "./run_suites.ts";
import { longest, type Suite } from "./suites.ts";

/** The output of a run of `suites` in a folder that holds `files`. */
async function output(suites: Suite[], files: Record<string, string>): Promise<string> {
  const folder = `${await Deno.makeTempDir({ prefix: "mirrord-runner." })}/`;
  try {
    for (const [name, source] of Object.entries(files)) await Deno.writeTextFile(folder + name, source);
    let text = "";
    const total = await runSuites(suites, { root: folder, print: (chunk) => text += chunk });
    return (text + ending(total)).replaceAll(/\((?:\d+ )?\d*m?s\)/g, "(TIME)");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const passes = `Deno.test("passes", () => {});`;

Deno.test("a suite beside the others tells of each file at once, and shows at its end what passed", async () => {
  const text = await output([{ name: "far", beside: true, jobs: 1, tests: ["a_test.ts", "b_test.ts"] }], {
    "a_test.ts": passes,
    "b_test.ts": `Deno.test("fails", () => { throw new Error("boom"); });`,
  });
  const lines = text.split("\n");
  assert.deepEqual(lines.filter((line) => /^(far:|==|running|error: Error)/.test(line)).slice(0, 10), [
    "far: a_test.ts: 1 passed, 0 failed (TIME)",
    ...["running 1 test from ./b_test.ts", "error: Error: boom", "far: b_test.ts: 0 passed, 1 failed (TIME)"],
    "far: b_test.ts: once more, alone",
    ...["running 1 test from ./b_test.ts", "error: Error: boom", "far: b_test.ts: 0 passed, 1 failed (TIME)"],
    "== far",
    "running 1 test from ./a_test.ts",
  ]);
  assert.deepEqual(lines.slice(-7), [
    "== far: 1 passed, 1 failed (TIME)",
    "",
    "What failed:",
    "far: fails => ./b_test.ts:1:6",
    "    error: Error: boom",
    "1 passed, 1 failed",
    "",
  ]);
});

Deno.test("a suite that cannot start names the command, its code and its last words", async () => {
  const fails = ["sh", "-c", "echo 'E: No packages found'; exit 3"];
  const suites: Suite[] = [
    { name: "near", jobs: 2, tests: ["a_test.ts"] },
    {
      name: "far",
      beside: true,
      jobs: 1,
      before: [["true"], fails],
      tests: ["a_test.ts"],
      after: [["true"]],
    },
  ];
  const text = await output(suites, { "a_test.ts": passes });
  assert.match(text, /^E: No packages found$/m);
  assert.deepEqual(text.split("\n").slice(-5), [
    "What failed:",
    `far: "sh -c echo 'E: No packages found'; exit 3" ended with code 3`,
    "    E: No packages found",
    "1 passed, 1 failed",
    "",
  ]);
});

/** Fails in its first run, passes in its second. */
const unsteady = `
  Deno.test("meets another", () => {
    try { Deno.statSync("ran"); } catch { Deno.writeTextFileSync("ran", ""); throw new Error("busy"); }
  });`;

Deno.test("a file that fails beside others and passes alone is named, and its failure is not counted", async () => {
  const text = await output([{ name: "near", jobs: 2, tests: ["a_test.ts", "b_test.ts"] }], {
    "a_test.ts": passes,
    "b_test.ts": unsteady,
  });
  assert.deepEqual(text.split("\n").slice(-6), [
    "",
    "What failed beside other tests, and passed alone:",
    "near: meets another => ./b_test.ts:2:8",
    "    error: Error: busy",
    "2 passed, 0 failed",
    "",
  ]);
});

Deno.test("no second run for a suite whose single failure counts, nor for many failures", async () => {
  const once = await output([{ name: "near", jobs: 1, once: true, tests: ["b_test.ts"] }], {
    "b_test.ts": unsteady,
  });
  assert.match(once, /\n0 passed, 1 failed\n$/);
  const names = ["a", "b", "c", "d", "e"].map((name) => `${name}_test.ts`);
  const many = await output(
    [{ name: "near", jobs: 1, tests: names }],
    Object.fromEntries(names.map((name) => [name, unsteady.replaceAll('"ran"', `"${name}.ran"`)])),
  );
  assert.match(many, /\n0 passed, 5 failed\n$/);
  assert.doesNotMatch(many, /once more/);
});

Deno.test("a suite without tests fails, unless it may be empty", async () => {
  const text = await output(
    [{ name: "none", jobs: 2, tests: ["gone"] }, { name: "may", jobs: 2, tests: [], mayBeEmpty: true }],
    {},
  );
  assert.deepEqual(text.split("\n").slice(-4), [
    "What failed:",
    "none: there are no tests",
    "0 passed, 1 failed",
    "",
  ]);
});

Deno.test("files run side by side, as many as the suite says, and more when it is alone", async () => {
  // Each waits until all three run, and with fewer at a time gives up.
  const meets = `
    import { deadline } from "${root}tests/support/deadline.ts";
    const all = () => [...Deno.readDirSync(".")].filter(({ name }) => name.endsWith(".here")).length === 3;
    Deno.test("meets", async () => {
      using watch = Deno.watchFs(".");
      Deno.writeTextFileSync(Deno.pid + ".here", "");
      while (!all()) await deadline(watch[Symbol.asyncIterator]().next(), "all three run");
    });`;
  const files = ["a_test.ts", "b_test.ts", "c_test.ts"];
  for (const beside of [true, false]) {
    const text = await output([{ name: "one", beside, jobs: 2, jobsAlone: 3, tests: files }], {
      ...Object.fromEntries(files.map((name) => [name, meets])),
    });
    assert.match(text, /\n3 passed, 0 failed\n$/);
  }
});

Deno.test("the list of the longest files names files that are there", () => {
  assert.deepEqual(longest.filter((path) => !exists(root + path)), []);
});
