// In place of core/net/this_platform.ts, by an import map: the parts of Darwin that are made of the runtime's
// own calls, on Linux. Used by tests/layer/darwin_session_test.ts, which runs the session's tests with it.
// What Darwin tells by ps and /dev/… is Linux's here, but for the processes: those options of ps(1) are
// Darwin's own.

import { darwin } from "../../core/net/darwin/platform.ts";
import { linux } from "../../core/net/linux/platform.ts";
import type { Platform } from "../../core/net/platform.ts";

/** The platform of this machine, whatever is offered. */
export function chosen<T>(platforms: Partial<Record<typeof Deno.build.os, T>>): T {
  const found = platforms.linux;
  if (found === undefined) throw new Error("there is no part for Linux");
  return found;
}

export const platform: Platform = { ...linux, network: darwin.network };
