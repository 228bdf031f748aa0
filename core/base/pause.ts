// Waiting for a time that a signal may cut short. Called where a program outside is asked again and again.

/** Resolves after `milliseconds`, or when `signal` aborts. */
export async function pauseOrEnd(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  if (signal?.aborted) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, milliseconds);
  const stop = () => resolve();
  signal?.addEventListener("abort", stop);
  await promise;
  clearTimeout(timer);
  signal?.removeEventListener("abort", stop);
}

/** As `pauseOrEnd`, but rejects with the signal's reason when that aborts. */
export async function pause(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  await pauseOrEnd(milliseconds, signal);
  signal?.throwIfAborted();
}
