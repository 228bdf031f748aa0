// The same program in the pod and, with the pod's conditions, on this machine: the end-to-end tests compare
// what the two print. The one in the pod gets its text through standard input, so no image holds it.

import assert from "node:assert/strict";
import { kubectl } from "../cluster/access.ts";
import type { ClusterStage } from "./cluster_stage.ts";
import { type RunOptions, SessionRun } from "./session_run.ts";

const apps = decodeURIComponent(new URL("../apps", import.meta.url).pathname);

/** Interpreters of this machine by the ending of what they run; the images have them at the same places. */
const interpreters: Record<string, string> = { py: "/usr/bin/python3", cjs: "/usr/bin/node" };

/** A program of tests/apps with its arguments. */
export interface Script {
  file: string;
  args: string[];
}

function interpreterOf(file: string): string {
  const found = interpreters[file.split(".").at(-1) ?? ""];
  assert.ok(found !== undefined, file);
  return found;
}

/** Runs it in a container of the stage ("POD", "deployment/NAME", with "--container=C"); its lines. */
export async function linesInPod(stage: ClusterStage, place: string[], script: Script): Promise<string[]> {
  const stdin = await Deno.readTextFile(`${apps}/${script.file}`);
  const argv = ["exec", "--stdin", ...place, "--", interpreterOf(script.file), "-", ...script.args];
  return lines(await kubectl(["--namespace", stage.namespace, ...argv], { stdin }));
}

/** Runs it here under mirrord, to its end, which must be a good one; its lines. */
export async function linesHere(
  stage: ClusterStage,
  script: Script,
  options: RunOptions = {},
): Promise<string[]> {
  const app = [interpreterOf(script.file), script.file, ...script.args];
  await using run = new SessionRun(stage, { flags: [], ...options, app, cwd: apps });
  const { code, stdout, stderr } = await run.finished();
  assert.equal(code, 0, `${stdout}\n${stderr}`);
  return lines(stdout);
}

function lines(text: string): string[] {
  return text.trimEnd().split("\n");
}
