// The platform that this process runs on. Called by every room above that needs the operating system.

import { exitCodes, MirrordError } from "../base/errors.ts";
import { darwin } from "./darwin/platform.ts";
import { linux } from "./linux/platform.ts";
import type { Platform } from "./platform.ts";

/** Which of an interface's platforms answers here. Throws MirrordError (71) where none does. */
export function chosen<T>(platforms: Partial<Record<typeof Deno.build.os, T>>): T {
  const found = platforms[Deno.build.os];
  if (found !== undefined) return found;
  throw new MirrordError(`Cannot run on ${Deno.build.os}: mirrord needs Linux or macOS`, {
    exitCode: exitCodes.machine,
  });
}

export const platform = chosen<Platform>({ linux, darwin });
