// The environment of the target's process through the agent: which process, which names, and what is missing.

import assert from "node:assert/strict";
import { type agentMessages, type Link, RemoteError } from "../../protocol-wasm/mod.ts";
import { deadline } from "../support/deadline.ts";
import { FakeClient } from "../support/fake_client.ts";
import { Netns } from "../support/netns.ts";

const decoder = new TextDecoder();

/** A process that has exactly these variables, of root unless `user` says; disposing ends it. */
async function target(env: Record<string, string>, user = 0) {
  const child = new Deno.Command("sh", {
    args: ["-c", "echo ready; exec sleep infinity"],
    env: { PATH: "/usr/bin:/bin", ...env },
    clearEnv: true,
    uid: user,
    gid: user,
    stdin: "null",
    stdout: "piped",
  }).spawn();
  const reader = child.stdout.getReader();
  await deadline(reader.read(), "the target runs");
  await reader.cancel();
  return {
    pid: child.pid,
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await child.status;
    },
  };
}

async function ask(
  link: Link<typeof agentMessages>,
  include: string[],
  exclude: string[],
): Promise<Record<string, string>> {
  const frames = await link.request("env", { include: include.join("\n"), exclude: exclude.join("\n") });
  assert.ok(frames.every((frame) => frame.body.length <= 65536));
  const all = decoder.decode(Uint8Array.from(frames.flatMap((frame) => [...frame.body])));
  assert.ok(all === "" || all.endsWith("\0"));
  return Object.fromEntries(
    all.split("\0").filter(Boolean).map((pair) => {
      const at = pair.indexOf("=");
      return [pair.slice(0, at), pair.slice(at + 1)];
    }),
  );
}

Deno.test("the target's variables come as the globs say", async () => {
  await using netns = await Netns.create();
  await using process = await target({
    DB_HOST: "db",
    DB_PASSWORD: "secret",
    MODE: "a=b\nc",
    EMPTY: "",
    UNICODE: "ß",
  });
  await using client = await FakeClient.start(netns, { options: { targetPid: process.pid } });
  const all = await ask(client.link, [], []);
  assert.deepEqual({ ...all, PATH: "" }, {
    DB_HOST: "db",
    DB_PASSWORD: "secret",
    MODE: "a=b\nc",
    EMPTY: "",
    UNICODE: "ß",
    PATH: "",
    ...("PWD" in all ? { PWD: all["PWD"] } : {}),
  });
  assert.deepEqual(await ask(client.link, ["DB_*"], []), { DB_HOST: "db", DB_PASSWORD: "secret" });
  assert.deepEqual(await ask(client.link, ["DB_*"], ["*PASSWORD"]), { DB_HOST: "db" });
  assert.deepEqual(await ask(client.link, ["DB_HOST", "MODE"], ["M*"]), { DB_HOST: "db" });
  assert.deepEqual(await ask(client.link, ["NOTHING"], []), {});
});

Deno.test("an environment of megabytes arrives whole", async () => {
  await using netns = await Netns.create();
  const large = Object.fromEntries(
    Array.from({ length: 12 }, (_, i) => [`LARGE_${i}`, `${i}`.repeat(100_000 / `${i}`.length)]),
  );
  await using process = await target(large);
  await using client = await FakeClient.start(netns, { options: { targetPid: process.pid } });
  assert.deepEqual(await ask(client.link, ["LARGE_*"], []), large);
});

async function refusal(work: Promise<unknown>): Promise<RemoteError> {
  const error = await work.then(() => null, (error) => error);
  assert.ok(error instanceof RemoteError, String(error));
  return error;
}

Deno.test("a process that is gone is reported, and the agent goes on", async () => {
  await using netns = await Netns.create();
  const gone = await target({});
  await gone[Symbol.asyncDispose]();
  await using client = await FakeClient.start(netns, { options: { targetPid: gone.pid } });
  const { errno, message } = await refusal(ask(client.link, [], []));
  assert.equal(errno, 3);
  assert.equal(message, `Cannot read the environment of process ${gone.pid}: there is no such process`);
  await client.subscribe(80);
});

Deno.test("without SYS_PTRACE the missing capability is named", async () => {
  await using netns = await Netns.create();
  await using process = await target({}); // has every capability, so only SYS_PTRACE lets others look (ptrace(2))
  const set = "-all,+bpf,+net_admin";
  const prefix = netns.inside(["setpriv", `--bounding-set=${set}`, `--inh-caps=${set}`]);
  await using client = await FakeClient.start(netns, { prefix, options: { targetPid: process.pid } });
  const { errno, message } = await refusal(ask(client.link, [], []));
  assert.equal(errno, 13);
  assert.equal(
    message,
    `Cannot read the environment of process ${process.pid}: the agent lacks the capability SYS_PTRACE`,
  );
});

Deno.test("with no capability but a session's, another user's variables are read", async () => {
  await using netns = await Netns.create();
  const large = "x".repeat(100_000); // more than a page: the memory is read across them
  await using process = await target({ GREETING: "hello", LARGE: large }, 65534);
  const set = "-all,+bpf,+net_admin,+sys_ptrace";
  const prefix = netns.inside(["setpriv", `--bounding-set=${set}`, `--inh-caps=${set}`]);
  await using client = await FakeClient.start(netns, { prefix, options: { targetPid: process.pid } });
  const { GREETING, LARGE } = await ask(client.link, [], []);
  assert.deepEqual({ GREETING, LARGE }, { GREETING: "hello", LARGE: large });
});

/** Where a process can be put into a cgroup of its own: version 1 or 2 of cgroups(7). */
const cgroups = ["/sys/fs/cgroup/pids", "/sys/fs/cgroup"].find((folder) => {
  try {
    return Deno.statSync(`${folder}/cgroup.procs`).isFile;
  } catch {
    return false;
  }
});

Deno.test({
  name: "the container's id finds its first process, with or without the runtime's name before it",
  ignore: cgroups === undefined, // no cgroup file system here
  async fn() {
    await using netns = await Netns.create();
    await using process = await target({ WHO: "the container" });
    const group = `mirrord-test-${netns.name}`;
    await Deno.mkdir(`${cgroups}/${group}`);
    try {
      await Deno.writeTextFile(`${cgroups}/${group}/cgroup.procs`, String(process.pid));
      for (const containerId of [group, `containerd://${group}`]) {
        await using client = await FakeClient.start(netns, { options: { containerId }, anyProcess: true });
        assert.equal((await ask(client.link, ["WHO"], []))["WHO"], "the container");
      }
    } finally {
      await Deno.writeTextFile(`${cgroups}/cgroup.procs`, String(process.pid));
      await Deno.remove(`${cgroups}/${group}`);
    }
  },
});
