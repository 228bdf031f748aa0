// `mirrord ext`: a session for an editor, which starts the programs itself. The walk is that of exec.ts
// without its last step: what exec would give the app is printed for the editor (upstream's contract,
// docs/editors.md). The session takes programs that come later, stays while there is none, and ends by a
// signal or with the process that started mirrord.

import { MirrordError, SessionError } from "../core/base/errors.ts";
import { log } from "../core/base/log.ts";
import { hasRawBytes } from "../core/base/os_text.ts";
import { variable, variables } from "../core/base/variables.ts";
import type { Config } from "../core/config/config.ts";
import { interruptible, Interrupts } from "../core/launch/interrupts.ts";
import { deliverLast } from "../core/launch/last_bytes.ts";
import { withLayer } from "../core/launch/launch.ts";
import { watchParent } from "../core/launch/parent.ts";
import { checkExecutable } from "../core/launch/executable.ts";
import type { Programs } from "../core/launch/platform.ts";
import { openPrograms } from "../core/launch/programs.ts";
import { endRemaining } from "../core/launch/session_programs.ts";
import { skippedNames } from "../core/launch/skip.ts";
import { environmentChange, environmentRules } from "../core/session/app_env.ts";
import { libcResolves } from "../core/session/dns.ts";
import type { Session } from "../core/session/session.ts";
import type { ExtCommand } from "./commands.ts";
import { clusterFlags, configOf } from "./config_flags.ts";
import { type OpenedSession, openSession } from "./open_session.ts";
import { summarize } from "./summary.ts";
import { showEditorLines } from "./ui.ts";

/** Upstream's name of the task; editors wait for its end. */
const task = "mirrord preparing to launch";
/** Variables to which mirrord adds: the editor's own values of them stay. */
const added = ["GODEBUG", "LD_PRELOAD", "DYLD_INSERT_LIBRARIES"];
const endingSignals: Deno.Signal[] = ["SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT"];
/** How long programs that were asked to end may take, before the session ends under them. */
const graceMs = 2000;

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
    const program = await checkExecutable(command.executable ?? "", skippedNames(config.processes));
    await using stack = new AsyncDisposableStack();
    const programs = openPrograms(config.processes, variables());
    const opened = await openSession(config, stack, {
      program,
      programs,
      rules,
      signal,
      forced: false,
      kind: "ext",
      command: program === "" ? [] : [program],
    });
    signal.throwIfAborted();
    if (program !== "") opened.session.meets(program);
    const change = environmentChange(rules, opened.variables, added);
    const patched = await patchedPath(program, programs);
    const ended = hearEnd(opened.session, parent.signal);
    interrupt[Symbol.dispose](); // from here on signals end the session in order
    sayConfig(config, opened);
    lines.ready({ ...resultOf(config, opened, change), patched_path: patched });
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
 * Hears signals from now on. The listeners stay: one that nobody listens to would end the teardown
 * (launch.ts).
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
