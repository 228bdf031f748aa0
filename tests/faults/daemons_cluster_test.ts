// Rows of docs/reliability.md in which a part of the cluster itself stops: the API server, the kubelet,
// containerd, the name server. Each is killed as by a crash and started again; a test that fails starts it
// too.

import assert from "node:assert/strict";
import { isRunning, stopDaemon } from "../cluster/daemons.ts";
import { startPart } from "../cluster/node.ts";
import { registerCases } from "../support/cases.ts";
import { ask, untilBy } from "../support/client.ts";
import { ClusterStage, missingNode } from "../support/cluster_stage.ts";
import { assertClean } from "../support/postcondition.ts";
import { SessionRun } from "../support/session_run.ts";
import { rate, type Traffic } from "../support/traffic.ts";
import { atMost, type Outcome, row, underLoad } from "./row.ts";

/** A daemon that is away; disposing brings it back. */
async function away(name: string): Promise<AsyncDisposable> {
  await stopDaemon(name);
  return {
    async [Symbol.asyncDispose]() {
      if (!await isRunning(name)) await startPart(name);
    },
  };
}

/** A kubelet that lost its server looks for it again at longer and longer intervals. */
async function untilPodsStart(stage: ClusterStage): Promise<void> {
  const pod = ["again", "--image=test.local/python:1", "--restart=Never", "--command"];
  await stage.kubectl("run", ...pod, "--", "sleep", "infinity");
  await stage.kubectl("wait", "--for=condition=Ready", "pod/again", "--timeout=180s");
  await stage.kubectl("delete", "pod", "again", "--grace-period=0", "--force");
}

/**
 * The session's link goes with `name`; `meanwhile` is what happens before it comes back. The target's
 * container stays.
 */
async function partStops(
  stage: ClusterStage,
  name: string,
  meanwhile: (traffic: Traffic) => Promise<void> = () => Promise.resolve(),
): Promise<Outcome> {
  const identity = await stage.identity();
  const outcome = await underLoad(stage, async (traffic) => {
    await using run = await SessionRun.listening(stage);
    await traffic.settled("local");
    {
      await using _gone = await away(name);
      const { code, stderr } = await run.finished(60_000);
      assert.equal(code, 74, stderr);
      assert.match(stderr, /Cannot go on with the session/);
      await traffic.settled("original");
      await meanwhile(traffic);
    }
    await traffic.settled("original");
    await assertClean(run, identity, { within: 30 });
    return 74;
  });
  atMost(outcome.tally, 3);
  await untilPodsStart(stage);
  await using again = await SessionRun.listening(stage);
  assert.equal((await untilBy(stage, "local")).by, "local");
  again.kill("SIGTERM");
  assert.equal((await again.finished()).code, 143);
  await assertClean(again, identity);
  return outcome;
}

const lookup = `
import socket, sys
for line in sys.stdin:
    try:
        print("found", socket.getaddrinfo("app", 80)[0][4][0], file=sys.stderr, flush=True)
    except socket.gaierror as error:
        print("failed", error.errno, file=sys.stderr, flush=True)
`;

async function nameServerStops(stage: ClusterStage): Promise<Outcome> {
  const identity = await stage.identity();
  const local = decodeURIComponent(new URL("../apps/local.py", import.meta.url).pathname);
  const outcome = await underLoad(stage, async (traffic) => {
    const app = ["sh", "-c", 'python3 "$1" & exec python3 -c "$2"', "sh", local, lookup];
    await using run = await SessionRun.listening(stage, { app, stdin: "piped" });
    await traffic.settled("local");
    await run.type("one\n");
    await run.until(/^found /);
    {
      await using _gone = await away("coredns");
      const inside = await stage.tryKubectl(
        ...[
          "exec",
          await stage.podName(),
          "--",
          "python3",
          "-c",
          "import socket; socket.getaddrinfo('app', 80)",
        ],
      );
      const wanted = inside.stderr.match(/gaierror: \[Errno (-\d+)\]/)?.[1];
      assert.ok(wanted !== undefined, inside.stderr);
      await run.type("two\n");
      await run.until(new RegExp(`^failed ${wanted}$`), 60_000);
      await traffic.more(100);
    }
    const found = run.said().filter((line) => line.startsWith("found ")).length;
    await run.type("three\n");
    await traffic.settled("local");
    await run.until(/^found /);
    while (run.said().filter((line) => line.startsWith("found ")).length === found) await traffic.more(1);
    assert.equal((await ask(stage)).by, "local");
    run.interrupt();
    const { code } = await run.finished();
    await traffic.settled("original");
    await assertClean(run, identity);
    return code;
  });
  atMost(outcome.tally, 1);
  return outcome;
}

registerCases(
  [
    row(
      "5",
      (stage: ClusterStage) => partStops(stage, "kube-apiserver", (traffic) => traffic.more(30 * rate)),
    ),
    row("10c", (stage: ClusterStage) => partStops(stage, "kubelet")),
    row("10d", (stage: ClusterStage) => partStops(stage, "containerd")),
    row("24", nameServerStops),
  ],
  () => ClusterStage.create(),
  missingNode,
);
