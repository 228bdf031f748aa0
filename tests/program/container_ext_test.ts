// `mirrord container-ext`: an editor runs containers of Debian's podman with the flags that it is told.

import assert from "node:assert/strict";
import { missingForProcess, registerCases } from "../support/cases.ts";
import { steal } from "../support/cases_ext.ts";
import { untilBy } from "../support/client.ts";
import { Containers, missingForContainers } from "../support/containers.ts";
import { Editor } from "../support/editor.ts";
import { errorOf } from "../support/editor_contract.ts";
import { assertClean } from "../support/postcondition.ts";
import { ProcessStage } from "../support/process_stage.ts";
import { userPath } from "../support/program.ts";

const missing = missingForProcess() ?? missingForContainers();

registerCases(
  [{
    name: "an editor runs containers one after the other in one session, with flags that hold no secret",
    async run(stage: ProcessStage) {
      await using containers = await Containers.create(["python"]);
      const identity = await stage.identity();
      const env = { MIRRORD_CONTAINER_USE_RUNTIME: "podman", ...containers.env };
      await using editor = new Editor(stage, { config: steal, command: "container-ext", env });
      const launch = await editor.readyForContainers();
      assert.deepEqual([launch.runtime, launch.uses_operator], ["podman", false]);
      assert.doesNotMatch(launch.extra_args.join(" "), /hidden-in|from-the/);
      for (const user of ["0", "1234"]) {
        const words = containers.python([...launch.extra_args, "--user", user], "tests/apps/local.py");
        const [program = "", ...args] = words;
        const container = new Deno.Command(program, {
          args,
          clearEnv: true,
          env: { PATH: userPath(), HOME: "/root", ...containers.env },
          stdin: "null",
          stdout: "null",
          stderr: "null",
        }).spawn();
        const report = await untilBy(stage, "local", { path: "/?env=GREETING&env=SECRET_TOKEN" });
        assert.deepEqual(report.env, {
          GREETING: "from-the-target",
          SECRET_TOKEN: "hidden-in-the-target",
        });
        container.kill("SIGINT");
        await container.status;
        await untilBy(stage, "original");
      }
      editor.kill("SIGTERM");
      assert.deepEqual(await editor.finished(), { code: 0, stderr: "" });
      await assertClean(editor, identity);
    },
  }, {
    name: "an unknown engine is one line with the nearest",
    async run(stage: ProcessStage) {
      const env = { MIRRORD_CONTAINER_USE_RUNTIME: "podmann" };
      await using editor = new Editor(stage, { config: steal, command: "container-ext", env });
      const { code, stderr } = await editor.finished();
      assert.equal(code, 78);
      assert.match(errorOf(stderr).message, /^Cannot use MIRRORD_CONTAINER_USE_RUNTIME "podmann"/);
      assert.match(errorOf(stderr).help, /podman/);
    },
  }],
  () => ProcessStage.create(),
  missing,
);
