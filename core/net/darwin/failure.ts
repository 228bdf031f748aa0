// What the runtime's own errors mean as errnos, which are Linux's on every platform: ../system_error.ts.
// Called by its neighbours for every call of the runtime that may fail.

import { E, SystemError } from "../system_error.ts";

/** Errors of the runtime that carry no name of an errno. */
const classes: [new (message: string) => Error, number][] = [
  [Deno.errors.ConnectionRefused, E.ECONNREFUSED],
  [Deno.errors.ConnectionReset, E.ECONNRESET],
  [Deno.errors.ConnectionAborted, E.ECONNABORTED],
  [Deno.errors.BrokenPipe, E.EPIPE],
  [Deno.errors.AddrInUse, E.EADDRINUSE],
  [Deno.errors.AddrNotAvailable, E.EADDRNOTAVAIL],
  [Deno.errors.TimedOut, E.ETIMEDOUT],
  [Deno.errors.PermissionDenied, E.EACCES],
  [Deno.errors.NotFound, E.ENOENT],
  // Closed on this side while a call was under way.
  [Deno.errors.BadResource, E.ECONNRESET],
  [Deno.errors.Interrupted, E.ECONNRESET],
];

/** `error`, which `call` failed with, as a SystemError; EIO where it names nothing known. */
export function systemError(call: string, error: unknown): SystemError {
  if (error instanceof SystemError) return error;
  const name = error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "";
  const named = Object.entries(E).find(([one]) => one === name)?.[1];
  const known = classes.find(([kind]) => error instanceof kind)?.[1];
  return new SystemError(call, named ?? known ?? E.EIO);
}
