// The agent's way into a pod, against an API server that behaves as the test says: what the container's spec holds,
// how the start-up fares, and which words a failure gets.

import assert from "node:assert/strict";
import { deadline } from "../../tests/support/deadline.ts";
import { fakeCluster } from "../../tests/support/fake_cluster.ts";
import { DeployError } from "../base/errors.ts";
import { type Config, verifyConfig } from "../config/load.ts";
import { deployAgent, type Deployed, type DeployNeeds } from "./deploy.ts";
import { capabilitiesFor } from "./ephemeral.ts";

async function config(flags: { agentStartupTimeout?: string } = {}): Promise<Config> {
  const { config } = await verifyConfig({
    flags: { target: "pod/p", steal: true, agentImage: "agent:1", ...flags },
    env: new Map(),
    directory: "/nonexistent",
  });
  assert.ok(config);
  return config;
}

const needs: DeployNeeds = { steal: true, env: true };

const rejects = (
  promise: Promise<unknown>,
  message: RegExp,
  facts: { exitCode?: number; help?: RegExp } = {},
) =>
  assert.rejects(promise, (error) => {
    assert.ok(error instanceof DeployError, String(error));
    assert.match(error.message, message);
    if (facts.exitCode !== undefined) assert.equal(error.exitCode, facts.exitCode);
    if (facts.help !== undefined) assert.match(error.help ?? "", facts.help);
    return true;
  });

Deno.test("only the capabilities that are needed are asked for", () => {
  assert.deepEqual(capabilitiesFor({ steal: true, env: true }), ["BPF", "NET_ADMIN", "SYS_PTRACE"]);
  assert.deepEqual(capabilitiesFor({ steal: false, env: true }), ["SYS_PTRACE"]);
  assert.deepEqual(capabilitiesFor({ steal: true, env: false }), ["BPF", "NET_ADMIN"]);
  assert.deepEqual(capabilitiesFor({ steal: false, env: false }), []);
  assert.deepEqual(capabilitiesFor({ steal: false, mirror: true, env: false }), ["BPF", "NET_RAW"]);
  const reading = ["SYS_PTRACE", "SYS_CHROOT", "SETUID", "SETGID", "DAC_OVERRIDE"];
  assert.deepEqual(capabilitiesFor({ steal: false, env: true, files: "read" }), reading);
  const writing = [...reading, "CHOWN", "FOWNER", "FSETID", "MKNOD"];
  assert.deepEqual(capabilitiesFor({ steal: false, env: false, files: "write" }), writing);
});

Deno.test("the agent is deployed, proven and let go", async () => {
  await using cluster = fakeCluster();
  {
    await using deployed = await deployAgent(cluster.target, await config(), needs);
    const connecting = deployed.connect();
    cluster.container({ running: {} });
    await using agent = await connecting;
    assert.equal(agent.kernel, "6.1.0");
    assert.equal(agent.link.version, 1);
  }
  assert.deepEqual(cluster.frames, ["goodbye"]);
  const [container] = cluster.added;
  assert.match(container?.name ?? "", /^mirrord-agent-[a-z0-9]{5}$/);
  assert.equal(container?.targetContainerName, "web");
  assert.equal(container?.image, "agent:1");
  assert.deepEqual(container?.securityContext?.capabilities, {
    drop: ["ALL"],
    add: ["BPF", "NET_ADMIN", "SYS_PTRACE"],
  });
  assert.equal(container?.securityContext?.privileged, false);
  assert.equal(container?.securityContext?.allowPrivilegeEscalation, false);
  const flags = container?.args ?? [];
  const flag = (name: string) => flags[flags.indexOf(name) + 1] ?? "";
  assert.equal(flags[0], "agent");
  assert.ok(Number(flag("--listen")) >= 20_000 && Number(flag("--listen")) < 30_000);
  assert.equal(Uint8Array.fromBase64(flag("--public-key")).length, 32);
  assert.equal(flag("--container-id"), "abc");
});

Deno.test("an agent that answers before the pod's status names it is taken", async () => {
  await using cluster = fakeCluster();
  await using deployed = await deployAgent(cluster.target, await config(), needs);
  await using agent = await deployed.connect();
  assert.notEqual(agent.kernel, "");
});

Deno.test("an agent that does not listen yet is tried again", async () => {
  await using cluster = fakeCluster();
  cluster.greeting = () => cluster.forwards < 3 ? { kind: "refused-port" } : { kind: "welcome" };
  await using deployed = await deployAgent(cluster.target, await config(), needs);
  cluster.container({ running: {} });
  await using _agent = await deployed.connect();
  assert.equal(cluster.forwards, 3);
});

Deno.test("a taken port is exchanged for another, once", async () => {
  await using cluster = fakeCluster();
  cluster.greeting = () => ({ kind: "refused-port" });
  await using deployed = await deployAgent(cluster.target, await config(), needs);
  const second = cluster.nextAdded();
  const connecting = deployed.connect();
  connecting.catch(() => {});
  cluster.container({ terminated: { exitCode: 69, message: "Cannot run the agent: bind: EADDRINUSE" } });
  const container = await second;
  assert.notEqual(container.name, cluster.added[0]?.name);
  cluster.container({ terminated: { exitCode: 98, message: "Cannot listen: port taken" } });
  await rejects(connecting, /it ended with code 98: Cannot listen: port taken/);
  assert.equal(cluster.added.length, 2);
});

