// The case list of sessions for editors, for every stage: the editor starts programs one after the other, and
// the session ends by a signal or with the editor. Registered by tests/e2e/ext_test.ts and
// tests/program/process_ext_test.ts.

import assert from "node:assert/strict";
import type { Case } from "./cases.ts";
import { ask, untilBy } from "./client.ts";
import { deadline } from "./deadline.ts";
import { Editor } from "./editor.ts";
import { errorOf } from "./editor_contract.ts";
import { assertClean, assertTargetClean } from "./postcondition.ts";

const apps = decodeURIComponent(new URL("../apps/", import.meta.url).pathname);
/** A program that serves the stolen port. */
export const python: string[] = ["/usr/bin/python3", `${apps}local.py`];
/** Answers as local.py does, as far as the case reads it. */
const node = ["/usr/bin/node", `${apps}answers.mjs`];
export const steal = { feature: { network: { incoming: "steal" } } };

export const extCases: Case[] = [
  {
    name: "an editor starts programs one after the other in one session, which SIGTERM ends",
    async run(stage) {
      const identity = await stage.identity();
      await using editor = new Editor(stage, { config: steal, flags: ["-e", "/usr/bin/python3"] });
      const launch = await editor.ready();
      assert.equal(editor.directories().length, 1);
      assert.match(launch.environment["LD_PRELOAD"] ?? "", /libmirrord_layer\.so$/);
      assert.deepEqual([launch.patched_path, launch.env_to_unset, launch.uses_operator], [null, [], false]);
      assert.deepEqual(editor.reader.warnings, []);
      assert.ok(editor.reader.infos.some((line) => /incoming \(steal\)/.test(line)), "no configuration");
      assert.equal((await ask(stage)).by, "original");
      const first = editor.start(launch, python);
      const report = await untilBy(stage, "local", { path: "/?env=GREETING" });
      assert.equal(report.pid, first.pid);
      assert.match(report.env["GREETING"] ?? "", /^from-the-/);
      first.kill("SIGKILL");
      await first.status;
      await untilBy(stage, "original"); // no program, and the target has its port
      const second = editor.start(launch, node);
      const again = await untilBy(stage, "local", { path: "/?env=GREETING" });
      assert.equal(again.pid, second.pid);
      assert.equal(again.env["GREETING"], report.env["GREETING"]);
      assert.equal(again.peer, stage.clients.ipv4);
      editor.kill("SIGTERM");
      assert.deepEqual(await editor.finished(), { code: 0, stderr: "" });
      assert.equal((await deadline(second.status, "the program ends with its session")).signal, "SIGTERM");
      await assertClean(editor, identity);
    },
  },
  {
    name: "a session ends with the editor that asked for it, and its programs do",
    async run(stage) {
      const identity = await stage.identity();
      const parent = ["sh", "-c", '"$@" & wait', "sh"];
      await using editor = new Editor(stage, { config: steal, prefix: parent });
      const program = editor.start(await editor.ready(), python);
      await untilBy(stage, "local");
      editor.kill("SIGKILL");
      assert.equal((await editor.finished()).stderr, "");
      assert.equal((await deadline(program.status, "the program ends with its session")).signal, "SIGTERM");
      await assertClean(editor, identity);
    },
  },
  {
    name: "an editor is told which variables to remove, and gets the developer's own over the target's",
    async run(stage) {
      const env = { exclude: "SECRET_*", override: { EXTRA: "of the config" }, unset: ["greeting"] };
      const config = { feature: { env, network: { incoming: "steal" } } };
      const identity = await stage.identity();
      await using editor = new Editor(stage, { config, env: { Greeting: "of this machine" } });
      const launch = await editor.ready();
      assert.deepEqual(launch.env_to_unset, ["greeting", "Greeting"]);
      const names = ["GREETING", "Greeting", "SECRET_TOKEN", "EXTRA"];
      editor.start(launch, python);
      const path = `/?${names.map((name) => `env=${name}`).join("&")}`;
      assert.deepEqual((await untilBy(stage, "local", { path })).env, {
        GREETING: null,
        Greeting: null,
        SECRET_TOKEN: null,
        EXTRA: "of the config",
      });
      editor.kill("SIGINT");
      assert.deepEqual(await editor.finished(), { code: 0, stderr: "" });
      await assertClean(editor, identity);
    },
  },
  {
    name: "a start that fails is one line with what to do",
    async run(stage) {
      const identity = await stage.identity();
      const config = { ...steal, feature: { env: { include: "A", exclude: "B", inclde: "C" } } };
      await using editor = new Editor(stage, { config });
      const { code, stderr } = await editor.finished();
      assert.equal(code, 78);
      const { message, help } = errorOf(stderr);
      assert.match(message, /^Cannot use "feature\.env\.inclde"/);
      assert.match(help, /include/);
      assert.deepEqual(editor.reader.failed, ["mirrord preparing to launch"]);
      await assertTargetClean(stage, identity);
    },
  },
];
