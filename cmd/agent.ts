// `mirrord agent`: the agent's side of the same binary, started in the target's pod or beside a process. The
// only file that reaches agent/.

import { exitCodes, MirrordError } from "../core/base/errors.ts";
import type { AgentCommand } from "./commands.ts";

/** Runs the agent until its session ends; resolves with its exit code. */
export async function agent(command: AgentCommand): Promise<number> {
  const {
    listen,
    stdio,
    publicKey,
    containerId,
    targetPid,
    netnsOf,
    owner,
    firstClientLimit,
    lostLimit,
    heartbeatLimit,
    httpDetection,
  } = command;
  if ((listen === undefined) === (stdio === undefined)) {
    throw new MirrordError("Cannot start the agent: exactly one of --listen and --stdio is needed", {
      exitCode: exitCodes.usage,
    });
  }
  if (Deno.build.os !== "linux") {
    throw new MirrordError("Cannot start the agent: it runs on Linux only", { exitCode: exitCodes.usage });
  }
  const { runAgent } = await import("../agent/main.ts"); // its calls are those of Linux's C library
  return await runAgent({
    publicKey,
    link: listen === undefined ? { kind: "stdio" } : { kind: "tcp", port: listen },
    ...(containerId === undefined ? {} : { containerId }),
    ...(targetPid === undefined ? {} : { targetPid }),
    ...(netnsOf === undefined ? {} : { netns: netnsOf }),
    owner,
    firstClientLimitSeconds: firstClientLimit,
    lostLimitSeconds: lostLimit,
    heartbeatSeconds: heartbeatLimit,
    httpDetectionSeconds: httpDetection,
  });
}
