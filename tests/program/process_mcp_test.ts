// `mirrord mcp` by the official SDK's own client, with a process of this machine as the target: what an agent
// can do, what is refused, and that nothing outlives its connection.

import assert from "node:assert/strict";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { until } from "../cluster/command.ts";
import { type Case, missingForProcess, registerCases } from "../support/cases.ts";
import { ask, untilBy } from "../support/client.ts";
import { assertTargetClean } from "../support/postcondition.ts";
import { ProcessStage } from "../support/process_stage.ts";
import { binary, Mirrord, userPath } from "../support/program.ts";
import { localApp } from "../support/session_run.ts";

interface Called {
  isError: boolean;
  text: string;
  /** The text, where that is JSON. */
  value: never;
}

/** An agent's connection, in a folder with a configuration, unless that is null. */
class Agent implements AsyncDisposable {
  readonly folder: string;
  readonly #client = new Client({ name: "test", version: "1.0.0" });
  readonly #transport: StdioClientTransport;

  private constructor(folder: string, flags: string[], env: Record<string, string>) {
    this.folder = folder;
    this.#transport = new StdioClientTransport({
      command: binary,
      args: ["mcp", ...flags],
      cwd: folder,
      env: { PATH: userPath(), HOME: folder, XDG_RUNTIME_DIR: folder, NO_COLOR: "1", ...env },
      stderr: "ignore",
    });
  }

  static async connect(
    config: unknown,
    flags: string[] = [],
    env: Record<string, string> = {},
  ): Promise<Agent> {
    const folder = await Deno.makeTempDir({ prefix: "mirrord-run-" });
    if (config !== null) await Deno.writeTextFile(`${folder}/config.json`, JSON.stringify(config));
    const agent = new Agent(folder, [...(config === null ? [] : ["-f", "config.json"]), ...flags], env);
    await agent.#client.connect(agent.#transport);
    return agent;
  }

  async tools(): Promise<string[]> {
    return (await this.#client.listTools()).tools.map(({ name }: { name: string }) => name);
  }

  async call(name: string, args: Record<string, unknown> = {}): Promise<Called> {
    const result = await this.#client.callTool({ name, arguments: args });
    const [{ text }] = result.content as [{ text: string }];
    const isJson = /^[[{]/.test(text);
    return { isError: result.isError === true, text, value: (isJson ? JSON.parse(text) : null) as never };
  }

  /** As a client that does not wait for its server's end. */
  kill(): void {
    Deno.kill(this.#transport.pid ?? assert.fail("there is no server"), "SIGKILL");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client.close();
    await Deno.remove(this.folder, { recursive: true });
  }
}

/** What the client leaves behind. */
const leaves = {
  // Its close() starts a timer of two seconds that it never stops.
  sanitizeOps: false,
  sanitizeResources: false,
};
const stealing = { network: { incoming: "steal" } };

/** Runs `work` with an agent, and looks at what its connection left at the target. */
async function connected(
  stage: Parameters<Case["run"]>[0],
  { feature, flags = [] }: { feature?: unknown; flags?: string[] },
  work: (agent: Agent) => Promise<void>,
): Promise<void> {
  const identity = await stage.identity();
  const config = { target: stage.targetFlags[1], ...(feature === undefined ? {} : { feature }) };
  {
    await using agent = await Agent.connect(config, flags);
    await work(agent);
  }
  await assertTargetClean(stage, identity);
}

const cases: Case[] = [
  {
    name: "an agent runs a command as the target and gets its output and exit code",
    run: (stage) =>
      connected(stage, {}, async (agent) => {
        assert.deepEqual((await agent.tools()).sort(), [
          ...["doctor", "explain", "list_targets", "output", "recent", "run", "sessions", "stop"],
        ]);
        const script = "echo $GREETING; echo wrong >&2; exit 3";
        const { value, isError } = await agent.call("run", { command: ["sh", "-c", script] });
        const { exitCode, stdout, stderr, timedOut } = value as Record<string, unknown>;
        assert.deepEqual({ exitCode, stdout, timedOut, isError }, {
          ...{ exitCode: 3, stdout: "from-the-target\n", timedOut: false, isError: false },
        });
        assert.match(String(stderr), /^wrong$/m);
        const late = await agent.call("run", { command: ["sleep", "1000"], timeoutSeconds: 1 });
        const ended = late.value as Record<string, unknown>;
        assert.deepEqual([ended["exitCode"], ended["timedOut"]], [143, true]);
        const explained = await agent.call("explain", { what: "/data/shop.db" });
        assert.equal((explained.value as { whose: string }[])[0]?.whose, "the target's");
        const checked = await agent.call("doctor");
        assert.ok(
          (checked.value as { checks: { check: string }[] }).checks.some(({ check }) => check === "target"),
        );
        const missing = await agent.call("run", { command: ["no-such-program"] });
        assert.equal((missing.value as { exitCode: number }).exitCode, 127);
      }),
  },
  {
    name: "a server in the background has the traffic, its requests are told, and it is stopped",
    run: (stage) =>
      connected(stage, { feature: stealing }, async (agent) => {
        const started = await agent.call("run", {
          command: [...localApp, "secret-argument"],
          background: true,
        });
        const { run, pid } = started.value as { run: number; pid: number };
        await untilBy(stage, "local");
        await until("the session is watched", async () => {
          await ask(stage, { path: "/cart?token=x", headers: { "X-One": "y" } });
          const { text } = await agent.call("recent");
          return text.includes('"/cart"') || text;
        });
        const plain = await agent.call("recent");
        assert.doesNotMatch(plain.text, /token=x|X-One/);
        const whole = await agent.call("recent", { bodies: true, limit: 1 });
        assert.match(whole.text, /token=x[^]*X-One: y[^]*\\"by\\": \\"local\\"/);
        const sessions = await agent.call("sessions");
        assert.doesNotMatch(sessions.text, /secret-argument/);
        const found = (sessions.value as Record<string, unknown>[]).find((one) => one["pid"] === pid);
        assert.equal(found?.["program"], "python3");
        assert.match((await agent.call("output", { run })).text, /listening/);
        const stopped = await agent.call("stop", { run });
        assert.equal((stopped.value as { exitCode: number }).exitCode, 143);
        await untilBy(stage, "original");
        assert.match((await agent.call("stop", { run: 99 })).text, /Cannot find run 99/);
      }),
  },
  {
    name: "what an agent left running ends with its connection",
    run: (stage) =>
      connected(stage, { feature: stealing }, async (agent) => {
        await agent.call("run", { command: localApp, background: true });
        await untilBy(stage, "local");
      }),
  },
  {
    name: "what an agent left running ends with mirrord mcp that is killed",
    run: (stage) =>
      connected(stage, { feature: stealing }, async (agent) => {
        await agent.call("run", { command: localApp, background: true });
        await untilBy(stage, "local");
        agent.kill();
        await untilBy(stage, "original");
      }),
  },
  {
    name: "a program that does not end when it is stopped is killed, and its session ends in order",
    run: (stage) =>
      connected(stage, {}, async (agent) => {
        const command = ["sh", "-c", "trap '' TERM; echo $$; while :; do sleep 1000; done"];
        const started = await agent.call("run", { command, background: true });
        const { run } = started.value as { run: number };
        let pid = "";
        await until("the program runs", async () => {
          const { value, text } = await agent.call("output", { run });
          pid = (value as { stdout: string }).stdout.trim();
          return pid !== "" || text;
        });
        const stopped = await agent.call("stop", { run });
        assert.equal((stopped.value as { exitCode: number }).exitCode, 137);
        await assert.rejects(Deno.stat(`/proc/${pid}`), Deno.errors.NotFound);
      }),
  },
  {
    name: "stealing that a flag of the start allows is possible where the configuration mirrors",
    run: (stage) =>
      connected(stage, { flags: ["--steal"] }, async (agent) => {
        await agent.call("run", { command: localApp, background: true, steal: true });
        await untilBy(stage, "local");
      }),
  },
  {
    name: "another target, stealing, and a configuration that the agent wrote are refused",
    run: (stage) =>
      connected(stage, {}, async (agent) => {
        const command = ["true"];
        const refused = async (args: Record<string, unknown>, message: RegExp) => {
          const { isError, text } = await agent.call("run", { command, ...args });
          assert.ok(isError, text);
          assert.match(text, message);
        };
        await refused(
          { target: "process/1" },
          /^Cannot use "process\/1": allowed is process\/\d+\n.*--target/,
        );
        await refused({ steal: true }, /^Cannot steal: the configuration mirrors\n.*--steal/);
        await refused({ target: "nonsense" }, /Cannot use .*"nonsense"/);
        const config = { target: stage.targetFlags[1], feature: stealing };
        await Deno.writeTextFile(`${agent.folder}/config.json`, JSON.stringify(config));
        await refused({}, /^Cannot go on: the configuration has changed since mirrord mcp was started\n/);
        assert.ok((await agent.call("explain", { what: "80" })).isError);
      }),
  },
];

registerCases(cases, () => ProcessStage.create(), missingForProcess());

Deno.test({
  name: "without a target nothing is run; a flag of the start allows one",
  ...leaves,
  async fn() {
    {
      await using agent = await Agent.connect({});
      const { isError, text } = await agent.call("run", { command: ["true"] });
      assert.ok(isError);
      assert.match(text, /^Cannot run a program: no target is allowed\n/);
    }
    await using agent = await Agent.connect({}, ["--target", "targetless"]);
    const { value } = await agent.call("run", { command: ["sh", "-c", "exit 4"] });
    const nowhere = await agent.call("run", { command: ["true"], directory: "/no/such/folder" });
    assert.ok(nowhere.isError);
    assert.match(nowhere.text, /^Cannot run in "\/no\/such\/folder": there is no such folder$/);
    assert.equal((value as { exitCode: number }).exitCode, 4);
  },
});

Deno.test({
  name: "a folder that a program is to run in decides neither its configuration nor its cluster",
  ...leaves,
  async fn() {
    const other = await Deno.makeTempDir({ prefix: "mirrord-run-" });
    try {
      await Deno.mkdir(`${other}/.mirrord`);
      const config = JSON.stringify({ feature: { env: { override: { FROM: "the folder" } } } });
      for (const name of [".mirrord/mirrord.json", "config.json"]) {
        await Deno.writeTextFile(`${other}/${name}`, config);
      }
      await Deno.writeTextFile(`${other}/kubeconfig`, "{}");
      const order = { command: ["sh", "-c", "echo $FROM; pwd"], directory: other };
      const target = ["--target", "targetless"];
      for (const config of [null, {}]) {
        await using agent = await Agent.connect(config, target);
        const { value, text } = await agent.call("run", order);
        assert.equal((value as { stdout: string }).stdout, `\n${other}\n`, text);
      }
      {
        await using agent = await Agent.connect({ feature: { env: { env_file: "variables" } } }, target);
        await Deno.writeTextFile(`${agent.folder}/variables`, "FROM=the start");
        await Deno.writeTextFile(`${other}/variables`, "FROM=the folder");
        const { value, text } = await agent.call("run", order);
        assert.equal((value as { stdout: string }).stdout, `the start\n${other}\n`, text);
      }
      const named = [[{ kubeconfig: "kubeconfig" }, {}], [{}, { KUBECONFIG: "kubeconfig" }]] as const;
      for (const [config, env] of named) {
        await using agent = await Agent.connect(config, target, env);
        const { value } = await agent.call("run", order);
        const missing = `Cannot use the kubeconfig "${agent.folder}/kubeconfig": `;
        assert.ok((value as { stderr: string }).stderr.includes(missing), JSON.stringify(value));
      }
    } finally {
      await Deno.remove(other, { recursive: true });
    }
  },
});

Deno.test({
  name: "what happened is told of sessions with the same configuration file, not with one of the same name",
  ...leaves,
  async fn() {
    const other = await Deno.makeTempDir({ prefix: "mirrord-run-" });
    try {
      await Deno.writeTextFile(`${other}/config.json`, "{}");
      await using agent = await Agent.connect({});
      const words = ["exec", "-f", "config.json", "-t", "targetless", "--", "sleep", "1000"];
      const env = { XDG_RUNTIME_DIR: agent.folder };
      await using _theirs = new Mirrord(words, { cwd: other, env });
      await using _ours = new Mirrord(words, { cwd: agent.folder, env });
      await until("both sessions are there", async () => {
        const { value, text } = await agent.call("sessions");
        return (value as { directory?: string }[]).filter(({ directory }) => directory).length === 2 || text;
      });
      const sessions = (await agent.call("sessions")).value as { id: string; directory: string }[];
      const recent = (await agent.call("recent")).value as { session: string }[];
      const ours = sessions.filter(({ directory }) => directory === agent.folder).map(({ id }) => id);
      assert.deepEqual(recent.map(({ session }) => session), ours);
      assert.equal(ours.length, 1);
    } finally {
      await Deno.remove(other, { recursive: true });
    }
  },
});

Deno.test({
  name: "targets are listed by the cluster's answer, and a cluster that is not there is an answer too",
  ...leaves,
  async fn() {
    const folder = await Deno.makeTempDir();
    const item = {
      metadata: { name: "web-1", namespace: "shop" },
      spec: { containers: [{ name: "web" }] },
      status: { phase: "Running", conditions: [{ type: "Ready", status: "True" }] },
    };
    const server = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen() {} },
      ({ url }) => Response.json({ items: url.includes("/pods") ? [item] : [] }),
    );
    try {
      const cluster = { server: `http://127.0.0.1:${server.addr.port}` };
      const context = { cluster: "c", user: "u", namespace: "shop" };
      const kubeconfig = {
        ...{ apiVersion: "v1", kind: "Config", "current-context": "c", clusters: [{ name: "c", cluster }] },
        ...{ users: [{ name: "u", user: { token: "t" } }], contexts: [{ name: "c", context }] },
      };
      await Deno.writeTextFile(`${folder}/kubeconfig`, JSON.stringify(kubeconfig));
      const flags = ["--kubeconfig", `${folder}/kubeconfig`];
      await using agent = await Agent.connect({ target: "pod/web-1" }, flags);
      const { text, value } = await agent.call("list_targets");
      assert.deepEqual(value, { allowed: ["pod/web-1"], targets: ["pod/web-1"] } as never, text);
      await server.shutdown();
      const failed = await agent.call("list_targets");
      assert.ok(failed.isError);
      assert.match(failed.text, /^Cannot /);
    } finally {
      await server.shutdown();
      await Deno.remove(folder, { recursive: true });
    }
  },
});
