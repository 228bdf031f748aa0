// What the runner says of commands and of `deno test`, as real ones print it.

import assert from "node:assert/strict";
import { describe, ofCommand, ofTests, sum } from "./outcome.ts";

const deno = Deno.execPath();

async function runTest(
  source: string,
): Promise<{ end: { code: number; signal: string | null }; text: string }> {
  const folder = await Deno.makeTempDir({ prefix: "mirrord-runner." });
  try {
    await Deno.writeTextFile(`${folder}/x_test.ts`, source);
    const { code, signal, stdout } = await new Deno.Command(deno, {
      args: ["test", "-A", "--no-check", "--no-config", "x_test.ts"],
      cwd: folder,
      env: { NO_COLOR: "1" },
      stdin: "null",
      stderr: "null",
    }).output();
    return { end: { code, signal }, text: new TextDecoder().decode(stdout) };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("failed tests are named, with their first words", async () => {
  const { end, text } = await runTest(`
Deno.test("passes", () => {});
Deno.test("fails", () => { throw new Error("boom"); });
Deno.test("steps", (t) => t.step("inner", () => { throw new Error("inside"); }));
Deno.test({ name: "skips", ignore: true, fn() {} });`);
  const outcome = ofTests("x_test.ts", end, text);
  assert.equal(describe(outcome), "1 passed, 2 failed, 1 skipped");
  assert.deepEqual(outcome.failures, [
    "fails => ./x_test.ts:3:6\n    error: Error: boom",
    "steps ... inner => ./x_test.ts:4:29\n    error: Error: inside",
  ]);
});

Deno.test("a file that does not load is one failure, with its name", async () => {
  const { end, text } = await runTest(`throw new Error("at load");`);
  const outcome = ofTests("x_test.ts", end, text);
  assert.equal(outcome.failed, 1);
  assert.equal(outcome.failures.length, 1);
  assert.match(outcome.failures[0] ?? "", /x_test\.ts \(uncaught error\)\n {4}error: .*at load/);
});

Deno.test("a process that is killed is one failure, with the signal", async () => {
  const { end, text } = await runTest(`Deno.test("ends", () => { Deno.kill(Deno.pid, "SIGKILL"); });`);
  assert.deepEqual(ofTests("x_test.ts", end, text), {
    passed: 0,
    failed: 1,
    skipped: 0,
    failures: ["x_test.ts ended with signal SIGKILL: no result"],
    unsteady: [],
  });
});

Deno.test("a run without a test is a failure", () => {
  assert.deepEqual(ofTests("x_test.ts", { code: 0 }, "\nok | 0 passed | 0 failed (0ms)\n").failures, [
    "x_test.ts ended with code 0: no result",
  ]);
});

Deno.test("a failed command is named, with its code and its last words", () => {
  const outcome = ofCommand(
    "cluster.ts up",
    { code: 3 },
    "one\n\nE: No packages found\n\nStack backtrace:\n   0: <unknown>\n",
  );
  assert.deepEqual(outcome.failures, [
    `"cluster.ts up" ended with code 3\n    one\n    E: No packages found`,
  ]);
  assert.equal(describe(sum([outcome, ofCommand("true", { code: 0 }, "")])), "1 passed, 1 failed");
});
