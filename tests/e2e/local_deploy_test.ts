// The agent beside a process of this machine: started as a child of the test, proven, and gone afterwards. No
// cluster.

import assert from "node:assert/strict";
import { DeployError } from "../../core/base/errors.ts";
import { verifyConfig } from "../../core/config/load.ts";
import { deployAgent } from "../../core/deploy/deploy.ts";
import { resolveProcess } from "../../core/target/process.ts";

const lacking = Deno.build.os === "linux" ? undefined : "a process can be a target on Linux only";

function linuxTest(name: string, fn: () => Promise<void>): void {
  Deno.test({
    name: name + (lacking === undefined ? "" : ` (skipped: ${lacking})`),
    ignore: lacking !== undefined,
    fn,
  });
}

async function config() {
  const { config } = await verifyConfig({ flags: {}, env: new Map(), directory: "/nonexistent" });
  assert.ok(config);
  return config;
}

/** A process with a variable of its own, for the length of `use`. */
async function withProcess(use: (child: Deno.ChildProcess) => Promise<void>): Promise<void> {
  const child = new Deno.Command("sleep", {
    args: ["120"],
    clearEnv: true,
    env: { PATH: Deno.env.get("PATH") ?? "", MIRRORD_TEST_OWN: "yes" },
  }).spawn();
  let running = true;
  const ended = child.status.then(() => running = false);
  try {
    await use(child);
  } finally {
    if (running) child.kill("SIGKILL");
    await ended;
  }
}

/** Processes of this machine whose command line holds `text`. */
function processesWith(text: string): number[] {
  return [...Deno.readDirSync("/proc")].filter(({ name }) => /^\d+$/.test(name)).map(({ name }) =>
    Number(name)
  )
    .filter((pid) => {
      try {
        return Deno.readTextFileSync(`/proc/${pid}/cmdline`).includes(text);
      } catch {
        return false; // it ended meanwhile
      }
    });
}

linuxTest("the agent beside a process gives its variables and is gone afterwards", async () => {
  await withProcess(async (child) => {
    const target = await resolveProcess(child.pid);
    {
      await using deployed = await deployAgent(target, await config(), { steal: false, env: true });
      await using agent = await deployed.connect();
      assert.match(agent.kernel, /^\d+\.\d+/);
      const frames = await agent.link.request("env", { include: "MIRRORD_TEST_*", exclude: "" });
      const text = frames.map(({ body }) => new TextDecoder().decode(body)).join("");
      assert.equal(text, "MIRRORD_TEST_OWN=yes\0");
      assert.equal(processesWith(`--target-pid\0${child.pid}\0`).length, 1);
    }
    assert.deepEqual(processesWith(`--target-pid\0${child.pid}\0`), []);
  });
});

linuxTest("an aborted start-up leaves no agent behind", async () => {
  await withProcess(async (child) => {
    const target = await resolveProcess(child.pid);
    const controller = new AbortController();
    {
      await using deployed = await deployAgent(target, await config(), {
        steal: false,
        env: true,
        signal: controller.signal,
      });
      const connecting = deployed.connect();
      controller.abort(new Error("interrupted"));
      await assert.rejects(connecting, /interrupted/);
    }
    assert.deepEqual(processesWith(`--target-pid\0${child.pid}\0`), []);
  });
});

linuxTest("a process that ended meanwhile is no target any more", async () => {
  await withProcess(async (child) => {
    const target = await resolveProcess(child.pid);
    child.kill("SIGKILL");
    await child.status;
    await assert.rejects(
      deployAgent(target, await config(), { steal: false, env: true }),
      (error) => error instanceof DeployError && /the process \d+ is gone/.test(error.message),
    );
  });
});
