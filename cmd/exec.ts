// `mirrord exec`, the walk: load the config, resolve the target, deploy the agent, open the session, launch
// the app. Each step is owned by the stack: teardown is the same walk backwards, however it ends.

import type { MirrordError } from "../core/base/errors.ts";
import { variables } from "../core/base/variables.ts";
import { checkGoRun } from "../core/launch/go_run.ts";
import { interruptible, Interrupts } from "../core/launch/interrupts.ts";
import { deliverLast } from "../core/launch/last_bytes.ts";
import { launchApp } from "../core/launch/launch.ts";
import { unpackLayer } from "../core/launch/layer_file.ts";
import { findProgram } from "../core/launch/program.ts";
import { skippedNames } from "../core/launch/skip.ts";
import { PrivateDir } from "../core/net/private_dir.ts";
import { appEnvironment, environmentRules } from "../core/session/app_env.ts";
import { libcResolves } from "../core/session/dns.ts";
import { sessionOptions } from "../core/session/options.ts";
import { Session } from "../core/session/session.ts";
import type { ExecCommand } from "./commands.ts";
import { configOf, execFlags } from "./config_flags.ts";
import { findTarget, openAgent, readVariables, sayOutliving, sayRunning, tell } from "./steps.ts";
import { printsEvents } from "./ui.ts";
import { platform } from "../core/net/this_platform.ts";

const { mayMapThere } = await platform.files();

/** Room that the session's folder should have: the layer's file and a little. */
const sessionBytes = 1 << 20;

/**
 * Runs the app to its end and resolves with its exit code. Throws MirrordError when it could not run or the
 * session was lost.
 */
export async function exec(command: ExecCommand): Promise<number> {
  using interrupt = interruptible();
  const config = await configOf(command, execFlags(command), {
    announced: true,
    runs: true,
    signal: interrupt.signal,
  });
  const rules = await environmentRules(config);
  const skipped = skippedNames(config.processes);
  const program = await findProgram({
    name: command.program,
    args: command.args,
    variables: variables(),
    skipped,
  });
  await checkGoRun(program, command.args, rules?.override);
  await using stack = new AsyncDisposableStack();
  const directory = stack.use(PrivateDir.make((folder) => mayMapThere(folder, sessionBytes)));
  const layerPath = unpackLayer(directory.path);
  const target = await findTarget(config, interrupt.signal);
  const agent = await openAgent(config, target, stack, {
    signal: interrupt.signal,
    forced: command.force === true,
  });
  const socketPath = `${directory.makeOpen("s")}/layer.sock`;
  const session = stack.use(
    new Session(
      sessionOptions(config, target, { agent, program, socketPath, emit: tell, requests: printsEvents() }),
    ),
  );
  const remote = await readVariables(rules, target.kind === "cluster" ? null : agent);
  const env = appEnvironment(rules, remote);
  await checkGoRun(program, command.args, env); // the target's CGO_ENABLED counts too
  interrupt.signal.throwIfAborted();
  session.meets(program);
  sayRunning(command.program, config, { target, alone: agent === null, skipped });
  let lost: MirrordError | undefined;
  const interrupts = new Interrupts();
  const running = launchApp({
    program, // the file that was looked at: the app's own PATH may name another
    args: command.args,
    env: agent !== null && config.dns.enabled ? libcResolves(env) : env,
    layerPath,
    socketPath,
    skipped,
    interrupts,
    standStill: session.standStill,
    lost: session.lost.then((reason) => lost = reason),
  });
  interrupt[Symbol.dispose](); // signals are the app's from here on
  const code = await running;
  if (lost !== undefined) throw lost;
  using _lingering = interrupts.linger();
  sayOutliving(await deliverLast(session, { limitMs: config.agent.lingerSeconds * 1000, interrupts }));
  return code;
}
