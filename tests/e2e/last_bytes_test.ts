// What a program sent last, with a pod as the target: its bytes, its datagrams and its answer arrive although
// it has ended.

import assert from "node:assert/strict";
import { kubectlCommand } from "../cluster/access.ts";
import { registerCases } from "../support/cases.ts";
import { ClusterStage, missingCluster } from "../support/cluster_stage.ts";
import { assertClean } from "../support/postcondition.ts";
import { SessionRun } from "../support/session_run.ts";
import { Sink } from "../support/sink.ts";

const apps = decodeURIComponent(new URL("../apps/", import.meta.url).pathname);
const config = { feature: { network: { incoming: "off" }, fs: "local" } };

/** A sink in a pod; it reads its program from standard input. */
async function sinkIn(stage: ClusterStage, pod: string, ...args: string[]): Promise<Sink> {
  const exec = ["--namespace", stage.namespace, "exec", "--stdin", pod, "--"];
  return await Sink.start(await kubectlCommand(exec), ...args);
}

/** Runs `app` to its end, which must be a good one. */
async function ends(stage: ClusterStage, app: string[]): Promise<SessionRun> {
  const run = new SessionRun(stage, { app, flags: [], config });
  const { code, stderr } = await run.finished();
  assert.equal(code, 0, stderr);
  return run;
}

const cases = [
  {
    name: "a megabyte of a program that closes and ends arrives in the pod",
    async run(stage: ClusterStage) {
      const identity = await stage.identity();
      await using sink = await sinkIn(stage, await stage.podName(), "once", "127.0.0.1", "5555");
      const app = ["/usr/bin/python3", `${apps}last_bytes.py`, "127.0.0.1", "5555", "1000000"];
      await using run = await ends(stage, app);
      const { bytes, end } = await sink.next();
      assert.deepEqual([bytes, end], [1_000_000, "eof"]);
      await assertClean(run, identity);
    },
  },
  {
    name: "the datagrams of fifty sockets that are closed at once arrive in the pod",
    async run(stage: ClusterStage) {
      await using sink = await sinkIn(stage, await stage.podName(), "datagrams", "127.0.0.1", "5514");
      const app = ["/usr/bin/python3", `${apps}last_datagrams.py`, "127.0.0.1", "5514", "50", "connect"];
      await using _run = await ends(stage, app);
      const last = "import socket; socket.socket(2, 2).sendto(b'end', ('127.0.0.1', 5514))";
      const got = await sink.datagrams(async () =>
        await stage.kubectl("exec", await stage.podName(), "--", "python3", "-c", last)
      );
      assert.deepEqual(got.toSorted(), Array.from({ length: 50 }, (_, n) => `datagram ${n}`).toSorted());
    },
  },
  {
    name: "a stolen answer of eight megabytes arrives though the app ended and its client reads slowly",
    async run(stage: ClusterStage) {
      const answer = [
        "import socket, sys",
        "server = socket.create_server(('', 80), family=socket.AF_INET6, dualstack_ipv6=True)",
        "print('listening 80', file=sys.stderr, flush=True)",
        "while True:",
        "    connection, _ = server.accept()",
        "    if connection.recv(65536): break  # otherwise a readiness probe that only connects",
        "connection.sendall(b'x' * 8000000)",
      ].join("\n");
      await using run = await SessionRun.listening(stage, {
        app: ["/usr/bin/python3", "-c", answer],
        flags: ["--steal", "--fs-mode", "local"],
      });
      await using client = await sinkIn(
        stage,
        "client",
        "dial",
        stage.hosts.ipv4,
        "80",
        "4e6",
        "GET / HTTP/1.0\r\n\r\n",
      );
      const { bytes, end } = await client.next();
      assert.deepEqual([bytes, end], [8_000_000, "eof"]);
      const { code, stderr } = await run.finished();
      assert.equal(code, 0, stderr);
    },
  },
];

registerCases(cases, () => ClusterStage.create(), missingCluster);
