// The floor "env" of one client: the environment of the target's process. Made by client.ts.
// Invariant: names are filtered here, so a variable the config excludes never leaves the pod.

import {
  type AgentFrame,
  type AgentLink,
  agentMessages,
  compileGlobs,
  decode,
  endFlag,
} from "../protocol-wasm/mod.ts";
import { Failure } from "./failure.ts";
import type { Floor } from "./floor.ts";
import { E } from "./sys/libc.ts";
import { findTarget, hasCapability, readEnvironment, type TargetProcess } from "./sys/proc.ts";

const chunkSize = 65536;

export class Env implements Floor {
  readonly kinds = ["env", "envNames"] as const;
  readonly #link: AgentLink;
  readonly #target: TargetProcess;

  constructor(link: AgentLink, target: TargetProcess) {
    this.#link = link;
    this.#target = target;
  }

  async answer(frame: AgentFrame): Promise<void> {
    const kind = frame.name === "envNames" ? "envNames" : "env";
    const { include, exclude } = decode(agentMessages[kind], frame.body);
    const pairs = targetEnvironment(this.#target, include, exclude);
    for (const { body, flags } of environmentFrames(kind === "env" ? pairs : environmentNames(pairs))) {
      await this.#link.send(kind, frame.id, body, flags);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

/**
 * The pairs whose name matches `include` (empty: all) and not `exclude`; both are newline-separated globs.
 */
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

/** The names of `NAME=value\0` pairs, each with a zero byte behind it. */
export function environmentNames(pairs: Uint8Array): Uint8Array {
  const names: number[] = [];
  for (let start = 0; start < pairs.length;) {
    const zero = pairs.indexOf(0, start);
    const end = zero < 0 ? pairs.length : zero;
    const equals = pairs.indexOf(0x3d, start);
    for (let at = start; at < Math.min(equals < 0 ? end : equals, end); at++) names.push(pairs[at] ?? 0);
    names.push(0);
    start = end + 1;
  }
  return Uint8Array.from(names);
}

/** `bytes` in frame bodies, at least one; the last with END. */
export function* environmentFrames(bytes: Uint8Array): Generator<{ body: Uint8Array; flags: number }> {
  for (let at = 0;; at += chunkSize) {
    const last = at + chunkSize >= bytes.length;
    yield { body: bytes.subarray(at, at + chunkSize), flags: last ? endFlag : 0 };
    if (last) return;
  }
}
