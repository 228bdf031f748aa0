// The extension for VS Code, with a stub of the editor, and the compiled binary with a process as the target:
// the switch, a program in a session, its end.

import assert from "node:assert/strict";
import { activate } from "../../editors/vscode/src/extension.ts";
import { until } from "../cluster/command.ts";
import { missingForProcess } from "../support/cases.ts";
import { ask, untilBy } from "../support/client.ts";
import { assertTargetClean } from "../support/postcondition.ts";
import { ProcessStage } from "../support/process_stage.ts";
import { binary } from "../support/program.ts";
import { VscodeStub } from "../support/vscode_stub.ts";

const app = decodeURIComponent(new URL("../apps/local.py", import.meta.url).pathname);
const ignore = missingForProcess() !== null;

/** What launch.json says of a Python program. */
const python = { type: "debugpy", name: "Run", request: "launch", python: "/usr/bin/python3", program: app };

/** An editor whose user has chosen a configuration file with `config`, and turned mirrord on. */
async function withEditor(config: unknown, work: (editor: VscodeStub) => Promise<void>): Promise<void> {
  const folder = Deno.makeTempDirSync({ prefix: "mirrord-vscode-" });
  try {
    const file = `${folder}/mirrord.json`;
    Deno.writeTextFileSync(file, JSON.stringify(config));
    using editor = new VscodeStub({ binaryPath: binary, file });
    activate(editor.context, editor.api);
    editor.picks.push("Select the configuration file", file, "Turn on");
    await editor.run("mirrord.menu");
    await editor.run("mirrord.menu");
    assert.equal(editor.statusBar, "mirrord: on");
    await work(editor);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

Deno.test({
  name: "a program that VS Code starts takes the target's traffic, until it is stopped",
  ignore,
  async fn() {
    await using stage = await ProcessStage.create();
    const identity = await stage.identity();
    const config = {
      target: `process/${stage.pid}`,
      feature: { network: { incoming: "steal" }, env: { unset: "SECRET_TOKEN" } },
    };
    await withEditor(config, async (editor) => {
      const started = await editor.start({ ...python, env: { OWN: "mine" } });
      assert.deepEqual(editor.errors, []);
      assert.ok(started !== undefined);
      assert.deepEqual(editor.steps.slice(0, 2), ["Looking for the target", "Starting the agent"]);
      const env = started["env"] as Record<string, string>;
      const program = new Deno.Command(python.python, { args: [app], env, stdin: "null", stderr: "null" })
        .spawn();
      try {
        const names = ["GREETING", "OWN", "SECRET_TOKEN"].map((name) => `env=${name}`).join("&");
        const report = await untilBy(stage, "local", { path: `/?${names}` });
        assert.deepEqual(report.env, { GREETING: "from-the-target", OWN: "mine", SECRET_TOKEN: null });
        assert.deepEqual(await editor.start(started), started, "a second session for one program");
      } finally {
        program.kill("SIGKILL");
        await program.status;
      }
      editor.stop(started);
      await until("the agent is gone", async () => (await stage.agents()).length === 0 || "it is there", 120);
    });
    await assertTargetClean(stage, identity);
  },
});

Deno.test({
  name: "a program starts without a session where mirrord is off, and not at all where it fails",
  ignore,
  async fn() {
    await using stage = await ProcessStage.create();
    await withEditor({ target: `process/${stage.pid}`, feature: { netwrok: {} } }, async (editor) => {
      for (const other of [{ ...python, request: "attach" }, { ...python, env: { MIRRORD_ACTIVE: "0" } }]) {
        assert.deepEqual(await editor.start(other), other);
      }
      assert.equal(await editor.start(python), undefined);
      const [error = "", ...others] = editor.errors;
      assert.deepEqual(others, []);
      assert.match(error, /^Cannot use "feature\.netwrok".*Did you mean "network"/);
      await editor.run("mirrord.toggle");
      assert.equal(editor.statusBar, "mirrord: off");
      assert.deepEqual(await editor.start(python), python);
    });
    assert.equal((await ask(stage)).by, "original");
    assert.deepEqual(await stage.agents(), []);
  },
});
