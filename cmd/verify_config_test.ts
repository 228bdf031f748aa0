// `verify-config` reports about a target what `exec` would report.

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

const main = new URL("../main.ts", import.meta.url).pathname;

/** Runs the command as a program, for what it prints. */
async function print(
  args: string[],
  env: Record<string, string> = {},
): Promise<{ code: number; text: string }> {
  const { code, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", main, "verify-config", ...args],
    env,
  }).output();
  return { code, text: new TextDecoder().decode(stdout) };
}

async function run(...args: string[]): Promise<{ code: number; verdict: unknown }> {
  const { code, text } = await print(args);
  return { code, verdict: JSON.parse(text) };
}

Deno.test("a file that steals may leave the target to --target; each error has its help", async () => {
  const file = await Deno.makeTempFile({ suffix: ".json" });
  try {
    await Deno.writeTextFile(file, '{"feature": {"network": {"incoming": "steal"}}}');
    assert.deepEqual(await print([file]), {
      code: 0,
      text: `"${file}" is usable with --target: it steals and names no target\n`,
    });
    const named = await print([file], { MIRRORD_IMPERSONATED_TARGET: "pod/a" });
    assert.deepEqual(named, { code: 0, text: `"${file}" can be used\n` });
    await Deno.writeTextFile(file, '{"feature": {"copy_target": true},\n"profile": "x",\n"tagret": "pod/a"}');
    const { code, text } = await print([file]);
    assert.equal(code, 78);
    assert.deepEqual(text.replaceAll(` of "${file}"`, "").split("\n"), [
      'error: Cannot use "feature.copy_target" (line 1): copying the target is not supported',
      "  help: Leave the key out.",
      'error: Cannot use "profile" (line 2): profiles belong to an operator, and there is no operator',
      "  help: Leave the key out.",
      'error: Cannot use "tagret" (line 3): there is no such key',
      '  help: Did you mean "target"?',
      "",
    ]);
  } finally {
    await Deno.remove(file);
  }
});

Deno.test("a file for a session without a target says what the app gets", async () => {
  const file = await Deno.makeTempFile({ suffix: ".json" });
  try {
    for (
      const [value, cluster] of [[{}, false], [{ target: "targetless" }, true], [
        { target: { namespace: "n" }, feature: { network: { incoming: "steal" } } },
        false,
      ], [{ kube_context: "c" }, true]]
    ) {
      await Deno.writeTextFile(file, JSON.stringify(value));
      const { stdout } = await new Deno.Command(Deno.execPath(), {
        args: ["run", "-A", "--quiet", main, "verify-config", file],
      }).output();
      const said = new TextDecoder().decode(stdout);
      assert.equal(
        /^Without --target the app has the cluster's network and names/m.test(said),
        cluster,
        said,
      );
    }
  } finally {
    await Deno.remove(file);
  }
});

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
        errors: [`Cannot use "tagret" (line 1 of "${file}"): there is no such key. Did you mean "target"?`],
      }],
      [{ feature: { network: { incoming: "steal" } } }, {
        ...success,
        config: { path: null, namespace: null },
      }],
    ];
    for (const [value, expected] of cases) {
      await Deno.writeTextFile(file, JSON.stringify(value));
      assert.deepEqual(await run("--ide", file), { code: 0, verdict: expected });
    }
    await Deno.writeTextFile(file, "{");
    const broken = await run("--ide", file);
    assert.match(JSON.stringify(broken), /^\{"code":0,"verdict":\{"type":"Fail","errors":\["Cannot read /);
    await Deno.writeTextFile(file, '{"target": "targetless", "feature": {"fs": "write"}}');
    const resolved = await print(["--resolved", file]);
    assert.match(resolved.text, /"resolved_config": \{[^]*"skip_build_tools": true,[^]*"mode": "write"/);
    // What it prints is a file again, as a whole or only its last part, with the same meaning.
    const { resolved_config: part } = JSON.parse(resolved.text);
    for (const text of [resolved.text, JSON.stringify(part)]) {
      await Deno.writeTextFile(file, text);
      assert.deepEqual(await print(["--resolved", file]), resolved);
    }
    await Deno.writeTextFile(file, resolved.text.replace('"skip_build_tools"', '"skip_build_tolls"'));
    assert.match((await print([file])).text, /"skip_build_tolls" \(line \d+ of .*there is no such key/);
  } finally {
    await Deno.remove(file);
  }
});
