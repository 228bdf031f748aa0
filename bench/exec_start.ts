// How long a session's start takes: from the command to the first instruction of the app, with the agent's
// image on the node and with the agent sent, against the first instruction of a container of `kubectl debug`.
// Called by start.ts. On a pod of a cluster when one is up, otherwise beside a process of this machine
// (root), where nothing is sent.

import { kubectlCommand } from "../tests/cluster/access.ts";
import { ClusterStage, missingCluster, withoutImage } from "../tests/support/cluster_stage.ts";
import { ProcessStage } from "../tests/support/process_stage.ts";
import { runMirrord } from "../tests/support/program.ts";
import type { Stage } from "../tests/support/stage.ts";
import { median } from "./measure.ts";

const rounds = 7;
/**
 * The kubelet looks at a pod again a second after its last container came or went: a start within that waits
 * for it.
 */
const restMilliseconds = 2500;

/** Milliseconds, and what the target was; null where there is no cluster. */
export interface ExecStart {
  target: string;
  ms: number;
  sentMs: number | null;
  debugMs: number | null;
}

/** Measures all of them in turn. */
export async function execStart(): Promise<ExecStart> {
  if (missingCluster !== null) {
    await using stage = await ProcessStage.create();
    const [ms = NaN] = await inTurn([() => once(stage, stage.prefix)], 0);
    return { target: "a process of this machine", ms, sentMs: null, debugMs: null };
  }
  await using stage = await ClusterStage.create();
  const [ms = NaN, sentMs = NaN, debugMs = NaN] = await inTurn([
    () => once(stage, stage.prefix),
    () => once(stage, [...stage.prefix, ...withoutImage]),
    () => debugged(stage),
  ], restMilliseconds);
  return { target: "a pod", ms, sentMs, debugMs };
}

/** The medians; the first round warms up. */
async function inTurn(ways: (() => Promise<number>)[], rest: number): Promise<number[]> {
  const took = ways.map((): number[] => []);
  for (let round = 0; round <= rounds; round++) {
    for (const [index, way] of ways.entries()) {
      await new Promise((resolve) => setTimeout(resolve, rest));
      const ms = await way();
      if (round > 0) took[index]?.push(ms);
    }
  }
  return took.map(median);
}

/** Milliseconds since the epoch, with fractions. */
function now(): number {
  return performance.timeOrigin + performance.now();
}

async function once(stage: Stage, prefix: string[]): Promise<number> {
  const began = now();
  const { code, stdout, stderr } = await runMirrord(
    ["exec", ...stage.targetFlags, "--steal", "--", "/usr/bin/date", "+%s%N"],
    { prefix },
  );
  if (code !== 0) throw new Error(`Cannot measure the start: ${stderr}`);
  return Number(BigInt(stdout.trim()) / 1000n) / 1000 - began;
}

/** The kubelet's own start with kubectl's work before it: the container says when it began. */
async function debugged(stage: ClusterStage): Promise<number> {
  const name = `debug-${crypto.randomUUID().slice(0, 8)}`;
  const [program = "", ...args] = await kubectlCommand([
    ...["-n", stage.namespace, "debug", await stage.podName(), "--image=test.local/python:1"],
    ...[
      "--image-pull-policy=IfNotPresent",
      `--container=${name}`,
      "--target=app",
      "--attach",
      "--quiet",
      "--",
    ],
    ...["python3", "-c", "import time; print(time.time_ns())"],
  ]);
  const began = now();
  const { success, stderr } = await new Deno.Command(program, { args, stdin: "null" }).output();
  if (!success) throw new Error(`Cannot run kubectl debug: ${new TextDecoder().decode(stderr)}`);
  const said = await stage.kubectl("logs", await stage.podName(), "--container", name);
  return Number(BigInt(said.trim()) / 1000n) / 1000 - began;
}
