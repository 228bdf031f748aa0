// An agent that is sent, against a fake API server: what command its container gets, what goes into it, and
// that whatever goes wrong ends with one error that says what to do, and with an input that is closed.

import assert from "node:assert/strict";
import { gunzipSync } from "node:zlib";
import { SigningKey } from "../../protocol-wasm/mod.ts";
import { configByFlags } from "../../tests/support/config_by_flags.ts";
import { deadline } from "../../tests/support/deadline.ts";
import { type FakeCluster, fakeCluster, isWhole } from "../../tests/support/fake_cluster.ts";
import { DeployError } from "../base/errors.ts";
import { deployEphemeral } from "./ephemeral.ts";
import type { Deployed } from "./order.ts";
import { pack, type Payload } from "./payload.ts";
import { countLength, greeting } from "./sent.ts";
import { Startup } from "./startup.ts";

const program = crypto.getRandomValues(new Uint8Array(60_000));
/** What is sent to a node with that machine. */
function payloadFor(machine: string, libraries: number[]): Payload {
  return {
    machine,
    programSize: program.length,
    pieces: [{ name: "ld-linux-x86-64.so.2", size: libraries.length }],
    librariesSize: libraries.length,
    sha256: "00".repeat(32),
    packed: () => pack(Uint8Array.of(...program, ...libraries)),
  };
}
const payloads = [payloadFor("x86_64", [1, 2, 3]), payloadFor("aarch64", [4, 5, 6])];

async function deploy(cluster: FakeCluster, stop?: AbortSignal): Promise<Deployed> {
  const config = await configByFlags({ target: "pod/p", steal: true });
  return await deployEphemeral(cluster.target, {
    config: config.agent,
    needs: { steal: true, env: true },
    key: await SigningKey.generate(),
    startup: new Startup(60, stop),
    payloads: () => Promise.resolve(payloads),
  });
}

/** What went in, whole. */
async function inputOf({ inputs }: FakeCluster): Promise<Uint8Array> {
  return new Uint8Array(await new Blob(inputs.bytes as Uint8Array<ArrayBuffer>[]).arrayBuffer());
}

/** The container says nothing before it has what its input announced. */
function speakWhenWhole(cluster: FakeCluster): void {
  const before = cluster.output;
  cluster.output = (way) => {
    if (isWhole(cluster)) return before(way);
    return Response.json({ message: "not yet" }, { status: 400 });
  };
}

Deno.test("the agent is sent into a container of the target's image, whose input is closed when it answers", async () => {
  await using cluster = fakeCluster();
  speakWhenWhole(cluster);
  {
    await using deployed = await deploy(cluster);
    cluster.container({ running: {} });
    await using agent = await deployed.connect();
    assert.equal(agent.kernel, "6.1.0");
  }
  const [container] = cluster.added;
  assert.deepEqual(
    [container?.image, container?.imagePullPolicy, container?.stdin, container?.stdinOnce],
    ["shop/web:7", "IfNotPresent", true, true],
  );
  assert.deepEqual([container?.command?.[0], container?.args?.[0]], ["sh", "agent"]);
  assert.equal(container?.securityContext?.readOnlyRootFilesystem, false);
  assert.equal(container?.securityContext?.privileged, false);
  assert.deepEqual(container?.securityContext?.capabilities?.add, [
    "BPF",
    "NET_ADMIN",
    "SYS_PTRACE",
    "SETUID",
  ]);
  assert.deepEqual(await unpacked(cluster), new Uint8Array([...program, 1, 2, 3]));
  assert.deepEqual(cluster.frames, ["goodbye"]);
});

/** What went in, without the greeting, the count (which must be right) and the compression. */
async function unpacked(cluster: FakeCluster): Promise<Uint8Array> {
  assert.equal(new TextDecoder().decode(cluster.inputs.bytes[0]), greeting);
  const input = (await inputOf(cluster)).subarray(greeting.length);
  const packed = input.subarray(countLength);
  assert.equal(Number(new TextDecoder().decode(input.subarray(0, countLength))), packed.length);
  return new Uint8Array(gunzipSync(packed));
}

