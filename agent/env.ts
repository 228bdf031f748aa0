// The environment of the target's process, as the floor "env" of a session asks for it. Called by client.ts.
// Invariant: names are filtered here, so a variable the config excludes never leaves the pod.

import { compileGlobs, endFlag } from "../protocol-wasm/mod.ts";
import { Failure } from "./failure.ts";
import { E } from "./sys/libc.ts";
import { findTarget, hasCapability, readEnvironment, type TargetProcess } from "./sys/proc.ts";

const chunkSize = 65536;

/** The pairs whose name matches `include` (empty: all) and not `exclude`; both are newline-separated globs. */
export function selectEnvironment(pairs: Uint8Array, include: string, exclude: string): Uint8Array {
  const [wanted, unwanted] = [include, exclude].map((text) => compileGlobs(text.split("\n").filter(Boolean)));
  const kept: number[] = [];
  const decoder = new TextDecoder();
  for (let start = 0; start < pairs.length;) {
    const zero = pairs.indexOf(0, start);
    const end = zero < 0 ? pairs.length : zero;
    const equals = pairs.indexOf(0x3d, start);
    if (equals > start && equals < end) {
      const name = decoder.decode(pairs.subarray(start, equals));
      if ((include === "" || wanted?.matches(name)) && !unwanted?.matches(name)) {
        for (let at = start; at < end; at++) kept.push(pairs[at] ?? 0);
        kept.push(0);
      }
    }
    start = end + 1;
  }
  return Uint8Array.from(kept);
}

/** The target's selected variables. Throws Failure, FilterError for a bad glob. */
export function targetEnvironment(target: TargetProcess, include: string, exclude: string): Uint8Array {
  const pid = findTarget(target);
  let pairs: Uint8Array;
  try {
    pairs = readEnvironment(pid);
  } catch (error) {
    const what = `Cannot read the environment of process ${pid}`;
    if (error instanceof Deno.errors.NotFound) {
      throw new Failure(E.ESRCH, `${what}: there is no such process`);
    }
    if (!(error instanceof Deno.errors.PermissionDenied)) throw error;
    const why = hasCapability("SYS_PTRACE")
      ? "the kernel refuses it, as a security module may"
      : "the agent lacks the capability SYS_PTRACE";
    throw new Failure(E.EACCES, `${what}: ${why}`);
  }
  return selectEnvironment(pairs, include, exclude);
}

/** `bytes` in frame bodies, at least one; the last with END. */
export function* environmentFrames(bytes: Uint8Array): Generator<{ body: Uint8Array; flags: number }> {
  for (let at = 0;; at += chunkSize) {
    const last = at + chunkSize >= bytes.length;
    yield { body: bytes.subarray(at, at + chunkSize), flags: last ? endFlag : 0 };
    if (last) return;
  }
}
