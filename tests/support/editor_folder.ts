// A folder with a Node and a Python program in a real VS Code with the extension, and what F5 does there from
// the breakpoint to the end. Used by tests/editors. Microsoft's Python extension is not in a registry that
// tests use: a registration of its debugger, debugpy, stands in for it.

import assert from "node:assert/strict";
import { strToU8 } from "fflate";
import { packageExtension } from "../../scripts/vscode.ts";
import { vsix } from "../../scripts/vsix.ts";
import { until } from "../cluster/command.ts";
import { type Report, untilBy } from "./client.ts";
import { CodeServer } from "./code_server.ts";
import { debugpyPackage } from "./packages.ts";
import { assertTargetClean } from "./postcondition.ts";
import type { Stage } from "./stage.ts";
import { whenKilled } from "./when_killed.ts";
import { Workbench } from "./workbench.ts";

/** Ends the editor, which would write there until it has ended, and removes the folder. */
const removal = `if read -r pid <"$1/pid"; then
  kill "$pid"
  for _ in $(seq 100); do kill -0 "$pid" || break; sleep 0.1; done
fi
rm -rf "$1"`;
const apps = decodeURIComponent(new URL("../apps/", import.meta.url).pathname);

const launch = {
  version: "0.2.0",
  configurations: [
    {
      type: "node",
      request: "launch",
      name: "Node",
      program: "${workspaceFolder}/answers.mjs",
      skipFiles: ["<node_internals>/**"],
    },
    {
      type: "debugpy",
      request: "launch",
      name: "Python",
      python: "/usr/bin/python3",
      program: "${workspaceFolder}/answers.py",
      console: "internalConsole",
    },
  ],
};

/** An extension that registers debugpy's adapter, as Microsoft's does, and nothing else. */
async function debugpyExtension(): Promise<Uint8Array> {
  const manifest = {
    name: "debugpy",
    publisher: "test",
    version: "1.0.0",
    displayName: "debugpy",
    description: "A debugger of Python",
    categories: ["Debuggers"],
    engines: { vscode: "^1.90.0" },
    extensionKind: ["workspace"],
    contributes: {
      breakpoints: [{ language: "python" }],
      debuggers: [{
        type: "debugpy",
        label: "Python",
        runtime: "/usr/bin/python3",
        program: `${await debugpyPackage()}/debugpy/adapter`,
      }],
    },
  };
  return vsix(manifest, new Map([["package.json", strToU8(JSON.stringify(manifest))]]));
}

/** An editor with that folder; disposing ends it, and removes all that it wrote. */
export class EditorFolder implements AsyncDisposable {
  readonly path: string;
  readonly #home: string;
  readonly #server: CodeServer;
  readonly #end: AsyncDisposable;

  private constructor(home: string, server: CodeServer, end: AsyncDisposable) {
    this.#home = home;
    this.path = `${home}/shop`;
    this.#server = server;
    this.#end = end;
  }

