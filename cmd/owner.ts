// The process with which a session ends: mirrord itself, where it started the session as a process of its own
// (`--ends-with`). Called by exec.ts and container.ts.

import { MirrordError } from "../core/base/errors.ts";
import { watchParent } from "../core/launch/parent.ts";

/** The owner of a session, watched until disposed. */
export interface Owner extends Disposable {
  /** Aborted when the owner or `interrupt` asks to end. */
  signal: AbortSignal;
  /** Resolves with the reason when the owner has ended. */
  ended: Promise<MirrordError>;
  /** Another mirrord, which told the user which configuration counts; otherwise it is the user. */
  isMirrord: boolean;
}

/** endsWith: the owner's process; undefined: the user's session. */
export function ownerOf(endsWith: number | undefined, interrupt: AbortSignal): Owner {
  const ended = Promise.withResolvers<MirrordError>();
  if (endsWith === undefined) {
    return { signal: interrupt, ended: ended.promise, isMirrord: false, [Symbol.dispose]() {} };
  }
  const reason = new MirrordError("Cannot go on: the mirrord that started this session has ended", {
    exitCode: 128 + 1,
  });
  const watch = watchParent(reason, () => Deno.ppid, endsWith);
  watch.signal.addEventListener("abort", () => ended.resolve(reason));
  return {
    signal: AbortSignal.any([interrupt, watch.signal]),
    ended: ended.promise,
    isMirrord: true,
    [Symbol.dispose]: () => watch[Symbol.dispose](),
  };
}
