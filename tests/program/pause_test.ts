// A session that stands still for too long (Ctrl-Z, a machine that sleeps): the agent leaves, and the message
// says why.

import assert from "node:assert/strict";
import { until } from "../cluster/command.ts";
import { missingForProcess } from "../support/cases.ts";
import { ProcessStage } from "../support/process_stage.ts";
import { Mirrord } from "../support/program.ts";

const pauseSeconds = 5;

function uptime(): number {
  return parseFloat(Deno.readTextFileSync("/proc/uptime"));
}

Deno.test({
  name: "after a pause that the agent did not wait for, the message names it",
  ignore: missingForProcess() !== null,
  async fn() {
    await using stage = await ProcessStage.create();
    const config = await Deno.makeTempFile({ suffix: ".json" });
    await Deno.writeTextFile(config, JSON.stringify({ agent: { communication_timeout: 1 } }));
    await using run = new Mirrord(["exec", ...stage.targetFlags, "-f", config, "--", "sleep", "1000"]);
    await run.until(/Running sleep/);
    const stopped = uptime();
    run.kill("SIGSTOP");
    await until("the agent has left", async () => {
      const agents = await stage.agents();
      const seconds = uptime() - stopped;
      return agents.length === 0 && seconds > pauseSeconds || `${agents.length} agents after ${seconds} s`;
    }, 30);
    run.kill("SIGCONT");
    const { code, stderr } = await run.finished();
    await Deno.remove(config);
    assert.equal(code, 74);
    const [, seconds] = /the agent is gone after a pause of (\d+) s/.exec(stderr) ?? [];
    assert.ok(Number(seconds) >= pauseSeconds - 2, stderr);
    assert.match(stderr, /mirrord stood still for \d+ s: it was stopped, or the machine slept/);
  },
});
