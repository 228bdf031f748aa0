// The shared cases of sessions for editors with a process of this machine as the target, through the compiled
// binary; and those in which the agent, or mirrord itself, is killed.

import assert from "node:assert/strict";
import { type Case, missingForProcess, registerCases } from "../support/cases.ts";
import { extCases, python, steal } from "../support/cases_ext.ts";
import { untilBy } from "../support/client.ts";
import { deadline } from "../support/deadline.ts";
import { Editor } from "../support/editor.ts";
import { errorOf } from "../support/editor_contract.ts";
import { assertClean } from "../support/postcondition.ts";
import { ProcessStage } from "../support/process_stage.ts";

const killedCases: Case[] = [
  {
    name: "when the session is lost its programs are ended, and the editor is told why",
    async run(stage) {
      const identity = await stage.identity();
      await using editor = new Editor(stage, { config: steal });
      const program = editor.start(await editor.ready(), python);
      await untilBy(stage, "local");
      for (const pid of await stage.agents()) Deno.kill(pid, "SIGKILL");
      const { code, stderr } = await editor.finished();
      assert.equal(code, 74);
      assert.match(errorOf(stderr).message, /agent/);
      assert.equal((await deadline(program.status, "the program ends with its session")).signal, "SIGTERM");
      await assertClean(editor, identity);
    },
  },
  {
    name: "when mirrord is killed nothing of the session is left, and the program has no pod any more",
    async run(stage) {
      const identity = await stage.identity();
      await using editor = new Editor(stage, { config: steal });
      const program = editor.start(await editor.ready(), python);
      await untilBy(stage, "local");
      editor.kill("SIGKILL");
      await editor.finished();
      await untilBy(stage, "original");
      program.kill("SIGKILL");
      await program.status;
      await assertClean(editor, identity);
    },
  },
];

registerCases([...extCases, ...killedCases], () => ProcessStage.create(), missingForProcess());
