// A process on this machine as the target. Called by resolve.ts and, to see that it is still the same one, by
// deploy/local.ts.

import { exitCodes, TargetError } from "../base/errors.ts";
import type { ProcessTarget } from "./target.ts";

/** Finds the process; throws TargetError when there is none of that number. */
export async function resolveProcess(pid: number): Promise<ProcessTarget> {
  if (Deno.build.os !== "linux") {
    throw new TargetError(`Cannot target "process/${pid}": only on Linux can a process be a target`, {
      exitCode: exitCodes.config,
    });
  }
  const startTime = await startTimeOf(pid);
  if (startTime === undefined) {
    throw new TargetError(`Cannot target "process/${pid}": there is no such process`, {
      help: "Find its number with: ps -e",
    });
  }
  const name = await Deno.readTextFile(`/proc/${pid}/comm`).then((text) => text.trim(), () => "gone");
  return {
    kind: "process",
    path: `process/${pid}`,
    label: `process ${pid} (${name})`,
    pid,
    startTime,
    [Symbol.dispose]() {},
  };
}

/** When the process began, in clock ticks after boot; undefined: it is gone (or a zombie). */
export async function startTimeOf(pid: number): Promise<bigint | undefined> {
  const stat = await Deno.readTextFile(`/proc/${pid}/stat`).catch(() => undefined);
  // proc(5): the command's name stands in brackets and may itself hold spaces and brackets.
  const fields = stat?.slice(stat.lastIndexOf(")") + 2).split(" ");
  const [state] = fields ?? [];
  const ticks = fields?.[19];
  return ticks === undefined || state === "Z" || state === "X" ? undefined : BigInt(ticks);
}
