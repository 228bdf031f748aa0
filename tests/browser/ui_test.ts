// The page of `mirrord ui` in Chromium: a session on a process of this machine is listed, its requests,
// paths, names and connections are shown with their reasons, a request's head and body open by a click, and
// the session is stopped there. Text of a peer that is HTML stays text. Screenshots lie in build/screens.

import assert from "node:assert/strict";
import { root } from "../../scripts/step.ts";
import { findProgram, until } from "../cluster/command.ts";
import { missingForProcess, registerCases } from "../support/cases.ts";
import { ask } from "../support/client.ts";
import { deadline } from "../support/deadline.ts";
import { askingSession, PageRun } from "../support/page_stage.ts";
import { withSession } from "../support/postcondition.ts";
import { ProcessStage } from "../support/process_stage.ts";
import { TextLineStream } from "../support/text_lines.ts";
import { whenKilled } from "../support/when_killed.ts";

const chromium = await findProgram("chromium");
const driver = `${root}tests/browser/page_driver.cjs`;
/** For node, as deno.json pins it. */
const playwright = `${root}node_modules/playwright-core`;
const screens = `${root}build/screens`;

/** The driver's steps; `then` is called with each that begins a line. */
async function drive(address: string, then: (step: string) => Promise<void>): Promise<Map<string, string>> {
  await Deno.mkdir(screens, { recursive: true });
  const args = [driver, playwright, chromium ?? "", address, screens];
  const child = new Deno.Command("node", { args, stdin: "null", stdout: "piped", stderr: "inherit" }).spawn();
  await using _end = whenKilled(["kill", String(child.pid)]);
  const steps = new Map<string, string>();
  let last = "";
  const read = async () => {
    for await (const line of child.stdout.pipeThrough(new TextLineStream())) {
      const [, step = "", rest = ""] = /^([A-Za-z]+)(?: (.*))?$/.exec(line) ?? [];
      const isStep =
        /^(listed|request|shown|Connections|Names|Files|filtered|cookies|reloaded|ended|stranger|problems|failed)$/
          .test(step);
      if (isStep) {
        last = step;
        steps.set(step, rest);
        await then(step);
      } else steps.set(last, `${steps.get(last)}\n${line}`);
    }
    return (await child.status).code;
  };
  const code = await deadline(read(), "the browser's walk ends");
  assert.equal(code, 0, [...steps].join("\n"));
  return steps;
}

const cases = [
  {
    name: "the page shows a session in a browser, and ends it",
    run: (stage: ProcessStage) =>
      withSession(stage, () => askingSession(stage), async (run) => {
        await using page = await PageRun.start(run);
        const html = { "X-Odd": "<img src=x onerror=document.title='taken'>", Authorization: "Bearer abc" };
        const steps = await drive(page.address, async (step) => {
          if (step !== "listed") return;
          await run.type("go\n");
          await ask(stage, { path: "/cart?x=1", method: "POST", size: 10, headers: html });
        });
        assert.match(steps.get("listed") ?? "", /^target process\/\d+[^]*ports: 80 stolen \(bound\)/);
        assert.match(steps.get("request") ?? "", /POST\s+\/cart\?x=1\s+200/);
        assert.match(steps.get("shown") ?? "", /Authorization: \(hidden\)/i);
        assert.match(steps.get("shown") ?? "", /X-Odd: <img src=x onerror=/i);
        assert.match(steps.get("shown") ?? "", /body of 10 bytes[^]*HTTP\/1\.\d 200[^]*"by": "local"/);
        assert.match(steps.get("Connections") ?? "", /the target's\s+no rule of feature\.network\.outgoing/);
        assert.match(steps.get("Names") ?? "", /the target's\s+there is no feature\.network\.dns\.filter/);
        assert.match(steps.get("Files") ?? "", /the target's\s+feature\.fs\.mode "read"\s+python3/);
        assert.match(steps.get("cookies") ?? "", /^ ?http:\/\/127\.0\.0\.1:\d+\/$/); // HttpOnly, and no token
        assert.equal(steps.get("reloaded"), "");
        assert.equal(steps.get("stranger"), "0");
        assert.equal(steps.get("problems"), "[]");
        run.interrupted = true; // it needs no further signal
        assert.equal((await run.finished()).code, 143);
        await until("the screenshots are there", async () => {
          const names = (await Array.fromAsync(Deno.readDir(screens))).map(({ name }) => name).sort();
          return names.join() === "connections.png,files.png,names.png,requests.png" || names.join();
        });
      }),
  },
];

registerCases(
  cases,
  () => ProcessStage.create(),
  chromium === null ? "Chromium is not installed" : missingForProcess(),
);
