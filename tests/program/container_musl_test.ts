// `mirrord container` with an image that has no glibc, as those of Alpine: its program with musl is hooked.

import assert from "node:assert/strict";
import { exists } from "../cluster/command.ts";
import { missingForProcess } from "../support/cases.ts";
import { ask } from "../support/client.ts";
import { Containers, missingForContainers } from "../support/containers.ts";
import { compileForMusl, muslLoader } from "../support/layer_app.ts";
import { withSession } from "../support/postcondition.ts";
import { ProcessStage } from "../support/process_stage.ts";
import { SessionRun } from "../support/session_run.ts";

Deno.test({
  name: "a program with musl in a container is hooked",
  ignore: missingForProcess() !== null || missingForContainers() !== null || !await exists(muslLoader),
  async fn() {
    const folder = await Deno.makeTempDir({ dir: "/srv", prefix: "mirrord-test-" });
    await using containers = await Containers.create(["shellless"]);
    await using stage = await ProcessStage.create();
    try {
      await Deno.writeTextFile(`${folder}/text`, "of-the-target\n");
      const server = await compileForMusl("musl_server");
      const volumes = [`${await Deno.realPath(muslLoader)}:${muslLoader}:ro`, `${server}:/app/server:ro`];
      const flags = [...volumes.flatMap((volume) => ["--volume", volume]), "--entrypoint", "/app/server"];
      const app = containers.image("shellless", flags, `${folder}/text`);
      const options = { command: "container", env: containers.env, app };
      await withSession(stage, () => SessionRun.listening(stage, options), async () => {
        const { by } = await ask(stage);
        // The image has no shell.
        assert.equal(by, "from-the-target of-the-target none found");
      });
      assert.deepEqual(await containers.names(), []);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});
