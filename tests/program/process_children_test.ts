// Children of the app in a session with a process target, from the compiled binary: what stays in the
// session, what does not and is reported, what is left alone by its name.

import assert from "node:assert/strict";
import { missingForProcess, registerCases } from "../support/cases.ts";
import { ProcessStage } from "../support/process_stage.ts";
import { SessionRun } from "../support/session_run.ts";

const root = decodeURIComponent(new URL("../../", import.meta.url).pathname);
const python = "/usr/bin/python3";
/** Says whether the layer is loaded into a process. */
const layered =
  `${python} -c "print('layer' if 'mirrord_layer' in open('/proc/self/maps').read() else 'bare')" >&2`;

/** A static program called `name` in the run's directory. */
async function staticProgram(folder: string, name: string): Promise<string> {
  const path = `${folder}/${name}`;
  const { success } = await new Deno.Command("gcc", {
    args: ["-static", "-nostdlib", "-O1", "-o", path, `${root}tests/apps/alone.c`],
  }).output();
  assert.ok(success);
  return path;
}

/** Runs the shell command that `command` makes, and resolves with what came to standard error. */
async function said(
  stage: ProcessStage,
  command: (folder: string) => Promise<string> | string,
  flags: string[] = [],
): Promise<string> {
  const folder = Deno.makeTempDirSync({ prefix: "mirrord-children-" });
  try {
    await using run = new SessionRun(stage, { app: ["sh", "-c", await command(folder)], flags });
    const { code, stderr } = await run.finished();
    assert.equal(code, 0, stderr);
    return stderr;
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

const cases = [
  {
    name: "a static child is named once, with the reason",
    run: async (stage: ProcessStage) => {
      const text = await said(stage, async (folder) => {
        const program = await staticProgram(folder, "alone");
        return `${program}; ${program}; ${program}`;
      });
      const lines = text.split("\n").filter((line) => line.includes("runs outside the pod"));
      assert.equal(lines.length, 1, text);
      assert.match(lines[0] ?? "", /\/alone runs outside the pod: it is a static executable$/);
    },
  },
  {
    name: "a build tool that is static is not worth a word",
    run: async (stage: ProcessStage) => {
      const text = await said(stage, (folder) => staticProgram(folder, "cgo"));
      assert.doesNotMatch(text, /outside the pod/);
    },
  },
  {
    name: "a child without an environment has the layer",
    run: async (stage: ProcessStage) => {
      assert.match(await said(stage, () => `env -i ${layered}`), /^layer$/m);
    },
  },
];

registerCases(cases, () => ProcessStage.create(), missingForProcess());
