// The rules by which a session decides about paths: the configuration, this machine's places and the target's
// mounts. Called by options.ts; core/launch/container looks up homes here.

import { osText } from "../base/os_text.ts";
import { variable } from "../base/variables.ts";
import type { Config } from "../config/config.ts";
import type { Emit } from "./events.ts";
import type { LocalPlaces } from "./policy_default.ts";
import { noMounts, targetMounts } from "./policy_mounts.ts";
import type { AppContainer, FilesRules } from "./session_options.ts";
import type { Target } from "../target/resolve.ts";
import { platform } from "../net/this_platform.ts";

const { systemTrees, workingDirectory } = await platform.files();

/**
 * null: the app's files are not looked at. `program` is the app's file, `container` where it runs, if not on
 * this machine itself.
 */
export function filesRules(
  { files }: Config,
  target: Target,
  { program, container, emit }: { program: string; container?: AppContainer | undefined; emit: Emit },
): FilesRules | null {
  if (files.mode === "local") return null;
  const places = container === undefined ? machinePlaces() : containerPlaces(container);
  if (!files.autoMount || target.kind !== "pod") return { config: files, places, mounts: noMounts };
  const path = container === undefined ? variable("PATH") : container.variables["PATH"];
  const programs = [...(path ?? "").split(":"), program.replace(/\/[^/]*$/, "")];
  const mounts = targetMounts(target.mounts, {
    ...places,
    programs,
    kindOf: container === undefined ? kindOf : kindInImages,
  });
  if (mounts.kept.length > 0) emit({ type: "volumesUnread", paths: [...mounts.kept] });
  return { config: files, places, mounts };
}

function machinePlaces(): LocalPlaces {
  return {
    temporary: variable("TMPDIR") ?? "/tmp",
    workingDirectory: workingDirectory(),
    home: variable("HOME"),
    accountHome: accountHome(),
    systemTrees,
  };
}

function containerPlaces(
  { variables, workingDirectory, home, accountHome, mounts }: AppContainer,
): LocalPlaces {
  return {
    temporary: variables["TMPDIR"] ?? "/tmp",
    workingDirectory,
    home,
    accountHome,
    mounted: mounts,
  };
}

/** What images have (Filesystem Hierarchy Standard); of any other folder the target's is of more use. */
const inImages =
  /^\/(boot|etc|home|media|mnt|opt|root|run|srv|tmp|usr(\/(lib|local|share))?|var(\/(cache|lib|log|opt|run|spool|tmp))?)$/;

/** No file of the container is looked at for this: it does not run yet. */
function kindInImages(path: string): "nothing" | "other" {
  return inImages.test(path) ? "other" : "nothing";
}

/** The user's home by passwd(5); undefined where another source of names has it. */
function accountHome(): string | undefined {
  try {
    return homeIn("/etc/passwd", String(Deno.uid()));
  } catch {
    return undefined;
  }
}

/** The home of a user, by name or number, in a file of the form of passwd(5). */
export function homeIn(passwd: string, user: string): string | undefined {
  const lines = osText(Deno.readFileSync(passwd)).split("\n").map((line) => line.split(":"));
  return lines.find(([name, , id]) => user === id || user === name)?.[5];
}

/** What cannot be looked at is there. */
function kindOf(path: string): "nothing" | "link" | "other" {
  try {
    return Deno.lstatSync(path).isSymlink ? "link" : "other";
  } catch (error) {
    return error instanceof Deno.errors.NotFound ? "nothing" : "other";
  }
}
