// `mirrord exec`, the walk: load the config, resolve the target, deploy the agent, open the session, launch the app.
// Each step is owned by the stack: teardown is the same walk backwards, however it ends.

import { MirrordError } from "../core/base/errors.ts";
import { log } from "../core/base/log.ts";
import { PrivateDir } from "../core/base/private_dir.ts";
import { readEnvFile } from "../core/config/dotenv.ts";
import type { Config } from "../core/config/config.ts";
import { launchApp } from "../core/launch/launch.ts";
import { unpackLayer } from "../core/launch/layer_file.ts";
import { findProgram } from "../core/launch/program.ts";
import { type EnvConfig, fetchEnvironment, mappingRules, mergeEnvironment } from "../core/session/env.ts";
import type { IncomingConfig } from "../core/session/incoming_types.ts";
import { Session } from "../core/session/session.ts";
import { deployAgent } from "../core/deploy/deploy.ts";
import type { AgentLink } from "../core/deploy/connect.ts";
import { resolveTarget, type Target } from "../core/target/resolve.ts";
import type { ExecCommand } from "./args.ts";
import { configOf, execFlags } from "./config_flags.ts";

/** Runs the app to its end and resolves with its exit code. Throws MirrordError when it could not run or the session was lost. */
export async function exec(command: ExecCommand): Promise<number> {
  using interrupt = interruptible();
  const config = await configOf(command, execFlags(command));
  const program = await findProgram(command.program, Deno.env.get("PATH") ?? "");
  await using stack = new AsyncDisposableStack();
  const directory = stack.use(PrivateDir.make());
  const target = await resolveTarget(config, { signal: interrupt.signal });
  const agent = await openAgent(config, target, stack, interrupt.signal);
  const session = stack.use(
    new Session({
      agent: agent?.link ?? null,
      incoming: config.incoming.mode === "steal" ? incomingRules(config, target) : null,
      socketPath: `${directory.path}/layer.sock`,
    }),
  );
  const env = await appEnvironment(config, agent);
  interrupt.signal.throwIfAborted();
  let lost: MirrordError | undefined;
  const running = launchApp({
    program, // the file that was looked at: the app's own PATH may name another
    args: command.args,
    env,
    layerPath: unpackLayer(directory.path),
    socketPath: session.socketPath,
    lost: session.lost.then((reason) => lost = reason),
  });
  interrupt[Symbol.dispose](); // signals are the app's from here on
  const code = await running;
  if (lost !== undefined) throw lost;
  const outliving = await session.outliving();
  if (outliving > 0) {
    log.warning(
      `The app ended, but ${outliving} of its processes live on: the target's traffic leaves them now`,
    );
  }
  return code;
}

/** Brings the agent to the target and opens its link; null when the config has no target. */
async function openAgent(
  config: Config,
  target: Target,
  stack: AsyncDisposableStack,
  signal: AbortSignal,
): Promise<AgentLink | null> {
  if (target.kind === "targetless") {
    log.info("No target: the app runs with this machine's own network, names, files and variables");
    return null;
  }
  const steal = config.incoming.mode === "steal";
  const deployed = stack.use(await deployAgent(target, config, { steal, env: config.env !== null, signal }));
  const agent = stack.use(await deployed.connect());
  log.info(`Running as ${target.label}${steal ? "" : "; its traffic stays its own (no --steal)"}`);
  return agent;
}

async function appEnvironment(config: Config, agent: AgentLink | null): Promise<Record<string, string>> {
  const own = Deno.env.toObject();
  if (config.env === null) return own;
  const { include, exclude, mapping, override, unset, envFile } = config.env;
  const rules: EnvConfig = {
    include,
    exclude,
    override,
    unset,
    mapping: mappingRules(mapping),
    file: envFile === undefined ? {} : await readEnvFile(envFile),
  };
  const remote = agent === null ? new Map<string, string>() : await fetchEnvironment(agent.link, rules);
  if (agent !== null) log.info(`${remote.size} environment variables of the target`);
  return mergeEnvironment(own, remote, rules);
}

function incomingRules({ incoming }: Config, target: Target): IncomingConfig {
  const { filterPorts } = incoming;
  return {
    ports: incoming.ports,
    ignorePorts: incoming.ignorePorts,
    portMapping: new Map(incoming.portMapping),
    ignoreLocalhost: incoming.ignoreLocalhost,
    filterFor: (port) => filterPorts === null || filterPorts.includes(port) ? incoming.filter : "",
    declaredPorts: target.kind === "pod" ? target.declaredPorts : [],
    probePorts: target.kind === "pod" ? target.probePorts : [],
  };
}

/** Until disposed: the first signal aborts the start in order (128 + n), a second one ends mirrord as it would any program. */
function interruptible(): Disposable & { signal: AbortSignal } {
  const controller = new AbortController();
  const numbers: Partial<Record<Deno.Signal, number>> = { SIGINT: 2, SIGTERM: 15, SIGHUP: 1 };
  const handlers = Object.entries(numbers).map(([name, number]) => {
    const signal = name as Deno.Signal;
    const handler = (): void => {
      dispose();
      controller.abort(new MirrordError("Cannot start the app: interrupted", { exitCode: 128 + number }));
    };
    Deno.addSignalListener(signal, handler);
    return { signal, handler };
  });
  const dispose = (): void => {
    for (const { signal, handler } of handlers.splice(0)) Deno.removeSignalListener(signal, handler);
  };
  return { signal: controller.signal, [Symbol.dispose]: dispose };
}
