// The extension in a real VS Code (tests/support/code_server.ts), used as a user does, by keys and clicks in
// Chromium, with a process as the target: the switch, the pickers, F5 on a Node and on a Python program, a
// breakpoint that a client's request hits, the target's variables, the end; a configuration that is checked
// and explained while it is edited. Pictures of each step are kept in build/screens.

import assert from "node:assert/strict";
import { schemaText } from "../../core/config/schema.ts";
import { ask } from "../support/client.ts";
import { missingForEditor } from "../support/code_server.ts";
import { debug, EditorFolder } from "../support/editor_folder.ts";
import { ProcessStage } from "../support/process_stage.ts";
import { binary } from "../support/program.ts";
import type { Workbench } from "../support/workbench.ts";

const missing = await missingForEditor();

/** What the list of targets shows: an API server of one namespace that plays only this. */
const ready = { phase: "Running", conditions: [{ type: "Ready", status: "True" }] };
const resources: Record<string, unknown[]> = {
  pods: [{ metadata: { name: "web-1" }, spec: { containers: [{ name: "web" }] }, status: ready }],
  deployments: [{
    metadata: { name: "web" },
    spec: { selector: { matchLabels: {} }, template: { spec: { containers: [{ name: "web" }] } } },
    status: { readyReplicas: 1 },
  }],
  namespaces: ["shop", "web"].map((name) => ({ metadata: { name } })),
};

let api: Deno.HttpServer<Deno.NetAddr> | undefined;
let editor: EditorFolder | undefined;

/** One editor for all tests, and a cluster that can only be listed. */
async function start(): Promise<void> {
  api = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, (request) => {
    const items = resources[new URL(request.url).pathname.replace(/^.*\//, "")];
    return items === undefined ? new Response("{}", { status: 404 }) : Response.json({ items });
  });
  const kubeconfig = {
    "current-context": "here",
    clusters: [{ name: "c", cluster: { server: `http://127.0.0.1:${api.addr.port}` } }],
    contexts: [{ name: "here", context: { cluster: "c", namespace: "shop" } }],
  };
  editor = await EditorFolder.open({ binary, kubeconfig });
}

async function end(): Promise<void> {
  await editor?.[Symbol.asyncDispose]();
  await api?.shutdown();
}

/** A test in a window of its own. */
function inEditor(
  name: string,
  picture: string,
  work: (workbench: Workbench, folder: string) => Promise<void>,
): void {
  Deno.test({
    name: missing === null ? name : `${name} (skipped: ${missing})`,
    ignore: missing !== null,
    // The editor and the browser's driver live longer than one test.
    sanitizeOps: false,
    sanitizeResources: false,
    async fn() {
      const opened = editor ?? assert.fail("there is no editor");
      await opened.inWindow(picture, (workbench) => work(workbench, opened.path));
    },
  });
}

function processTarget({ pid }: ProcessStage): { path: string; greeting: string } {
  return { path: `process/${pid}`, greeting: "from-the-target" };
}

if (missing === null) {
  Deno.test.beforeAll(start);
  Deno.test.afterAll(end);
}

inEditor("Node: off, on, a target from the list, F5, a breakpoint, stop", "node", async (workbench) => {
  await using stage = await ProcessStage.create();
  await workbench.statusBar(/^mirrord: off$/).waitFor();
  await workbench.picture("off");
  await workbench.menu("Turn on");
  await workbench.statusBar(/^mirrord: on$/).waitFor();
  await workbench.menu("Select the target");
  for (const line of [/^web.*deployment/, /^web-1.*pod/, /^No target/, /^Another namespace.*shop/]) {
    await workbench.item(line).waitFor();
  }
  await workbench.picture("targets");
  await workbench.pick("web");
  await workbench.statusBar(/^mirrord: on, deployment\/web$/).waitFor();
  await workbench.menu("Select the target");
  await workbench.pick("Type a target …");
  await workbench.answer(`process/${stage.pid}`);
  await workbench.statusBar(new RegExp(`^mirrord: on, process/${stage.pid}$`)).waitFor();
  await debug(workbench, stage, { ...processTarget(stage), name: "Node", file: "answers.mjs", line: 11 });
});

inEditor("Python: another target, F5, a breakpoint, stop", "python", async (workbench) => {
  await using stage = await ProcessStage.create();
  await workbench.menu("Select the target");
  await workbench.pick("Type a target …");
  await workbench.answer(`process/${stage.pid}`);
  await workbench.menu("Turn on");
  await debug(workbench, stage, { ...processTarget(stage), name: "Python", file: "answers.py", line: 17 });
});

inEditor("off: F5 starts the program on this machine alone", "alone", async (workbench) => {
  await using stage = await ProcessStage.create();
  await workbench.statusBar(/^mirrord: off/).waitFor();
  await workbench.openAt("answers.mjs", 11);
  await workbench.start("Node");
  await workbench.running();
  assert.equal((await ask(stage)).by, "original");
  assert.deepEqual(await stage.agents(), []);
  await workbench.press("stop");
  await workbench.page.locator(".debug-toolbar").waitFor({ state: "hidden" });
});

inEditor("a misspelt key is marked, and a key says what it means", "config", async (workbench, folder) => {
  const text = '{\n  "feature": {\n    "netwrok": {},\n    "hostname": true\n  }\n}\n';
  await Deno.writeTextFile(`${folder}/my-mirrord.json`, text);
  await workbench.openAt("my-mirrord.json", 4);
  await workbench.page.locator(".squiggly-warning, .squiggly-error").first().waitFor();
  await workbench.command("View: Toggle Problems");
  const problems = workbench.page.locator(".markers-panel .monaco-list-row");
  await problems.filter({ hasText: "Property netwrok is not allowed" }).waitFor();
  await problems.filter({ hasText: 'Did you mean "network"?' }).waitFor();
  await workbench.picture("problems");
  await workbench.hover("hostname");
  const { properties } = JSON.parse(schemaText());
  const said = properties.feature.anyOf?.[1]?.properties ?? properties.feature.properties;
  await workbench.page.locator(".monaco-hover-content").filter({ hasText: said.hostname.description })
    .waitFor();
  await workbench.picture("hover");
});
