// `verify-config` says of a target what `exec` would say of it.

import assert from "node:assert/strict";
import { TargetError } from "../core/base/errors.ts";
import { verifyConfig } from "./verify_config.ts";

Deno.test("a target that no session could have is refused", async () => {
  const file = await Deno.makeTempFile({ suffix: ".json" });
  try {
    for (const target of ["statefulset/db", "nonsense", "pod/Big_Name"]) {
      await Deno.writeTextFile(file, JSON.stringify({ target }));
      await assert.rejects(verifyConfig({ name: "verify-config", file }), (error) => {
        assert.ok(error instanceof TargetError);
        assert.equal(error.exitCode, 78);
        return true;
      });
    }
  } finally {
    await Deno.remove(file);
  }
});

/** Runs the command as a program, for what it prints. */
async function run(...args: string[]): Promise<{ code: number; verdict: unknown }> {
  const main = new URL("../main.ts", import.meta.url).pathname;
  const { code, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", main, "verify-config", ...args],
  }).output();
  return { code, verdict: JSON.parse(new TextDecoder().decode(stdout)) };
}

Deno.test("an editor gets its verdict in JSON and 0, whatever the verdict", async () => {
  const file = await Deno.makeTempFile({ suffix: ".json" });
  const types = ["targetless", "pod", "deployment"];
  const success = { type: "Success", warnings: [], compatible_target_types: types };
  try {
    const cases: [unknown, unknown][] = [
      [{}, { ...success, config: { path: null, namespace: null } }],
      [{ target: "targetless" }, { ...success, config: { path: "targetless", namespace: null } }],
      [{ target: { path: "deploy/x/container/c", namespace: "n" } }, {
        ...success,
        config: { path: { deployment: "x", container: "c" }, namespace: "n" },
      }],
      [{ tagret: "pod/a" }, {
        type: "Fail",
        errors: [`Cannot use "tagret" (line 1 of "${file}"): there is no such key`],
      }],
    ];
    for (const [value, expected] of cases) {
      await Deno.writeTextFile(file, JSON.stringify(value));
      assert.deepEqual(await run("--ide", file), { code: 0, verdict: expected });
    }
    await Deno.writeTextFile(file, "{");
    const broken = await run("--ide", file);
    assert.match(JSON.stringify(broken), /^\{"code":0,"verdict":\{"type":"Fail","errors":\["Cannot read /);
    await Deno.writeTextFile(file, '{"target": "pod/a"}');
    const { verdict } = await run("--resolved", file);
    assert.match(JSON.stringify(verdict), /"resolved_config":\{.*"files":\{"mode":"read"/);
  } finally {
    await Deno.remove(file);
  }
});
