// How long a session's start takes: from the command to the first instruction of the app, the agent's image
// being there. Called by startup.ts. On a pod of a cluster when one is up, otherwise beside a process of this
// machine (root).

import { ClusterStage, missingCluster } from "../tests/support/cluster_stage.ts";
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

/** Milliseconds, and what the target was. */
export async function execStart(): Promise<{ ms: number; target: string }> {
  const onCluster = missingCluster === null;
  const stage: Stage & AsyncDisposable = onCluster
    ? await ClusterStage.create()
    : await ProcessStage.create();
  try {
    const took: number[] = [];
    for (let round = 0; round <= rounds; round++) {
      if (onCluster) await new Promise((resolve) => setTimeout(resolve, restMilliseconds));
      const ms = await once(stage);
      if (round > 0) took.push(ms);
    }
    return { ms: median(took), target: onCluster ? "a pod" : "a process of this machine" };
  } finally {
    await stage[Symbol.asyncDispose]();
  }
}

async function once(stage: Stage): Promise<number> {
  const began = performance.timeOrigin + performance.now();
  const { code, stdout, stderr } = await runMirrord(
    ["exec", ...stage.targetFlags, "--steal", "--", "/usr/bin/date", "+%s%N"],
    { prefix: stage.prefix },
  );
  if (code !== 0) throw new Error(`Cannot measure the start: ${stderr}`);
  return Number(BigInt(stdout.trim()) / 1000n) / 1000 - began;
}