Deno.test("what keeps the container from running is said with what to do", async () => {
  const cases: [Record<string, Record<string, unknown>>, RegExp, { exitCode?: number; help?: RegExp }][] = [
    [
      { waiting: { reason: "ErrImagePull", message: "no such host" } },
      /the node "node1" cannot get the image "agent:1" \(ErrImagePull: no such host\)/,
      { help: /--agent-image.*kind load/ },
    ],
    [{ waiting: { reason: "ErrImageNeverPull" } }, /cannot get the image "agent:1"/, {}],
    [
      { waiting: { reason: "CreateContainerError", message: "no room" } },
      /cannot start its container \(CreateContainerError: no room\)/,
      { help: /kubectl describe pod p/ },
    ],
    [
      {
        terminated: {
          exitCode: 77,
          message: "first\nCannot load the program: the capability BPF is missing\n",
        },
      },
      /it ended with code 77: .*capability BPF is missing/,
      { exitCode: 77 },
    ],
    [{ terminated: { exitCode: 137, reason: "OOMKilled" } }, /it ended with code 137: OOMKilled/, {}],
    [
      { terminated: { exitCode: 137, reason: "Error", message: "info: ready on port 20000\n" } },
      /code 137: it was killed, as happens when the target's container ends or restarts$/,
      {},
    ],
  ];
  for (const [state, message, facts] of cases) {
    await using cluster = fakeCluster();
    cluster.greeting = () => ({ kind: "refused-port" });
    await using deployed: Deployed = await deployAgent(cluster.target, await config(), needs);
    cluster.container(state);
    await rejects(deployed.connect(), message, facts);
  }
});

Deno.test("a container that ends while it is being reached is noticed at once", async () => {
  await using cluster = fakeCluster();
  cluster.greeting = () => {
    cluster.container({ terminated: { exitCode: 70, message: "a bug" } });
    return { kind: "refused-port" };
  };
  await using deployed = await deployAgent(cluster.target, await config(), needs);
  cluster.container({ running: {} });
  await rejects(deployed.connect(), /it ended with code 70: a bug/);
});

Deno.test("what answers in the agent's place is found out when the container ends", async () => {
  await using cluster = fakeCluster();
  await using deployed = await deployAgent(cluster.target, await config(), needs);
  await using agent = await deployed.connect();
  cluster.container({ terminated: { exitCode: 69, message: "Cannot run the agent: bind: EADDRINUSE" } });
  const reason = await deadline(agent.link.closed, "the link's end");
  assert.match(reason?.message ?? "", /container ended.*EADDRINUSE/);
});

Deno.test("another program at the agent's port is passed over until its container says so", async () => {
  await using cluster = fakeCluster();
  cluster.greeting = () => cluster.forwards === 1 ? { kind: "other-program" } : { kind: "welcome" };
  await using deployed = await deployAgent(cluster.target, await config(), needs);
  await using agent = await deployed.connect();
  assert.notEqual(agent.kernel, "");
  assert.equal(cluster.forwards, 2);
});

Deno.test("a pod that goes away is noticed", async () => {
  await using cluster = fakeCluster();
  await using deployed = await deployAgent(cluster.target, await config(), needs);
  const connecting = deployed.connect();
  connecting.catch(() => {});
  cluster.deletePod();
  await rejects(connecting, /the pod "p" was deleted/);
});

Deno.test("PodSecurity's refusal names the level and what it forbids", async () => {
  await using cluster = fakeCluster();
  const message =
    'pods "p" is forbidden: violates PodSecurity "baseline:latest": non-default capabilities (…)';
  cluster.refusal = Response.json({ message, reason: "Forbidden", code: 403 }, { status: 403 });
  await rejects(
    deployAgent(cluster.target, await config(), needs),
    /level "baseline:latest": non-default cap/,
    {
      exitCode: 77,
      help: /pod-security\.kubernetes\.io\/enforce=privileged/,
    },
  );
});

Deno.test("the agent's refusal keeps its words and gets its exit code", async () => {
  for (const [errno, exitCode] of [[1, 77], [16, 75], [95, 69]] as const) {
    await using cluster = fakeCluster();
    cluster.greeting = () => ({ kind: "refuse", errno, text: "Cannot steal: so it is" });
    await using deployed = await deployAgent(cluster.target, await config(), needs);
    cluster.container({ running: {} });
    await rejects(deployed.connect(), /Cannot use the agent: Cannot steal: so it is/, { exitCode });
  }
});

Deno.test("a start-up that takes too long names its last step", async () => {
  await using cluster = fakeCluster();
  cluster.greeting = () => ({ kind: "refused-port" });
  const short = await config({ agentStartupTimeout: "1" });
  await using deployed = await deployAgent(cluster.target, short, needs);
  await rejects(
    deployed.connect(),
    /took longer than 1 s; last step: Adding the agent to pod\/p \((ContainerCreating|the agent does not listen yet)\)/,
  );
});

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
