// The end of the process that started mirrord. Called by cmd/editor_session.ts and cmd/owner.ts: a session
// for an editor, or of another mirrord, ends with it.

/** How often it is looked for: getppid(2) costs nothing, and tells of the end on every system. */
const lookMs = 500;

/** Aborted when the process that started this one has ended. Watched until disposed. */
export interface ParentWatch extends Disposable {
  signal: AbortSignal;
}

/** Watches `parent`, the one that there is now unless given; `reason` is the signal's. */
export function watchParent(
  reason: Error,
  parentOf: () => number = () => Deno.ppid,
  parent = parentOf(),
): ParentWatch {
  const controller = new AbortController();
  const timer = setInterval(() => {
    if (parentOf() === parent) return; // another process has adopted this one (wait(2), getppid(2))
    clearInterval(timer);
    controller.abort(reason);
  }, lookMs);
  return { signal: controller.signal, [Symbol.dispose]: () => clearInterval(timer) };
}
