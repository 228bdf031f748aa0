// The target picker of the extension for VS Code, with a stub of the editor and a real cluster: what it
// lists, what the choice starts, and that the target has its traffic again.

import assert from "node:assert/strict";
import { activate } from "../../editors/vscode/src/extension.ts";
import { until } from "../cluster/command.ts";
import { registerCases } from "../support/cases.ts";
import { untilBy } from "../support/client.ts";
import { ClusterStage, missingCluster } from "../support/cluster_stage.ts";
import { assertTargetClean } from "../support/postcondition.ts";
import { binary } from "../support/program.ts";
import { VscodeStub } from "../support/vscode_stub.ts";

const app = decodeURIComponent(new URL("../apps/local.py", import.meta.url).pathname);
const python = { type: "debugpy", name: "Run", request: "launch", python: "/usr/bin/python3", program: app };

/** A program that runs mirrord where the stage's cluster is reached, with the stage's kubeconfig. */
function wrapper(stage: ClusterStage, folder: string): string {
  const exports = [
    `export KUBECONFIG='${stage.kubeconfig}' MIRRORD_TARGET_NAMESPACE='${stage.namespace}'`,
    `export MIRRORD_AGENT_TCP_STEAL_TRAFFIC=true`,
  ];
  const path = `${folder}/mirrord`;
  const run = [...stage.prefix, binary].map((word) => `'${word}'`).join(" ");
  Deno.writeTextFileSync(path, `#!/bin/sh\n${exports.join("\n")}\nexec ${run} "$@"\n`, { mode: 0o755 });
  return path;
}

registerCases<ClusterStage>(
  [{
    name: "without a configuration the user picks the target, and picks it first the next time",
    async run(stage) {
      const identity = await stage.identity();
      const folder = Deno.makeTempDirSync({ prefix: "mirrord-vscode-" });
      try {
        using editor = new VscodeStub({ binaryPath: wrapper(stage, folder), enabledByDefault: true });
        activate(editor.context, editor.api);
        editor.picks.push("app");
        const started = await editor.start(python);
        assert.deepEqual(editor.errors, []);
        assert.ok(started !== undefined);
        assert.ok(editor.offered[0]?.includes("No target"), JSON.stringify(editor.offered));
        const [program = "", ...args] = [...stage.prefix, python.python, app];
        const env = started["env"] as Record<string, string>;
        const child = new Deno.Command(program, { args, env, stdin: "null", stderr: "null" }).spawn();
        try {
          const report = await untilBy(stage, "local", { path: "/?env=GREETING" });
          assert.equal(report.env["GREETING"], "from-the-pod");
        } finally {
          child.kill("SIGKILL");
          await child.status;
        }
        editor.stop(started);
        await until("the agent is gone", async () => (await stage.agents()).length === 0 || "there", 120);
        await editor.run("mirrord.selectTarget");
        assert.equal(editor.offered.at(-1)?.[0], "app");
      } finally {
        Deno.removeSync(folder, { recursive: true });
      }
      await assertTargetClean(stage, identity);
    },
  }],
  () => ClusterStage.create(),
  missingCluster,
);
