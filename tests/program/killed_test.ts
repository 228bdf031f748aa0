// A test's process that is killed disposes of nothing, and nothing stays: no network namespace, no target, no
// session and no agent.

import assert from "node:assert/strict";
import { exists } from "../../scripts/step.ts";
import { until } from "../cluster/command.ts";
import { missingForProcess } from "../support/cases.ts";
import { deadline } from "../support/deadline.ts";
import { TextLineStream } from "../support/text_lines.ts";

const support = new URL("../support/", import.meta.url);
/** What such a process does: a stage, a session on it, and a target with files. */
const script = `
import { FileTarget } from "${support}file_target.ts";
import { ProcessStage } from "${support}process_stage.ts";
import { SessionRun } from "${support}session_run.ts";
const stage = await ProcessStage.create();
const run = await SessionRun.listening(stage);
const files = await FileTarget.create();
const pids = [stage.pid, stage.netns.pid, run.pid, await run.appPid(), files.pid, ...await stage.agents()];
console.log(JSON.stringify({ netns: stage.netns.name, pids, folder: run.folder }));
await new Promise(() => {});
`;

const ignore = missingForProcess() !== null;

Deno.test("nothing stays of a test's process that is killed", { ignore }, async () => {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["eval", "--no-check", "--ext=ts", `setTimeout(() => {}, 60_000);${script}`],
    cwd: new URL("../../", import.meta.url).pathname,
    stdin: "null",
    stdout: "piped",
  }).spawn();
  const lines = child.stdout.pipeThrough(new TextLineStream()).getReader();
  const { value = "" } = await deadline(lines.read(), "the stage stands");
  const made = JSON.parse(value) as { netns: string; pids: number[]; folder: string };
  assert.ok(made.pids.length >= 6 && made.pids.every((pid) => exists(`/proc/${pid}`)), value);
  assert.ok(exists(`/run/netns/${made.netns}`));
  child.kill("SIGKILL");
  await child.status;
  await until("all is gone", () => {
    const left = [`/run/netns/${made.netns}`, ...made.pids.map((pid) => `/proc/${pid}`)].filter(exists);
    return Promise.resolve(left.length === 0 || left.join(" "));
  }, 20);
  await lines.cancel();
  await Deno.remove(made.folder, { recursive: true });
});
