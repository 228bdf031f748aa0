// `mirrord exec`, the walk: load the config, resolve the target, deploy the agent, open the session, launch
// the app (the middle three are open_session.ts). Each step is owned by the stack: teardown is the same walk
// backwards, however it ends.

import type { MirrordError } from "../core/base/errors.ts";
import { variables } from "../core/base/variables.ts";
import { checkGoRun } from "../core/launch/go_run.ts";
import { interruptible, Interrupts } from "../core/launch/interrupts.ts";
import { deliverLast } from "../core/launch/last_bytes.ts";
import { launchApp } from "../core/launch/launch.ts";
import { findProgram } from "../core/launch/program.ts";
import { openPrograms } from "../core/launch/programs.ts";
import { skippedNames } from "../core/launch/skip.ts";
import { appEnvironment, environmentRules } from "../core/session/app_env.ts";
import { libcResolves } from "../core/session/dns.ts";
import type { ExecCommand } from "./commands.ts";
import { configOf, execFlags } from "./config_flags.ts";
import { openSession } from "./open_session.ts";
import { ownerOf } from "./owner.ts";
import { sayOutliving, sayRunning } from "./steps.ts";

/** An app that runs. */
export interface Begun {
  /** Its first process. */
  programPid: number;
  /** The session's socket, which all of its processes name in their environment. */
  socketPath: string;
  /** The engine's id of its container. */
  container?: string;
}

/**
 * Runs the app to its end and resolves with its exit code; `began` hears that it runs. Throws MirrordError
 * when it could not run or the session was lost.
 */
export async function exec(command: ExecCommand, began?: (app: Begun) => void): Promise<number> {
  using interrupt = interruptible();
  using owner = ownerOf(command.endsWith, interrupt.signal);
  const { signal } = owner;
  const config = await configOf(command, execFlags(command), {
    announced: !owner.isMirrord,
    runs: true,
    signal,
  });
  const rules = await environmentRules(config);
  const skipped = skippedNames(config.processes);
  const programs = openPrograms(config.processes, variables());
  const program = await findProgram({
    name: command.program,
    args: command.args,
    variables: variables(),
    skipped,
    programs,
  });
  await checkGoRun(program, command.args, rules?.override);
  await using stack = new AsyncDisposableStack();
  const opened = await openSession(config, stack, {
    program,
    programs,
    rules,
    signal,
    forced: command.force === true,
    kind: "exec",
    command: [command.program, ...command.args],
  });
  const { layerPath, session, socketPath } = opened;
  const env = appEnvironment(rules, opened.variables);
  await checkGoRun(program, command.args, env); // the target's CGO_ENABLED counts too
  signal.throwIfAborted();
  session.meets(program);
  sayRunning(command.program, config, { target: opened.target, alone: opened.alone, skipped });
  let lost: MirrordError | undefined;
  const interrupts = new Interrupts();
  const running = launchApp({
    program, // the file that was looked at: the app's own PATH may name another
    args: command.args,
    env: opened.carriesNames ? libcResolves(env) : env,
    layerPath,
    socketPath,
    skipped,
    programs,
    interrupts,
    began: (programPid) => began?.({ programPid, socketPath }),
    standStill: session.standStill,
    lost: Promise.race([session.lost.then((reason) => lost = reason), owner.ended]),
  });
  interrupt[Symbol.dispose](); // signals are the app's from here on
  const code = await running;
  if (lost !== undefined) throw lost;
  using _lingering = interrupts.linger();
  sayOutliving(await deliverLast(session, { limitMs: config.agent.lingerSeconds * 1000, interrupts }));
  return code;
}
