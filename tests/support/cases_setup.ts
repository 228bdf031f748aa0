// The case list of commands that prepare a session, for every stage: doctor with an agent of its own, and
// init, whose file a session then uses.

import assert from "node:assert/strict";
import { root } from "../../scripts/step.ts";
import type { Case } from "./cases.ts";
import { ask } from "./client.ts";
import { assertTargetClean, withSession } from "./postcondition.ts";
import { runMirrord } from "./program.ts";
import { SessionRun } from "./session_run.ts";

interface Row {
  check: string;
  state: string;
  said: string;
}

export const setupCases: Case[] = [
  {
    name: "doctor finds everything there, measures the link, and leaves nothing",
    async run(stage) {
      const identity = await stage.identity();
      const args = ["doctor", ...stage.targetFlags, "--steal", "--link", "-o", "json"];
      const { code, stdout, stderr } = await runMirrord(args, { prefix: stage.prefix });
      assert.equal(code, 0, stdout + stderr);
      const { checks } = JSON.parse(stdout) as { checks: Row[] };
      const link = checks.find(({ check }) => check === "link");
      assert.equal(link?.state, "ok", stdout);
      assert.match(
        link?.said ?? "",
        /^the agent started in [\d.]+ s on kernel \d\S+; 100 questions: min [\d.]+ ms, average [\d.]+ ms, max [\d.]+ ms$/,
      );
      assert.ok(checks.every(({ state }) => state !== "failed"), stdout);
      await assertTargetClean(stage, identity);
    },
  },
  {
    name: "explain knows the target's port as a session would have it",
    async run(stage) {
      const line = (args: string[]) =>
        runMirrord(["explain", ...stage.targetFlags, ...args], { prefix: stage.prefix });
      const { code, stdout, stderr } = await line(["--steal", "--port-map", "3000:80", "3000"]);
      assert.equal(code, 0, stderr);
      assert.match(stdout, /^port 3000 of the app, on loopback: the target's, the pod's port 80 is stolen /m);
      assert.doesNotMatch(stderr, /are not known/);
      const path = await line(["/data/x"]);
      assert.match(path.stdout, /^file \/data\/x, to read: the target's, feature\.fs\.mode "read"$/m);
    },
  },
  {
    name: "the configuration that init writes is that of the next session",
    async run(stage) {
      const folder = await Deno.makeTempDir();
      try {
        const flags = stage.targetFlags.filter((_, at, all) =>
          all[at - 1] !== "--target" && all[at] !== "--target"
        );
        const args = ["init", ...stage.targetFlags, "--steal"];
        const written = await runMirrord(args, { prefix: stage.prefix, cwd: folder });
        assert.equal(
          written.stdout,
          "Wrote .mirrord/mirrord.json. Now: mirrord exec -- PROGRAM\n",
          written.stderr,
        );
        // The app lies in the working directory: what it imports is this machine's there.
        for (const path of ["tests/apps/local.py", "tests/cluster/apps/app.py"]) {
          await Deno.mkdir(`${folder}/${path.replace(/\/[^/]*$/, "")}`, { recursive: true });
          await Deno.copyFile(root + path, `${folder}/${path}`);
        }
        const app = ["python3", "tests/apps/local.py"];
        const options = { targetFlags: flags, flags: [], cwd: folder, app };
        await withSession(stage, () => SessionRun.listening(stage, options), async (run) => {
          assert.equal((await ask(stage)).by, "local");
          assert.equal(run.said()[0], 'mirrord Using the configuration ".mirrord/mirrord.json"');
        });
      } finally {
        await Deno.remove(folder, { recursive: true });
      }
    },
  },
];
