// The shared cases of port-forward with a process of this machine as the target, and those in which the
// target is alone in its network: UDP, databases, last bytes, the target's end, and what never begins.

import assert from "node:assert/strict";
import { until } from "../cluster/command.ts";
import { missingForProcess, registerCases } from "../support/cases.ts";
import { forwardCases } from "../support/cases_forward.ts";
import { deadline } from "../support/deadline.ts";
import { ask, untilBy } from "../support/client.ts";
import { ForwardRun, LocalServer } from "../support/forward_run.ts";
import { assertTargetClean } from "../support/postcondition.ts";
import { ProcessStage } from "../support/process_stage.ts";
import { Mirrord, runMirrord } from "../support/program.ts";
import { Sink } from "../support/sink.ts";

/** Runs a server in the target's network until disposed; resolves when `ready` says that it listens. */
async function serves(stage: ProcessStage, argv: string[], ready: string[]): Promise<AsyncDisposable> {
  const [program = "", ...args] = stage.netns?.inside(argv) ?? argv;
  const child = new Deno.Command(program, { args, stdin: "null", stdout: "null", stderr: "null" }).spawn();
  const [asks = "", ...words] = stage.netns?.inside(ready) ?? ready;
  await until(`${argv[0]} listens`, async () => {
    const { success, stderr } = await new Deno.Command(asks, { args: words, stdin: "null" }).output();
    return success || new TextDecoder().decode(stderr);
  }, 20);
  return {
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await child.status;
    },
  };
}

const processCases = [
  {
    name: "redis-cli reaches a Redis of the target",
    async run(stage: ProcessStage) {
      const redis = ["redis-server", "--port", "6379", "--save", "", "--bind", "127.0.0.1", "-::1"];
      await using _server = await serves(stage, redis, ["redis-cli", "ping"]);
      await using run = await ForwardRun.ready(stage, ["-L", "0:localhost:6379"]);
      const cli = async (...words: string[]) =>
        (await run.client(["redis-cli", "-p", String(run.ports[0]), ...words])).stdout.trim();
      assert.equal(await cli("set", "key", "value"), "OK");
      assert.equal(await cli("get", "key"), "value");
    },
  },
  {
    name: "datagrams reach a server of the target, and their answers the client that asked",
    async run(stage: ProcessStage) {
      const udp6 = ["socat", "udp6-recvfrom:5300,fork", "exec:cat"];
      await using _server = await serves(stage, udp6, ["sh", "-c", "grep -q :14B4 /proc/self/net/udp6"]);
      await using run = await ForwardRun.ready(stage, [
        "-L",
        "[::1]:0:[::1]:5300/udp",
        "-L",
        "0:127.0.0.1:80",
      ]);
      const conns = [1, 2, 3].map(() => Deno.listenDatagram({ transport: "udp", hostname: "::1", port: 0 }));
      const to = { transport: "udp", hostname: "::1", port: run.ports[0] ?? 0 } as const;
      for (const [index, conn] of conns.entries()) await conn.send(new Uint8Array(1400).fill(index), to);
      for (const [index, conn] of conns.entries()) {
        const [bytes] = await deadline(conn.receive(), `an answer for client ${index}`);
        assert.deepEqual([bytes.length, bytes[0], bytes[1399]], [1400, index, index]);
        conn.close();
      }
    },
  },
  {
    name: "what a client sent before it ended arrives, though Ctrl-C comes at once",
    async run(stage: ProcessStage) {
      await using sink = await Sink.start(
        stage.netns?.inside([]) ?? [],
        "listen",
        "127.0.0.1",
        "5001",
        "2000000",
      );
      await using run = await ForwardRun.ready(stage, ["-L", "0:127.0.0.1:5001"]);
      const length = 3_000_000;
      const client = await Deno.connect({ hostname: "127.0.0.1", port: run.ports[0] ?? 0 });
      const bytes = new Uint8Array(length);
      for (let sent = 0; sent < length;) sent += await client.write(bytes.subarray(sent));
      client.close();
      run.kill("SIGINT");
      const { code, stderr } = await run.finished();
      assert.equal(code, 0, stderr);
      const { bytes: got, end } = await sink.next();
      assert.deepEqual([got, end], [length, "eof"]);
    },
  },
  {
    name: "programs read what is forwarded, and what fails, as events",
    async run(stage: ProcessStage) {
      const env = { MIRRORD_PROGRESS_MODE: "json" };
      await using run = new ForwardRun(stage, ["-L", "0:localhost:4319"], env);
      const line = await run.until(/"type":"forwarding"/);
      const { from, ...rest } = JSON.parse(line) as Record<string, string>;
      assert.deepEqual(rest, {
        type: "forwarding",
        direction: "outgoing",
        protocol: "tcp",
        to: "localhost:4319",
      });
      await run.asks(Number(from?.split(":")[1]));
      const failed = JSON.parse(await run.until(/"type":"forwardFailed"/)) as Record<string, unknown>;
      assert.deepEqual([failed["reason"], failed["isNews"]], ["the connection is refused", true]);
      run.kill("SIGINT");
      assert.equal((await run.finished()).code, 0);
    },
  },
  {
    name: "it is a session that can be listed and stopped from elsewhere",
    async run(stage: ProcessStage) {
      const folder = await Deno.makeTempDir();
      const env = { XDG_RUNTIME_DIR: folder };
      await using run = await ForwardRun.ready(stage, ["-R", "80:1"], env);
      let listed: { kind: string; command: string[]; ports: { port: number }[] }[] = [];
      await until("the session is listed", async () => {
        const { stdout } = await runMirrord(["session", "list", "-o", "json"], { env });
        listed = JSON.parse(stdout);
        return listed.length === 1 || stdout;
      });
      const [one] = listed;
      assert.deepEqual([one?.kind, one?.command], ["port-forward", ["port-forward", "-R", "80:1"]]);
      assert.deepEqual(one?.ports.map(({ port }) => port), [80]);
      assert.equal((await runMirrord(["session", "stop", "--all"], { env })).code, 0);
      assert.equal((await run.finished()).code, 0);
      await Deno.remove(folder, { recursive: true });
    },
  },
  {
    name: "a port of this machine that is taken is one error, before anything is made",
    async run(stage: ProcessStage) {
      const identity = await stage.identity();
      using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
      const args = ["port-forward", ...stage.targetFlags, "-L", `${taken.addr.port}:localhost:80`];
      const { code, stderr } = await runMirrord(args);
      assert.equal(code, 75);
      assert.deepEqual(stderr.split("\n").map((line) => line.replace(/\d{4,}/g, "N")), [
        'mirrord error: Cannot listen on "127.0.0.1:N": another program listens there',
        "  help: Choose another port of this machine, or 0 for any free one (-L N:localhost:80).",
      ]);
      await assertTargetClean(stage, identity);
    },
  },
  {
    name: "a port of the target that another session has is one error, and the other one keeps it",
    async run(stage: ProcessStage) {
      await using first = await ForwardRun.ready(stage, ["-R", "80:1"]);
      const { code, stderr } = await runMirrord(["port-forward", ...stage.targetFlags, "-R", "80:2"]);
      assert.equal(code, 75);
      assert.match(stderr, /error: Cannot steal port 80: .* has it/);
      assert.equal((await stage.agents()).length, 1);
      first.kill("SIGINT");
      assert.equal((await first.finished()).code, 0);
    },
  },
];

