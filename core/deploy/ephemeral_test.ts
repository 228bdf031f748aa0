// The agent's way into a pod, against an API server of the test's own: its spec, its start, its failures.

import assert from "node:assert/strict";
import { agentProtocolVersion, announcementLine } from "../../protocol-wasm/mod.ts";
import { configByFlags } from "../../tests/support/config_by_flags.ts";
import { deadline } from "../../tests/support/deadline.ts";
import { fakeCluster } from "../../tests/support/fake_cluster.ts";
import { DeployError, KubeError } from "../base/errors.ts";
import { setLogSink } from "../base/log.ts";
import { deployAgent } from "./deploy.ts";
import type { Deployed, DeployNeeds } from "./order.ts";
import { capabilitiesFor, securityContextFor } from "./rights.ts";

const config = (flags: { agentStartupTimeout?: string } = {}) =>
  configByFlags({ target: "pod/p", steal: true, agentImage: "agent:1", ...flags });
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

Deno.test("only the capabilities that are needed are asked for, and SETUID to become another user than root", () => {
  assert.deepEqual(capabilitiesFor({ steal: true, env: true }), ["BPF", "NET_ADMIN", "SYS_PTRACE", "SETUID"]);
  assert.deepEqual(capabilitiesFor({ steal: false, env: true }), ["SYS_PTRACE", "SETUID"]);
  assert.deepEqual(capabilitiesFor({ steal: true, env: false }), ["BPF", "NET_ADMIN", "SETUID"]);
  assert.deepEqual(capabilitiesFor({ steal: false, env: false }), []);
  assert.deepEqual(capabilitiesFor({ steal: false, mirror: true, env: false }), ["BPF", "NET_RAW", "SETUID"]);
  const reading = ["SYS_PTRACE", "SETGID", "DAC_OVERRIDE"];
  assert.deepEqual(capabilitiesFor({ steal: false, env: true, files: "read" }), [...reading, "SETUID"]);
  const writing = [...reading, "CHOWN", "FOWNER", "FSETID", "MKNOD", "SETUID"];
  assert.deepEqual(capabilitiesFor({ steal: false, env: false, files: "write" }), writing);
});

Deno.test("an agent without capabilities is not root, and restricted pods admit it", () => {
  const { runAsUser, runAsGroup, ...rest } = securityContextFor({ steal: false, env: false, outgoing: true });
  assert.ok(runAsUser !== undefined && runAsUser >= 20_000 && runAsUser < 65_536);
  assert.equal(runAsGroup, runAsUser);
  assert.deepEqual(rest, {
    privileged: false,
    allowPrivilegeEscalation: false,
    runAsNonRoot: true,
    readOnlyRootFilesystem: true,
    capabilities: { drop: ["ALL"] },
    seccompProfile: { type: "RuntimeDefault" },
  });
});

Deno.test("a pod with little memory is warned of, and one that the agent could fill is refused unless forced", async () => {
  const said: string[] = [];
  const before = setLogSink((level, text) => level === "warning" ? said.push(text) : undefined);
  try {
    const cases: [number | null, boolean, RegExp | null][] = [
      [null, false, null],
      [256 << 20, false, null],
      [255 << 20, false, /"p" may take 255 MiB of memory, and the agent takes up to 96/],
      [97 << 20, false, /"p" may take 97 MiB of memory/],
      [64 << 20, true, /"p" may take 64 MiB of memory/],
    ];
    for (const [limit, forced, warning] of cases) {
      said.length = 0;
      await using cluster = fakeCluster();
      cluster.target.memoryLimit = limit;
      await using _deployed = await deployAgent(cluster.target, await config(), { ...needs, forced });
      if (warning === null) assert.deepEqual(said, []);
      else assert.match(said.join(), warning);
      assert.equal(cluster.added.length, 1);
    }
    await using cluster = fakeCluster();
    cluster.target.memoryLimit = 96 << 20;
    const refused = /in the pod "p": the pod may take 96 MiB of memory, and the agent alone up to 96/;
    await rejects(deployAgent(cluster.target, await config(), needs), refused, {
      exitCode: 69,
      help: /--force/,
    });
    assert.equal(cluster.added.length, 0);
  } finally {
    setLogSink(before);
  }
});