  /**
   * `binary`: the mirrord that the extension runs; `kubeconfig`: the content of its file, unless `env` names
   * one; `prefix` puts editor and browser where that belongs.
   */
  static async open(
    { binary, prefix = [], env = {}, kubeconfig = {} }: {
      binary: string;
      prefix?: string[];
      env?: Record<string, string>;
      kubeconfig?: unknown;
    },
  ): Promise<EditorFolder> {
    const home = await Deno.makeTempDir({ prefix: "mirrord-editor-" });
    const end = whenKilled(["sh", "-c", removal, "sh", home]);
    const files: [name: string, text: string | Uint8Array][] = [
      ["shop/.vscode/launch.json", JSON.stringify(launch)],
      ["shop/.mirrord/mirrord.json", JSON.stringify({ feature: { network: { incoming: "steal" } } })],
      ["kubeconfig", JSON.stringify(kubeconfig)],
      ["shop/answers.mjs", await Deno.readTextFile(`${apps}answers.mjs`)],
      ["shop/answers.py", await Deno.readTextFile(`${apps}answers.py`)],
      ["mirrord.vsix", (await packageExtension())[1]],
      ["debugpy.vsix", await debugpyExtension()],
    ];
    for (const [name, text] of files) {
      await Deno.mkdir(`${home}/${name}`.replace(/\/[^/]*$/, ""), { recursive: true });
      await Deno.writeFile(`${home}/${name}`, typeof text === "string" ? strToU8(text) : text);
    }
    const browser = [...prefix, "/usr/bin/chromium"].map((word) => `'${word}'`).join(" ");
    await Deno.writeTextFile(`${home}/chromium`, `#!/bin/sh\nexec ${browser} "$@"\n`, { mode: 0o755 });
    const server = await CodeServer.start(home, {
      extensions: [`${home}/mirrord.vsix`, `${home}/debugpy.vsix`],
      settings: {
        "mirrord.binaryPath": binary,
        "workbench.startupEditor": "none",
        "telemetry.telemetryLevel": "off",
        "extensions.ignoreRecommendations": true,
      },
      env: { KUBECONFIG: `${home}/kubeconfig`, ...env },
      prefix,
    });
    return new EditorFolder(home, server, end);
  }

  /** Works in a window of its own; pictures begin with `picture`, one is kept of what went wrong. */
  async inWindow(picture: string, work: (workbench: Workbench) => Promise<void>): Promise<void> {
    const { path: folder } = this;
    await using workbench = await Workbench.open(this.#server.url, {
      folder,
      name: picture,
      browser: `${this.#home}/chromium`,
    });
    try {
      await work(workbench);
    } catch (error) {
      await workbench.picture("failed");
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server[Symbol.asyncDispose]();
    await Deno.remove(this.#home, { recursive: true });
    await this.#end[Symbol.asyncDispose]();
  }
}

/** The program's answer. An editor that is slow starts it later than one order to the clients waits. */
async function answerOf(stage: Stage): Promise<Report> {
  const order = { path: "/?env=GREETING", timeout: 100 }; // at a breakpoint it waits
  for (let orders = 5; orders > 0; orders--) {
    const report = await untilBy(stage, "local", order).catch(() => null);
    if (report !== null) return report;
  }
  return await untilBy(stage, "local", order);
}

/** From the breakpoint in `file` to the end: what F5 does to a program with the target of `stage`. */
export async function debug(
  workbench: Workbench,
  stage: Stage,
  { name, file, line, start, path, greeting }: {
    name: string;
    file: string;
    line: number;
    /** What the user does once F5 is pressed. */
    start?: () => Promise<void>;
    /** The target, as the view names it. */
    path: string;
    greeting: string;
  },
): Promise<void> {
  const identity = await stage.identity();
  await workbench.openAt(file, line);
  await workbench.key("F9");
  await workbench.start(name);
  await start?.();
  await workbench.running();
  const answer = answerOf(stage);
  answer.catch(() => {}); // awaited below
  await workbench.debugLine("call-stack", new RegExp(`${file}\\s*${line}:`));
  assert.match(await workbench.debugLine("variables", /^env\b.*GREETING/), new RegExp(greeting));
  await workbench.picture("paused");
  await workbench.command("Remove All Breakpoints"); // the next request is not held
  await workbench.press("continue");
  assert.deepEqual((await answer).env, { GREETING: greeting });
  await workbench.openSessions();
  for (const line of [new RegExp(`^${path}`), /^Ports/, /^80.*stolen/]) {
    await workbench.sessionsLine(line);
  }
  await answerOf(stage); // requests are shown from then on
  await workbench.sessionsLine(/^GET \/ → 200/);
  await workbench.picture("session");
  await workbench.press("stop");
  await untilBy(stage, "original");
  await until("the agent is gone", async () => (await stage.agents()).length === 0 || "it is there", 120);
  await assertTargetClean(stage, identity);
  await workbench.page.getByText("No session of mirrord is running.").waitFor();
  await workbench.picture("stopped");
}
