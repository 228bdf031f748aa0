// The `request` events of a session on a process of this machine: each stolen and mirrored request is one
// line of JSON, without its query, and requests that the filter leaves to the target have none.

import assert from "node:assert/strict";
import { missingForProcess, registerCases } from "../support/cases.ts";
import { filtered } from "../support/cases_filter.ts";
import { sequence } from "../support/client.ts";
import { withSession } from "../support/postcondition.ts";
import { ProcessStage } from "../support/process_stage.ts";
import { type RunOptions, SessionRun } from "../support/session_run.ts";

const env = { MIRRORD_PROGRESS_MODE: "json" };
const mine = { "X-Developer": "ana", Host: "shop.example:8080" };

/** The `request` lines so far. */
function told(run: SessionRun): Record<string, unknown>[] {
  return run.said().filter((line) => line.startsWith('{"type":"request"')).map((line) => JSON.parse(line));
}

/** Runs the app with `options`, sends requests over one connection, and compares what is reported of them. */
async function tells(stage: ProcessStage, mode: "steal" | "mirror", options: RunOptions): Promise<void> {
  const start = async (): Promise<SessionRun> => {
    const run = await SessionRun.listening(stage, { flags: [], ...options, env: { ...env, ...options.env } });
    await run.until(/"type":"subscribed"/);
    return run;
  };
  await withSession(stage, start, async (run) => {
    const reports = await sequence(stage, [
      { path: "/one?token=secret", headers: mine },
      { path: "/others", headers: { "X-Developer": "bob" } },
      { path: "/two", method: "POST", size: 100_000, chunked: true, headers: mine },
    ]);
    assert.deepEqual(reports.map(({ status }) => status), [200, 200, 200]);
    await run.until(/^\{"type":"request".*"path":"\/two"/);
    const requests = told(run);
    for (const { peer, milliseconds } of requests) {
      assert.match(String(peer), new RegExp(`^${stage.clients.ipv4.replaceAll(".", "\\.")}:\\d+$`));
      assert.ok(typeof milliseconds === "number" && milliseconds >= 0);
    }
    assert.equal(JSON.stringify(requests).includes("secret"), false);
    const facts = requests.map(({ peer: _peer, milliseconds: _milliseconds, ...rest }) => rest);
    const of = (method: string, path: string) => ({
      ...{ type: "request", mode, port: 80, method, host: "shop.example:8080", path, status: 200 },
    });
    const others = { ...of("GET", "/others"), host: stage.hosts.ipv4 };
    const all = [of("GET", "/one"), ...(mode === "mirror" ? [others] : []), of("POST", "/two")];
    assert.deepEqual(facts, all);
  });
}

const cases = [
  {
    name: "each stolen request of a filtered port is a line of JSON",
    run: (stage: ProcessStage) =>
      tells(stage, "steal", { config: filtered({ header_filter: "^x-developer: ana$" }) }),
  },
  {
    name: "each mirrored request is a line of JSON",
    run: (stage: ProcessStage) =>
      tells(stage, "mirror", { config: { feature: { network: { incoming: "mirror" } } } }),
  },
];

registerCases(cases, () => ProcessStage.create(), missingForProcess());
