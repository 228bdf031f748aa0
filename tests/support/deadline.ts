// The only clock of the tests: how long to wait for something that must happen. It never decides a result
// that was right in time; it turns a hang into a failure that says what was waited for.

const usualLimitMs = 120_000;
/** How many times as long an emulated machine may take (tests/kernels). */
export const patience = Number(Deno.env.get("MIRRORD_TEST_PATIENCE") ?? 1);

/**
 * Settles as `promise` does; rejects when that takes longer than any machine should need. `limitMs` for long
 * work.
 */
export async function deadline<T>(promise: Promise<T>, what: string, limitMs = usualLimitMs): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => late.reject(new Error(`waited ${limitMs * patience} ms: ${what}`)),
    limitMs * patience,
  );
  try {
    return await Promise.race([promise, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
