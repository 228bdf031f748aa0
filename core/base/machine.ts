// What may run out on this machine while mirrord runs: room on its disk, memory, processes, open files. Such
// an error of the operating system is no bug; cmd/ui.ts prints it as its own sentence, with a documented exit
// code. Called wherever one may come.

import { exitCodes, MirrordError } from "./errors.ts";

/** By the errno's name: what is missing, what to do, and the exit code where it is another. */
const lacks: Record<string, { state: string; help: string; exitCode?: number }> = {
  ENOSPC: {
    state: "this machine's disk is full",
    help: "Make room (df -h, df -i), or set TMPDIR to another folder.",
  },
  EDQUOT: {
    state: "your disk quota on this machine is used up",
    help: "Make room (quota), or set TMPDIR to another folder.",
  },
  EROFS: {
    state: "the file system is read-only",
    help: "Set TMPDIR to a writable folder.",
  },
  EMFILE: {
    state: "mirrord has too many open files",
    help: "Raise the limit (ulimit -n), or find the leak.",
  },
  ENFILE: { state: "this machine has too many open files", help: "Find the program that has them: lsof." },
  ENOMEM: {
    state: "this machine has no memory left",
    help: "End the program that uses it (top), or raise the limit.",
  },
  E2BIG: {
    state: "the arguments and variables are too long for the kernel",
    help: "Leave out variables of the target that the program does not need: feature.env.exclude.",
    exitCode: exitCodes.notExecutable,
  },
};

/** `error` as what is missing on this machine; null for any other. */
export function machineError(error: unknown): MirrordError | null {
  if (!(error instanceof Error) || error instanceof MirrordError) return null;
  const name = "code" in error && typeof error.code === "string"
    ? error.code
    : /: (E[A-Z0-9]+)$/.exec(error.message)?.[1] ?? "";
  const lack = Object.hasOwn(lacks, name) ? lacks[name] : undefined;
  if (lack === undefined) return null;
  return new MirrordError(`Cannot go on: ${lack.state}`, {
    exitCode: lack.exitCode ?? exitCodes.machine,
    help: lack.help,
    cause: error,
  });
}