Deno.test("the agent is deployed, proven and let go", async () => {
  await using cluster = fakeCluster();
  {
    await using deployed = await deployAgent(cluster.target, await config(), needs);
    const connecting = deployed.connect();
    cluster.container({ running: {} });
    await using agent = await connecting;
    assert.equal(agent.kernel, "6.1.0");
    assert.equal(agent.link.version, agentProtocolVersion);
  }
  assert.deepEqual(cluster.frames, ["owner", "goodbye"]);
  const [container] = cluster.added;
  assert.match(container?.name ?? "", /^mirrord-agent-[a-z0-9]{5}$/);
  assert.equal(container?.targetContainerName, "web");
  assert.equal(container?.image, "agent:1");
  assert.deepEqual(container?.securityContext?.capabilities, {
    drop: ["ALL"],
    add: ["BPF", "NET_ADMIN", "SYS_PTRACE", "SETUID"],
  });
  assert.equal(container?.securityContext?.privileged, false);
  assert.equal(container?.securityContext?.allowPrivilegeEscalation, false);
  const flags = container?.args ?? [];
  const flag = (name: string) => flags[flags.indexOf(name) + 1] ?? "";
  assert.equal(flags[0], "agent");
  assert.equal(flag("--listen"), "0");
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

const forbidden = (resource: string) =>
  Response.json(
    {
      message: `User "u" cannot get resource "${resource}" in API group "" in the namespace "shop"`,
      code: 403,
    },
    { status: 403 },
  );

for (const closed of ["log", "attach"] as const) {
  Deno.test(`without the right to pods/${closed} the agent is heard the other way`, async () => {
    await using cluster = fakeCluster();
    const given = cluster.output;
    cluster.output = (way) => way === closed ? forbidden(`pods/${closed}`) : given(way);
    await using deployed = await deployAgent(cluster.target, await config(), needs);
    cluster.container({ running: {} });
    await using agent = await deployed.connect();
    assert.equal(agent.kernel, "6.1.0");
  });
}

Deno.test("without the right to either the one that the role needs is named", async () => {
  await using cluster = fakeCluster();
  cluster.output = (way) => forbidden(`pods/${way}`);
  await using deployed = await deployAgent(cluster.target, await config(), needs);
  cluster.container({ running: {} });
  await assert.rejects(deployed.connect(), (error) => {
    assert.ok(error instanceof KubeError);
    assert.match(
      error.message,
      /Cannot read the log of the pod "p": you may not "get" the resource "pods\/log"/,
    );
    assert.equal(error.exitCode, 77);
    return true;
  });
  assert.equal(cluster.forwards, 0);
});

Deno.test("an agent with another key than the container said is not spoken to", async () => {
  await using cluster = fakeCluster();
  cluster.greeting = () => ({ kind: "impostor" });
  await using deployed = await deployAgent(cluster.target, await config(), needs);
  cluster.container({ running: {} });
  await rejects(deployed.connect(), /another program of the pod answers in its place/, { exitCode: 69 });
  assert.deepEqual(cluster.frames, []);
});

Deno.test("what keeps the container from running is reported with what to do", async () => {
  const line = announcementLine({ port: 20_000, key: new Uint8Array(32) });
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
    [
      { terminated: { exitCode: 2, message: 'mirrord error: Cannot use "0": it is not a port\n' } },
      /it ended with code 2: .*it is not a port/,
      { exitCode: 69, help: /Check that agent.image is of this release/ },
    ],
    [{ terminated: { exitCode: 137, reason: "OOMKilled" } }, /it ended with code 137: OOMKilled/, {}],
    [
      {
        terminated: {
          exitCode: 137,
          reason: "Error",
          message: `info: ready on port 20000\n${line}\n${line}\n`,
        },
      },
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
    /took longer than 1 s; last step: Adding the agent to pod\/p \((ContainerCreating|the agent does not listen)\)/,
  );
});

for (const count of [19, 20, 37]) {
  Deno.test(`${count} terminated containers of former sessions are ${count < 20 ? "not worth a word" : "told, with what to do"}`, async () => {
    await using cluster = fakeCluster();
    cluster.endedBefore(count);
    const said: string[] = [];
    const before = setLogSink((level, text) => level === "warning" ? said.push(text) : undefined);
    try {
      await using deployed = await deployAgent(cluster.target, await config(), needs);
      const connecting = deployed.connect();
      cluster.container({ running: {} });
      await using agent = await connecting;
      assert.equal(agent.kernel, "6.1.0");
    } finally {
      setLogSink(before);
    }
    assert.deepEqual(
      said.map((line) => /has (\d+) terminated/.exec(line)?.[1]),
      count < 20 ? [] : [String(count)],
    );
  });
}

Deno.test("a missing right is refused before anything is added to the pod", async () => {
  await using cluster = fakeCluster();
  const target = { ...cluster.target, checkRights: () => Promise.reject(new DeployError("you may not")) };
  await rejects(deployAgent(target, await config(), needs), /you may not/);
  assert.deepEqual(cluster.added, []);
});

Deno.test("the pod's spec names nobody unless the configuration does", async () => {
  const added = async (owner?: string): Promise<string> => {
    await using cluster = fakeCluster();
    const whole = await config();
    if (owner !== undefined) whole.agent.owner = owner;
    {
      await using deployed = await deployAgent(cluster.target, whole, needs);
      const connecting = deployed.connect();
      cluster.container({ running: {} });
      await using _agent = await connecting;
    }
    return JSON.stringify(cluster.added);
  };
  const user = Deno.env.get("USER") ?? Deno.env.get("LOGNAME") ?? `uid ${Deno.uid()}`;
  const without = await added();
  // Keys and names are random letters: a short name alone may be among them.
  for (const word of [`${user}@`, `@${Deno.hostname()}`, "--owner"]) assert.ok(!without.includes(word), word);
  assert.match(await added("team-shop"), /"--owner","team-shop"/);
});
