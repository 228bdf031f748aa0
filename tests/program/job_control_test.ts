// Ctrl-Z and fg, typed at a terminal whose shell has job control: the target has its traffic meanwhile, and
// the session goes on after a pause that would have been the loss of a silent one.

import assert from "node:assert/strict";
import { until } from "../cluster/command.ts";
import { missingForProcess } from "../support/cases.ts";
import { ask, untilBy } from "../support/client.ts";
import { ProcessStage } from "../support/process_stage.ts";
import { Mirrord } from "../support/program.ts";
import { localApp } from "../support/session_run.ts";

const shell = decodeURIComponent(new URL("../apps/job_control.py", import.meta.url).pathname);
/** The agent gives up a silent session after so long. */
const lostSeconds = 5;

function uptime(): number {
  return parseFloat(Deno.readTextFileSync("/proc/uptime"));
}

Deno.test({
  name: "Ctrl-Z gives the target its traffic back, and fg takes it again",
  ignore: missingForProcess() !== null,
  async fn() {
    await using stage = await ProcessStage.create();
    const config = await Deno.makeTempFile({ suffix: ".json" });
    await Deno.writeTextFile(config, JSON.stringify({ agent: { communication_timeout: lostSeconds } }));
    const args = ["exec", ...stage.targetFlags, "--steal", "-f", config, "--", ...localApp];
    await using run = new Mirrord(args, {
      prefix: ["python3", shell],
      env: { TERM: "dumb" },
      stdin: "piped",
    });
    await run.until(/^listening /);
    assert.equal((await ask(stage)).by, "local");

    await run.type("stop\n");
    await run.until(/^job stopped$/);
    const stopped = uptime();
    await run.until(
      /Paused: the target answers new connections of port 80 meanwhile\. The session can be continued/,
    );
    for (let count = 0; count < 3; count++) assert.equal((await ask(stage)).by, "original");
    await until("the pause is longer than a silence may be", async () => {
      const seconds = uptime() - stopped;
      assert.equal((await stage.agents()).length, 1, `the agent left after ${seconds} s`);
      return seconds > 2 * lostSeconds || `${seconds} s`;
    }, 30);

    await run.type("go\n");
    await run.until(
      /Continued after .* s: port 80 is stolen again; the target answered 3 connections meanwhile/,
    );
    await untilBy(stage, "local");
    assert.ok(!run.said().some((line) => /silent|works again/.test(line)), run.said().join("\n"));
    await run.end();
    await Deno.remove(config);
  },
});
