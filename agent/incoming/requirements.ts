// What stealing and mirroring need of kernel and container, and the one sentence that reports what is
// missing. Called by subscriptions.ts and mirror.ts. Facts: sk_lookup programs came with Linux 5.9, CAP_BPF
// with 5.8 (capabilities(7)).

import { Failure } from "../failure.ts";
import { BpfError } from "../sys/bpf.ts";
import { E, type SystemError } from "../sys/libc.ts";
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
  if (error.errno === E.EPERM || error.errno === E.EACCES) {
    // SYS_ADMIN stands for BPF and for nothing else (capabilities(7)).
    const lacking = needed.filter((one) =>
      !hasCapability(one) && !(one === "BPF" && hasCapability("SYS_ADMIN"))
    );
    const state = lacking.length > 0
      ? `the agent lacks the ${lacking.length > 1 ? "capabilities" : "capability"} ${lacking.join(" and ")}`
      : `the kernel refuses ${error.message}, as a security module or seccomp profile may`;
    return new Failure(E.EPERM, `${action}: ${state}`, { cause: error });
  }
  const log = error instanceof BpfError && error.log !== "" ? `; ${error.log.split("\n").at(-1)}` : "";
  return new Failure(
    error.errno,
    `${action}: the kernel (${kernelRelease()}) refuses ${error.message}${log}`,
    { cause: error },
  );
}
