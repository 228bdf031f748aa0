// Errors that do not reach the command through a promise: thrown by a callback of the runtime, or by a
// promise that is not awaited. Called by mod.ts, so that these bugs end mirrord as all others do, with exit
// code 70 and a stack, and not with the runtime's own 1.

/** Rejects with the first such error of this process; later ones are left to the runtime. */
export function uncaught(): Promise<never> {
  const first = Promise.withResolvers<never>();
  addEventListener("error", (event) => {
    event.preventDefault();
    first.reject(event.error);
  }, { once: true });
  addEventListener("unhandledrejection", (event) => {
    event.preventDefault();
    first.reject(event.reason);
  }, { once: true });
  return first.promise;
}
