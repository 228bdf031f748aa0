// Whether a pod has room for the agent: its memory counts to the pod's, and where that has a limit the kernel
// ends a process when both together reach it. Called by ephemeral.ts before anything is created. Of the two
// the agent dies first (agent/sys/own_process.ts), so too little room costs the session, not the target; but
// also its page cache.

import { DeployError, exitCodes } from "../base/errors.ts";
import { log } from "../base/log.ts";
import type { PodTarget } from "../target/target.ts";

const MiB = 2 ** 20;
/** What an agent takes under load, at most (`./dev bench start`, agent_peak_mib). */
const agentBytes = 96 * MiB;
/** Below this the agent's part is worth a word. */
const roomyBytes = 256 * MiB;

/**
 * Warns of a pod with little memory; throws DeployError for one that the agent alone could fill, unless it is
 * `forced`.
 */
export function checkMemory(target: Pick<PodTarget, "pod" | "memoryLimit">, forced: boolean): void {
  const { pod, memoryLimit } = target;
  if (memoryLimit === null || memoryLimit >= roomyBytes) return;
  const limit = mebibytes(memoryLimit);
  const agent = mebibytes(agentBytes);
  if (memoryLimit <= agentBytes && !forced) {
    throw new DeployError(
      `Cannot start the agent in the pod "${pod}": the pod may take ${limit} MiB of memory, and the agent alone up to ${agent}`,
      {
        help:
          "Raise the memory limits of its containers, or add --force: when memory runs out, the kernel ends the agent " +
          "and your session, before the target.",
        exitCode: exitCodes.unavailable,
      },
    );
  }
  log.warning(
    `The pod "${pod}" may take ${limit} MiB of memory, and the agent takes up to ${agent} of them while the session runs. ` +
      "When memory runs out, the kernel ends the agent and your session, before the target",
  );
}

function mebibytes(bytes: number): string {
  return String(Math.floor(bytes / MiB));
}
