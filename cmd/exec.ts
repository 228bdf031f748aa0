// `mirrord exec`, the walk: load the config, resolve the target, deploy the agent, open the session, launch the app.
// Each step is owned by the stack: teardown is the same walk backwards, however it ends.

import { MirrordError } from "../core/base/errors.ts";
import { log } from "../core/base/log.ts";
import { beginStep } from "../core/base/progress.ts";
import { PrivateDir } from "../core/base/private_dir.ts";
import { readEnvFile } from "../core/config/dotenv.ts";
import type { Config } from "../core/config/config.ts";
import { launchApp } from "../core/launch/launch.ts";
import { unpackLayer } from "../core/launch/layer_file.ts";
import { findProgram } from "../core/launch/program.ts";
import { skippedNames } from "../core/launch/skip.ts";
import { type EnvConfig, fetchEnvironment, mappingRules, mergeEnvironment } from "../core/session/env.ts";
import { libcResolves } from "../core/session/dns.ts";
import type { IncomingConfig } from "../core/session/incoming_types.ts";
import type { LocalPlaces } from "../core/session/policy_default.ts";
import { Session } from "../core/session/session.ts";
import { deployAgent } from "../core/deploy/deploy.ts";
import type { AgentLink } from "../core/deploy/connect.ts";
import { resolveTarget, type Target } from "../core/target/resolve.ts";
import type { ExecCommand } from "./args.ts";
import { configOf, execFlags } from "./config_flags.ts";
import { needsAgent, summarize } from "./summary.ts";

/** Runs the app to its end and resolves with its exit code. Throws MirrordError when it could not run or the session was lost. */
export async function exec(command: ExecCommand): Promise<number> {
  using interrupt = interruptible();
  const config = await configOf(command, execFlags(command));
  const rules = await environmentRules(config);
  const skipped = skippedNames(config.processes);
  const program = await findProgram(command.program, Deno.env.get("PATH") ?? "", skipped);
  await using stack = new AsyncDisposableStack();
  const directory = stack.use(PrivateDir.make());
  const target = await findTarget(config, interrupt.signal);
  const agent = await openAgent(config, target, stack, interrupt.signal);
  const session = stack.use(
    new Session({
      agent: agent?.link ?? null,
      incoming: incomingRules(config, target),
      outgoing: config.outgoing,
      dns: config.dns,
      files: config.files.mode === "local" ? null : { config: config.files, places: localPlaces() },
      socketPath: `${directory.makeOpen("s")}/layer.sock`,
    }),
  );
  const env = await appEnvironment(rules, agent);
  interrupt.signal.throwIfAborted();
  session.meets(program);
  sayRunning(command, config, target);
  let lost: MirrordError | undefined;
  const running = launchApp({
    program, // the file that was looked at: the app's own PATH may name another
    args: command.args,
    env: agent !== null && config.dns.enabled ? libcResolves(env) : env,
    layerPath: unpackLayer(directory.path),
    socketPath: session.socketPath,
    skipped,
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

async function findTarget(config: Config, signal: AbortSignal): Promise<Target> {
  using step = beginStep("Looking for the target");
  const target = await resolveTarget(config, { signal });
  step.done(
    target.kind === "targetless"
      ? "No target: the app runs with this machine's own network, names, files and variables"
      : `Target: ${target.label}`,
  );
  return target;
}

/** Brings the agent to the target and opens its link; null when nothing is asked of the target. */
async function openAgent(
  config: Config,
  target: Target,
  stack: AsyncDisposableStack,
  signal: AbortSignal,
): Promise<AgentLink | null> {
  if (target.kind === "targetless") return null;
  if (!needsAgent(config)) {
    log.info("Nothing is asked of the target, so no agent is started");
    target[Symbol.dispose]();
    return null;
  }
  using step = beginStep("Starting the agent", { slow: true });
  const { mode } = config.incoming;
  const deployed = stack.use(
    await deployAgent(target, config, {
      steal: mode === "steal",
      mirror: mode === "mirror",
      env: config.env !== null,
      dns: config.dns.enabled || config.dns.hostname,
      outgoing: config.outgoing.tcp || config.outgoing.udp,
      ...filesNeed(config),
      signal,
    }),
  );
  const agent = stack.use(await deployed.connect());
  step.done("Agent started");
  return agent;
}

/** The app's arguments are not said: they may hold a secret. */
function sayRunning({ program }: ExecCommand, config: Config, target: Target): void {
  const name = program.replace(/^.*\//, "");
  const alone = target.kind === "targetless" || !needsAgent(config);
  using step = beginStep("Running");
  step.done(alone ? `Running ${name}` : `Running ${name} with the target's ${summarize(config)}`);
}

/** Where this machine's own files are. */
function localPlaces(): LocalPlaces {
  return {
    temporary: Deno.env.get("TMPDIR") ?? "/tmp",
    workingDirectory: Deno.cwd(),
    home: Deno.env.get("HOME"),
  };
}

function filesNeed({ files }: Config): { files?: "read" | "write" } {
  if (files.mode === "local") return {};
  return { files: files.mode === "write" || files.readWrite.length > 0 ? "write" : "read" };
}

/** null: the app keeps the environment that mirrord has. */
async function environmentRules({ env }: Config): Promise<EnvConfig | null> {
  if (env === null) return null;
  const { mapping, envFile, ...rules } = env;
  return {
    ...rules,
    mapping: mappingRules(mapping),
    file: envFile === undefined ? {} : await readEnvFile(envFile),
  };
}

async function appEnvironment(
  rules: EnvConfig | null,
  agent: AgentLink | null,
): Promise<Record<string, string>> {
  const own = Deno.env.toObject();
  if (rules === null) return own;
  if (agent === null) return mergeEnvironment(own, new Map(), rules);
  using step = beginStep("Reading the target's environment variables");
  const remote = await fetchEnvironment(agent.link, rules);
  step.done(`${remote.size} environment variables of the target`);
  return mergeEnvironment(own, remote, rules);
}

/** null: the app's listeners are its own business. */
function incomingRules({ incoming }: Config, target: Target): IncomingConfig | null {
  const { mode, filterPorts } = incoming;
  if (mode === "off") return null;
  return {
    mode,
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
