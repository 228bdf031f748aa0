// `mirrord version`: which mirrord this is, for a bug report or a program. The commit is put in by
// scripts/release.ts; any other build has none.

import { mirrordVersion } from "../core/base/version.ts";
import { defaultAgentImage } from "../core/config/resolve.ts";
import type { VersionCommand } from "./commands.ts";
import { printLine } from "./ui.ts";

/** Replaced by the bundler (scripts/build_binary.ts). */
declare const releaseCommit: string | undefined;

/** Prints the facts as lines, or as one JSON object. */
export function version({ output }: VersionCommand): number {
  const facts = {
    version: mirrordVersion,
    commit: typeof releaseCommit === "string" ? releaseCommit : null,
    runtime: `deno ${Deno.version.deno}`,
    platform: `${Deno.build.os === "darwin" ? "macos" : Deno.build.os}-${Deno.build.arch}`,
    agentImage: defaultAgentImage,
  };
  if (output === "json") {
    printLine(JSON.stringify(facts));
    return 0;
  }
  printLine(`mirrord ${facts.version}`);
  printLine(`commit       ${facts.commit ?? "none: not a release"}`);
  printLine(`runtime      ${facts.runtime}`);
  printLine(`platform     ${facts.platform}`);
  printLine(`agent image  ${facts.agentImage}`);
  return 0;
}
