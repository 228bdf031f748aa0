// Servers that answer before they have read the request, and close with much of it unread (413, 401): the
// answer arrives each time, whichever way it goes.

import assert from "node:assert/strict";
import { attempt } from "../cluster/command.ts";
import { missingForProcess, registerCases } from "../support/cases.ts";
import { assertClean } from "../support/postcondition.ts";
import { ProcessStage } from "../support/process_stage.ts";
import { SessionRun } from "../support/session_run.ts";
import { TextLineStream } from "../support/text_lines.ts";

const apps = decodeURIComponent(new URL("../apps/", import.meta.url).pathname);
const server = ["/usr/bin/python3", `${apps}early_answer.py`];
const times = 30;
const whole = "413 9000\n".repeat(times);

/** Posts 30 MB so many times; prints status and size of each answer. */
function posts(host: string, port: number): string[] {
  return ["/usr/bin/python3", `${apps}early_posts.py`, host, String(port), String(times)];
}

const stolen = ([["stolen", {}], ["filtered", { http_filter: { header_filter: "^x-user: me$" } }]] as const)
  .flatMap(([name, filter]) =>
    (["ipv4", "ipv6"] as const).map((family) => ({
      name: `an early answer to a ${name} request arrives over ${family}, ${times} of ${times} times`,
      run: async (stage: ProcessStage) => {
        const identity = await stage.identity();
        await using run = await SessionRun.listening(stage, {
          app: [...server, "::", "80"],
          flags: [],
          config: { feature: { network: { incoming: { mode: "steal", ...filter } }, fs: "local" } },
        });
        const { stdout } = await attempt(posts(stage.hosts[family], 80));
        assert.equal(stdout, whole);
        run.kill("SIGTERM");
        await run.finished();
        await assertClean(run, identity);
      },
    }))
  );

const outgoing = ["127.0.0.1", "::1"].map((host) => ({
  name: `an early answer to a request to ${host} of the target arrives, ${times} of ${times} times`,
  run: async (stage: ProcessStage) => {
    assert.ok(stage.netns !== null);
    const [program = "", ...args] = stage.netns.inside([...server, host, "8413"]);
    const child = new Deno.Command(program, { args, stderr: "piped" }).spawn();
    const lines = child.stderr.pipeThrough(new TextLineStream()).getReader();
    try {
      assert.equal((await lines.read()).value, "listening 8413");
      await using run = new SessionRun(stage, {
        app: posts(host, 8413),
        flags: [],
        config: { feature: { network: { incoming: "off" }, fs: "local" } },
      });
      const { stdout, stderr } = await run.finished(120_000);
      assert.equal(stdout, whole, stderr);
    } finally {
      child.kill("SIGKILL");
      await lines.cancel();
      await child.status;
    }
  },
}));

registerCases([...stolen, ...outgoing], () => ProcessStage.create(), missingForProcess());