Deno.test("a node with another processor gets the agent for that one", async () => {
  await using cluster = fakeCluster();
  cluster.inputs.machine = "aarch64";
  speakWhenWhole(cluster);
  {
    await using deployed = await deploy(cluster);
    cluster.container({ running: {} });
    await using _agent = await deployed.connect();
  }
  assert.deepEqual(await unpacked(cluster), new Uint8Array([...program, 4, 5, 6]));
});

Deno.test("the agent is heard through its input before the kubelet tells of its container", async () => {
  await using cluster = fakeCluster();
  cluster.inputs.speaks = true;
  cluster.input = () => undefined;
  await using deployed = await deploy(cluster);
  await using agent = await deployed.connect();
  assert.equal(agent.kernel, "6.1.0");
});

const cases: [string, Record<string, Record<string, unknown>>, RegExp][] = [
  [
    "an image without a shell",
    {
      terminated: {
        exitCode: 128,
        reason: "StartError",
        message: 'failed to start containerd task: exec: "sh": executable file not found in $PATH: unknown',
      },
    },
    /the target's image has no shell to which the agent can be sent/,
  ],
  [
    "an image without a shell, while it is tried again",
    { waiting: { reason: "RunContainerError", message: 'exec: "sh": executable file not found in $PATH' } },
    /the target's image has no shell to which the agent can be sent/,
  ],
  [
    "a node with a processor for which there is no agent",
    {
      terminated: {
        exitCode: 126,
        message: "the node's processor is riscv64, and this mirrord has an agent for x\n",
      },
    },
    /the node's processor is riscv64/,
  ],
  [
    "the shell line's refusal",
    { terminated: { exitCode: 126, message: 'the target\'s image has no "gzip"\n' } },
    /it ended with code 126: the target's image has no "gzip"/,
  ],
];
for (const [name, state, message] of cases) {
  Deno.test(`${name} is reported with what to do`, async () => {
    await using cluster = fakeCluster();
    cluster.output = () => Response.json({ message: "not yet" }, { status: 400 });
    await using deployed = await deploy(cluster);
    const connecting = deployed.connect();
    cluster.container(state);
    await assert.rejects(connecting, (error) => {
      assert.ok(error instanceof DeployError, String(error));
      assert.match(error.message, message);
      assert.match(error.help ?? "", /agent\.image/);
      assert.equal(error.exitCode, 69);
      return true;
    });
  });
}

Deno.test("a server that lets nobody attach is one error with both ways out", async () => {
  await using cluster = fakeCluster();
  cluster.output = () => Response.json({ message: "not yet" }, { status: 400 });
  cluster.input = () =>
    Response.json({
      message: 'User "u" cannot create resource "pods/attach" in API group "" in the namespace "shop"',
      code: 403,
    }, { status: 403 });
  await using deployed = await deploy(cluster);
  cluster.container({ running: {} });
  await assert.rejects(deployed.connect(), (error) => {
    assert.ok(error instanceof DeployError, String(error));
    assert.match(error.message, /it cannot be sent: .*pods\/attach/);
    assert.match(error.help ?? "", /pods\/attach.*Otherwise: .*agent\.image/);
    assert.equal(error.exitCode, 77);
    return true;
  });
});

Deno.test("a start that is stopped before anything was sent closes the waiting container's input", async () => {
  await using cluster = fakeCluster();
  cluster.output = () => Response.json({ message: "not yet" }, { status: 400 });
  const stop = new AbortController();
  const closed = Promise.withResolvers<void>();
  {
    await using deployed = await deploy(cluster, stop.signal);
    const given = cluster.input;
    // It runs once the session looks for it to send it away.
    cluster.input = () => {
      if (stop.signal.aborted) cluster.container({ running: {} });
      return given();
    };
    stop.abort(new Error("interrupted"));
    await assert.rejects(deployed.connect(), /interrupted/);
  }
  cluster.inputs.onClose = closed.resolve;
  if (cluster.inputs.closed > 0) closed.resolve();
  await deadline(closed.promise, "the input's end");
  assert.equal((await inputOf(cluster)).length, 0);
});
