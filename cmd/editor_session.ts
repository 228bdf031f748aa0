// A session for an editor, which starts the programs itself: the walk of exec.ts without its last step. What
// exec would give the app is printed for the editor (upstream's contract, docs/editors.md). The session takes
// programs that come later, stays while there is none, and ends by a signal or with the process that started
// mirrord. Called by ext.ts for programs and container_ext.ts for containers, which say what the editor gets.

import { MirrordError, SessionError } from "../core/base/errors.ts";
import { log } from "../core/base/log.ts";
import { variable, variables } from "../core/base/variables.ts";
import type { Config } from "../core/config/config.ts";
import { interruptible, Interrupts } from "../core/launch/interrupts.ts";
import { deliverLast } from "../core/launch/last_bytes.ts";
import { watchParent } from "../core/launch/parent.ts";
import type { Programs } from "../core/launch/platform.ts";
import { openPrograms } from "../core/launch/programs.ts";
import { endRemaining } from "../core/launch/session_programs.ts";
import { environmentRules } from "../core/session/app_env.ts";
import type { EnvRules } from "../core/session/env.ts";
import type { Session } from "../core/session/session.ts";
import type { AppContainer } from "../core/session/session_options.ts";
import type { ContainerExtCommand, ExtCommand } from "./commands.ts";
import { clusterFlags, configOf } from "./config_flags.ts";
import { type OpenedSession, openSession } from "./open_session.ts";
import { summarize } from "./summary.ts";
import { showEditorLines } from "./ui.ts";

/** Upstream's name of the task; editors wait for its end. */
const task = "mirrord preparing to launch";
const endingSignals: Deno.Signal[] = ["SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT"];
/** How long programs that were asked to end may take, before the session ends under them. */
const graceMs = 2000;

/** What an editor's programs are to be started with. */
export interface EditorStart {
  config: Config;
  rules: EnvRules | null;
  programs: Programs;
  program: string;
}

export interface EditorWalk {
  /** The program that will be started; "": not known. Throws MirrordError for one that cannot be. */
  program(config: Config): Promise<string>;
  /** Where programs run, if not on this machine itself. */
  container?: AppContainer;
  /** What the editor is told, once the session is open. */
  result(opened: OpenedSession, start: EditorStart): Promise<unknown>;
}

/** Runs a session to its end. Throws MirrordError when it could not begin or was lost. */
export async function serveEditor(
  command: ExtCommand | ContainerExtCommand,
  walk: EditorWalk,
): Promise<number> {
  const lines = await showEditorLines(task);
  try {
    using interrupt = interruptible();
    using parent = watchParent(
      new MirrordError("Cannot go on: the process that started mirrord has ended", { exitCode: 128 + 1 }),
    );
    const signal = AbortSignal.any([interrupt.signal, parent.signal]);
    const config = await configOf(command, { ...clusterFlags(command), target: command.target }, {
      announced: true,
      runs: true,
      signal,
    });
    const rules = await environmentRules(config);
    const program = await walk.program(config);
    await using stack = new AsyncDisposableStack();
    const programs = openPrograms(config.processes, variables());
    const opened = await openSession(config, stack, {
      program,
      programs,
      rules,
      signal,
      forced: false,
      kind: command.name,
      command: program === "" ? [] : [program],
      ...(walk.container === undefined ? {} : { container: walk.container }),
    });
    signal.throwIfAborted();
    const result = await walk.result(opened, { config, rules, programs, program });
    const ended = hearEnd(opened.session, parent.signal);
    interrupt[Symbol.dispose](); // from here on signals end the session in order
    sayConfig(config, opened);
    lines.ready(result);
    const lost = await ended.reason;
    await endPrograms(opened);
    if (lost !== null) throw lost;
    using _lingering = ended.interrupts.linger();
    const limitMs = config.agent.lingerSeconds * 1000;
    const outliving = await deliverLast(opened.session, { limitMs, interrupts: ended.interrupts });
    if (outliving > 0) log.warning(`The session ends, but ${outliving} of its programs did not when asked`);
    return 0;
  } finally {
    lines.failed();
  }
}

/** By MIRRORD_EXT_PRINT_CONFIG, which JetBrains' editors set: what the programs get, and by which file. */
function sayConfig(config: Config, { target, alone }: OpenedSession): void {
  if (!/^(true|1)$/i.test(variable("MIRRORD_EXT_PRINT_CONFIG") ?? "")) return;
  const whose = target.kind === "cluster" ? "cluster" : "target";
  log.info(config.file === undefined ? "No configuration file is used" : `Configuration: ${config.file}`);
  log.info(alone ? "Programs have nothing of a target" : `Programs have the ${whose}'s ${summarize(config)}`);
}

interface End {
  /** Resolves with why the session was lost; null: it is to end. */
  reason: Promise<SessionError | null>;
  interrupts: Interrupts;
}

/**
 * Hears signals from now on. The listeners stay: a signal without one would end this process in the middle
 * of its teardown (launch.ts).
 */
function hearEnd(session: Session, parent: AbortSignal): End {
  const interrupts = new Interrupts();
  const asked = Promise.withResolvers<null>();
  const end = (): void => {
    interrupts.hear();
    asked.resolve(null);
  };
  for (const signal of endingSignals) Deno.addSignalListener(signal, end);
  parent.addEventListener("abort", end);
  if (parent.aborted) end();
  return { reason: Promise.race([session.lost, asked.promise]), interrupts };
}

/** Asks the programs of the session to end, and waits for that. */
async function endPrograms({ session, socketPath }: OpenedSession): Promise<void> {
  endRemaining(socketPath);
  const until = performance.now() + graceMs;
  while (await session.outliving() > 0 && performance.now() < until);
}
