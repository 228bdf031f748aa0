// Programs with musl in a session: they are hooked, and so are the programs with glibc that they start, and
// the other way round.

import assert from "node:assert/strict";
import { exists } from "../cluster/command.ts";
import { missingForProcess } from "../support/cases.ts";
import { ask } from "../support/client.ts";
import { compileForMusl, muslLoader } from "../support/layer_app.ts";
import { withSession } from "../support/postcondition.ts";
import { ProcessStage } from "../support/process_stage.ts";
import { SessionRun } from "../support/session_run.ts";

const ignore = missingForProcess() !== null || !await exists(muslLoader);

for (const started of ["itself", "by a shell"]) {
  Deno.test({
    name: `a server with musl, started ${started}, answers with what is the target's`,
    ignore,
    async fn() {
      const folder = await Deno.makeTempDir({ dir: "/srv", prefix: "mirrord-test-" });
      await using stage = await ProcessStage.create();
      try {
        await Deno.writeTextFile(`${folder}/text`, "of-the-target\n");
        const server = [await compileForMusl("musl_server"), `${folder}/text`];
        const app = started === "itself" ? server : ["sh", "-c", `"$0" "$1"; exit $?`, ...server];
        const config = { feature: { fs: { mode: "read", read_only: [folder] } } };
        await withSession(stage, () => SessionRun.listening(stage, { app, config }), async () => {
          const { by } = await ask(stage);
          assert.equal(by, "from-the-target of-the-target of-the-target found");
        });
      } finally {
        await Deno.remove(folder, { recursive: true });
      }
    },
  });
}
