// Waiting for a time that a signal or an event may cut short. Called where a program outside is asked again
// and again, and where an event may not come.

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

/** What `promise` resolves with; `otherwise` where that takes longer than `milliseconds`. */
export async function within<Value>(
  promise: Promise<Value>,
  milliseconds: number,
  otherwise: Value,
): Promise<Value> {
  const late = Promise.withResolvers<Value>();
  const timer = setTimeout(() => late.resolve(otherwise), milliseconds);
  try {
    return await Promise.race([promise, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** As `promise`, or rejects with the signal's reason. */
export async function unlessAborted<Value>(promise: Promise<Value>, signal: AbortSignal): Promise<Value> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const stop = () => reject(signal.reason);
  if (signal.aborted) stop();
  signal.addEventListener("abort", stop);
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}
