// What stealing and mirroring need of kernel and container, and the one sentence that reports what is
// missing. Called by subscriptions.ts, mirror.ts and packets.ts. Facts: sk_lookup programs came with Linux
// 5.9, CAP_BPF with 5.8 (capabilities(7)); how 5.11 changed the count of memory stands in
// sys/locked_memory.ts.

import { Failure } from "../failure.ts";
import { BpfError } from "../sys/bpf.ts";
import { E, type SystemError } from "../sys/libc.ts";
import { countsMapsAsLocked, lockedMemoryLimit } from "../sys/locked_memory.ts";
import { type Capability, hasCapability, kernelAtLeast, kernelRelease } from "../sys/proc.ts";

/** Throws Failure on a kernel older than 5.`minor`. */
export function requireKernel(action: string, minor: number, release = kernelRelease()): void {
  if (kernelAtLeast(release, 5, minor)) return;
  throw new Failure(
    E.ENOSYS,
    `${action}: this needs Linux 5.${minor} or later, the target's node runs ${release}`,
  );
}

/** The failure for the client when the kernel refused a call that needs these capabilities. */
export function explainKernelRefusal(
  error: SystemError,
  action: string,
  needed: readonly Capability[],
): Failure {
  const log = error instanceof BpfError ? error.log.split("\n").findLast((line) => !isCount(line)) ?? "" : "";
  // Where the verifier has a reason, the right to ask it was there.
  if (log === "" && (error.errno === E.EPERM || error.errno === E.EACCES)) {
    // SYS_ADMIN stands for BPF and for nothing else (capabilities(7)).
    const lacking = needed.filter((one) =>
      !hasCapability(one) && !(one === "BPF" && hasCapability("SYS_ADMIN"))
    );
    const limit = lockedMemoryLimit();
    const state = lacking.length > 0
      ? `the agent lacks the ${lacking.length > 1 ? "capabilities" : "capability"} ${lacking.join(" and ")}`
      : error.errno === E.EPERM && countsMapsAsLocked() && limit < Infinity
      ? `the node's kernel (${kernelRelease()}) counts BPF maps as locked memory, of which the agent may have ` +
        `${
          limit >> 10
        } KiB (RLIMIT_MEMLOCK). Raise the limit that the node's container runtime gives, or use ` +
        "a node with Linux 5.11 or later"
      : `the kernel refuses ${error.message}, as a security module or seccomp profile may`;
    return new Failure(E.EPERM, `${action}: ${state}`, { cause: error });
  }
  return new Failure(
    error.errno,
    `${action}: the kernel (${kernelRelease()}) refuses ${error.message}${log === "" ? "" : `; ${log}`}`,
    { cause: error },
  );
}

/** Is it one of the lines in which the verifier ends its log with what it counted? */
function isCount(line: string): boolean {
  return line === "" || /^(processed|verification time|stack depth) /.test(line);
}
