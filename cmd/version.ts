// `mirrord version`: which mirrord this is, for a bug report or a program. The commit is put in by
// scripts/release.ts; any other build has none.

import { mirrordVersion } from "../core/base/version.ts";
import { releaseImage, sentImage, usualImage } from "../core/config/agent_image.ts";
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
    agentImage: releaseImage,
    agentSent: usualImage(false) === sentImage,
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
  printLine(
    `agent        ${
      facts.agentSent ? "sent to the target, unless agent.image names an image" : "from that image"
    }`,
  );
  return 0;
}