registerCases([...forwardCases, ...processCases], () => ProcessStage.create(), missingForProcess());

Deno.test({
  name: "the end of a target that is a process is the end of its forwards",
  ignore: missingForProcess() !== null,
  async fn() {
    await using stage = await ProcessStage.create();
    await using run = await ForwardRun.ready(stage, ["-L", "0:localhost:80"]);
    const agents = await stage.agents();
    await stage.end();
    for (const pid of agents) Deno.kill(pid, "SIGKILL");
    const { code, stderr } = await run.finished();
    assert.equal(code, 69, stderr);
    assert.match(stderr, /error: Cannot target "process\/\d+": there is no such process/);
  },
});

Deno.test({
  name: "Ctrl-C while there is no agent ends it with 0, and nothing is left",
  ignore: missingForProcess() !== null,
  async fn() {
    await using stage = await ProcessStage.create();
    const identity = await stage.identity();
    await using run = await ForwardRun.ready(stage, ["-L", "0:localhost:80"]);
    for (const pid of await stage.agents()) Deno.kill(pid, "SIGKILL");
    await run.until(/The agent is gone/);
    run.kill("SIGINT");
    const { code, stderr } = await run.finished();
    assert.equal(code, 0, stderr);
    assert.ok(!stderr.includes("Forwarding again"), stderr);
    await assertTargetClean(stage, identity);
  },
});

Deno.test({
  name: "Ctrl-Z gives the target its port back at once, and fg takes it again with every connection",
  ignore: missingForProcess() !== null,
  async fn() {
    await using stage = await ProcessStage.create();
    await using server = await LocalServer.start(stage);
    const args = ["port-forward", ...stage.targetFlags, "-L", "0:localhost:80", "-R", `80:${server.port}`];
    const shell = decodeURIComponent(new URL("../apps/job_control.py", import.meta.url).pathname);
    await using run = new Mirrord(args, {
      prefix: ["python3", shell],
      env: { TERM: "dumb" },
      stdin: "piped",
    });
    const line = await run.until(/Forwarding \S+ to localhost:80/);
    await run.until(/Forwarding port 80/);
    const client = await Deno.connect({
      hostname: "127.0.0.1",
      port: Number(/:(\d+) to localhost/.exec(line)?.[1]),
    });
    await run.type("stop\n");
    await run.until(/^job stopped$/);
    await run.until(/Paused: the target answers new connections of port 80 meanwhile/);
    assert.equal((await ask(stage)).by, "original");
    await run.type("go\n");
    await run.until(/Continued after .* s: port 80 is stolen again/);
    await untilBy(stage, "local");
    await client.write(new TextEncoder().encode("GET / HTTP/1.0\r\n\r\n"));
    const answer = await deadline(new Response(client.readable).text(), "the connection of before answers");
    assert.match(answer, /^HTTP\/1\.[01] 200 /);
    await run.end();
  },
});

Deno.test("what cannot be forwarded is refused before anything is looked for", async () => {
  const cases: [string[], number, RegExp][] = [
    [["-t", "process/1"], 2, /no port is named\n.*-L 5432:db:5432/],
    [["-t", "process/1", "-L", "8080:80"], 2, /Cannot forward "8080:80": "8080" is no host/],
    [["-t", "process/1", "-R", "80:1", "-R", "80:2"], 2, /port 80 of the target is named twice/],
    [["-L", "db:80"], 78, /there is no target\n.*--target/],
    [["-t", "targetless", "-R", "80:1"], 78, /there is no target/],
  ];
  for (const [flags, expected, said] of cases) {
    const { code, stderr } = await runMirrord(["port-forward", ...flags]);
    assert.equal(code, expected, stderr);
    assert.match(stderr, said);
  }
});
