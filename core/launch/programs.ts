// What is started in place of the app's programs, by this platform's word. Called by cmd/exec.ts.

import type { ProcessesConfig } from "../config/config.ts";
import type { Programs } from "./platform.ts";
import { baseName } from "./skip.ts";
import { launchPlatform } from "./this_platform.ts";

/** `variables`: mirrord's own, which say where the user's caches lie. */
export function openPrograms(
  { skipProtected, alwaysCopied }: ProcessesConfig,
  variables: Readonly<Record<string, string>>,
): Programs {
  const { HOME: home, TMPDIR: temporary = "/tmp" } = variables;
  return launchPlatform.openPrograms({
    folder: home === undefined || home === ""
      ? `${temporary.replace(/\/$/, "")}/mirrord-programs-${Deno.uid()}`
      : `${home}/Library/Caches/mirrord/programs`,
    skipped: new Set(skipProtected.map(baseName)),
    always: alwaysCopied,
  });
}
