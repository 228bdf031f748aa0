// `mirrord ext`: a session for an editor, which starts programs of this machine (editor_session.ts). This
// file has what it starts them by: variables, and on macOS copies of programs.

import { log } from "../core/base/log.ts";
import { hasRawBytes } from "../core/base/os_text.ts";
import type { Config } from "../core/config/config.ts";
import { withLayer } from "../core/launch/launch.ts";
import { checkExecutable } from "../core/launch/executable.ts";
import type { Programs } from "../core/launch/platform.ts";
import { skippedNames } from "../core/launch/skip.ts";
import { environmentChange } from "../core/session/app_env.ts";
import { libcResolves } from "../core/session/dns.ts";
import type { ExtCommand } from "./commands.ts";
import { serveEditor } from "./editor_session.ts";
import type { OpenedSession } from "./open_session.ts";

/** Variables to which mirrord adds: the editor's own values of them stay. */
const added = ["GODEBUG", "LD_PRELOAD", "DYLD_INSERT_LIBRARIES"];

/** What the editor starts programs with: upstream's fields. */
export interface ExtResult {
  environment: Record<string, string>;
  /** To be run in the place of the executable; null: that itself. */
  patched_path: string | null;
  env_to_unset: string[];
  uses_operator: boolean;
}

/** Runs a session to its end. Throws MirrordError when it could not begin or was lost. */
export async function ext(command: ExtCommand): Promise<number> {
  return await serveEditor(command, {
    program: ({ processes }) => checkExecutable(command.executable ?? "", skippedNames(processes)),
    async result(opened, { config, rules, programs, program }): Promise<ExtResult> {
      if (program !== "") opened.session.meets(program);
      const change = environmentChange(rules, opened.variables, added);
      return { ...resultOf(config, opened, change), patched_path: await patchedPath(program, programs) };
    },
  });
}

/** The copy that takes the layer, of a program that the system protects; null: it is started itself. */
async function patchedPath(program: string, programs: Programs): Promise<string | null> {
  if (program === "") return null;
  const { path, words } = await programs.prepare(program);
  return path === program || words.length > 0 ? null : path; // a script's interpreter is another program
}

/** What the programs are to be started with. */
function resultOf(
  config: Config,
  { carriesNames, layerPath, socketPath }: OpenedSession,
  { set, unset }: ReturnType<typeof environmentChange>,
): Omit<ExtResult, "patched_path"> {
  const whole = withLayer(layerPath, {
    env: carriesNames ? libcResolves(set) : set,
    socketPath,
    skipped: skippedNames(config.processes),
  });
  const raw = Object.keys(whole).filter((name) => hasRawBytes(name + whole[name]));
  if (raw.length > 0) {
    log.warning(
      `Variables that are not UTF-8 are left out, as editors cannot take them: ${raw.sort().join(", ")}`,
    );
  }
  const environment = Object.fromEntries(Object.entries(whole).filter(([name]) => !raw.includes(name)));
  return {
    environment,
    env_to_unset: unset.filter((name) => !Object.hasOwn(environment, name)),
    uses_operator: false,
  };
}
