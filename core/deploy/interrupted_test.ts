// A start that the user stops: the agent that it added is sent away.

import assert from "node:assert/strict";
import { configByFlags } from "../../tests/support/config_by_flags.ts";
import { deadline } from "../../tests/support/deadline.ts";
import { fakeCluster } from "../../tests/support/fake_cluster.ts";
import { deployAgent } from "./deploy.ts";
import type { DeployNeeds } from "./order.ts";

const config = () => configByFlags({ target: "pod/p", steal: true, agentImage: "agent:1" });
const needs: DeployNeeds = { steal: true, env: true };

Deno.test("an aborted start-up sends away an agent that runs already", async () => {
  await using cluster = fakeCluster();
  cluster.greeting = () => cluster.forwards < 2 ? { kind: "refused-port" } : { kind: "welcome" };
  const controller = new AbortController();
  {
    await using deployed = await deployAgent(cluster.target, await config(), {
      ...needs,
      signal: controller.signal,
    });
    cluster.greeting = () => {
      controller.abort(new Error("interrupted"));
      cluster.greeting = () => ({ kind: "welcome" });
      return { kind: "refused-port" };
    };
    cluster.container({ running: {} });
    await assert.rejects(deployed.connect(), /interrupted/);
  }
  assert.deepEqual(cluster.frames, ["goodbye"]);
});

Deno.test("an agent that does not run yet is waited for when the user stops, and sent away", async () => {
  await using cluster = fakeCluster();
  let forwards = 0;
  cluster.greeting = () => {
    if (++forwards < 3) return { kind: "refused-port" };
    cluster.container({ running: {} });
    return { kind: "welcome" };
  };
  const controller = new AbortController();
  {
    const deploying = deployAgent(cluster.target, await config(), { ...needs, signal: controller.signal });
    await cluster.nextAdded();
    controller.abort(new Error("interrupted"));
    await using deployed = await deploying;
    await assert.rejects(deployed.connect(), /interrupted/);
  }
  assert.deepEqual(cluster.frames, ["goodbye"]);
});

Deno.test("the same when its container was added before the user stops", async () => {
  await using cluster = fakeCluster();
  const controller = new AbortController();
  const given = cluster.output;
  const asked = Promise.withResolvers<void>();
  cluster.output = (way) => {
    asked.resolve();
    if (!controller.signal.aborted) return Response.json({ message: "creating", code: 400 }, { status: 400 });
    cluster.container({ running: {} });
    cluster.output = given;
    return given(way);
  };
  {
    await using deployed = await deployAgent(cluster.target, await config(), {
      ...needs,
      signal: controller.signal,
    });
    const connecting = deployed.connect();
    connecting.catch(() => {});
    await deadline(asked.promise, "the first look at the container's output");
    controller.abort(new Error("interrupted"));
    await assert.rejects(connecting, /interrupted/);
  }
  assert.deepEqual(cluster.frames, ["goodbye"]);
});
