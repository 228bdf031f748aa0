// A hostile target: its processes try to read, write, trace, hold up and end the agent that serves it, on
// this machine's kernel, in the agent's own process namespace as in a pod. Each attack succeeds on an
// ordinary process first. Needs root and dist/.

import assert from "node:assert/strict";
import { FakeClient } from "../support/fake_client.ts";
import { Netns } from "../support/netns.ts";
import { binary } from "../support/program.ts";
import { FileTalk } from "../agent/file_talk.ts";
import { actors, judge, type Outcome } from "./target_actor.ts";

const attack = new URL("./target_process.py", import.meta.url).pathname;
const isBuilt = await Deno.stat(binary).then(() => true, () => false);

async function attacked(netns: Netns, pid: number, order: string[]): Promise<Outcome> {
  return JSON.parse(await netns.run(["python3", attack, String(pid), ...order]));
}

for (const actor of actors) {
  Deno.test({
    name: `${actor.name} gets ${actor.gets.join(", ") || "nothing"} of the agent`,
    ignore: !isBuilt,
    async fn() {
      await using netns = await Netns.create();
      const user = actor.order[0] ?? "";
      const [program = "", ...args] = netns.inside([
        ...["setpriv", `--reuid=${user}`, `--regid=${user}`, "--clear-groups", "sleep", "infinity"],
      ]);
      const target = new Deno.Command(program, { args, stdin: "null" }).spawn();
      try {
        const options = { targetPid: target.pid };
        await using client = await FakeClient.start(netns, { binary, options });
        // A thread of the agent has the target's rights over files now.
        const files = new FileTalk(client.link);
        assert.match(await files.content("/proc/self/comm"), /^(sleep|setpriv)\n$/);
        const own = await attacked(netns, 0, actor.order.slice(0, 2));
        judge(actor, own, await attacked(netns, client.agent.pid, actor.order));
        // It is as well as before.
        assert.match(await files.content("/proc/self/comm"), /^sleep\n$/);
        assert.equal(await client.goodbye(), 0);
      } finally {
        target.kill("SIGKILL");
        await target.status;
      }
    },
  });
}

Deno.test({
  name: "the agent is another user than any of the target's, with root's files, and the first to die",
  ignore: !isBuilt,
  async fn() {
    await using netns = await Netns.create();
    await using client = await FakeClient.start(netns, { binary });
    const { pid } = client.agent;
    const status = await Deno.readTextFile(`/proc/${pid}/status`);
    const [real = 0, effective, saved, files] = /^Uid:\s+(.*)$/m.exec(status)?.[1]?.split("\t").map(Number) ??
      [];
    assert.ok(real >= 20_000 && real < 60_000, `${real}`);
    assert.deepEqual([effective, saved, files], [real, real, 0]);
    assert.equal(await Deno.readTextFile(`/proc/${pid}/oom_score_adj`), "1000\n");
    // Of a process that may be dumped they would be the user's (proc(5)).
    assert.equal((await Deno.stat(`/proc/${pid}/mem`)).uid, 0);
  },
});
