// The shared cases of HTTP filters with a process of this machine as the target, and the time in which HTTP
// is detected.

import assert from "node:assert/strict";
import { missingForProcess, registerCases } from "../support/cases.ts";
import { filterCases } from "../support/cases_filter.ts";
import { deadline } from "../support/deadline.ts";
import { ProcessStage } from "../support/process_stage.ts";
import { SessionRun } from "../support/session_run.ts";

const encoder = new TextEncoder();

/** Sends "HELLO", and the end of its line only when mirrord has said that it did not come in time. */
async function hello(stage: ProcessStage): Promise<void> {
  const config = {
    agent: { http_detection_timeout: 1 },
    feature: { network: { incoming: { mode: "steal", http_filter: { header_filter: "x-mine" } } } },
  };
  await using run = await SessionRun.listening(stage, { flags: [], config });
  await run.until(/Stealing port 80/);
  const conn = await Deno.connect({ hostname: stage.hosts.ipv4, port: 80 });
  await conn.write(encoder.encode("HELLO"));
  await run.until(/Cannot filter all of port 80: its peer did not send a whole line in time/);
  await conn.write(encoder.encode("\r\n\r\n"));
  const answer = await deadline(new Response(conn.readable).text(), "the original answers");
  assert.match(answer, /Bad request syntax \(&#x27;HELLO&#x27;\)|Bad request syntax \('HELLO'\)/);
}

const own = [{
  name: "a first message that ends no line within agent.http_detection_timeout is the original's",
  run: hello,
}];

registerCases([...filterCases, ...own], () => ProcessStage.create(), missingForProcess());
