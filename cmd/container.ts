// `mirrord container -- docker|podman|nerdctl run …`: the walk of exec.ts, whose app is what a container
// engine runs. The container has this machine's network and the session's folder; the engine's command is
// mirrord's child, as an app would be.

import { log } from "../core/base/log.ts";
import { variables } from "../core/base/variables.ts";
import type { Config } from "../core/config/config.ts";
import { checkRunLine, type Published, publishedPorts } from "../core/launch/container/check.ts";
import { lastOf, readRunLine, type RunLine } from "../core/launch/container/command_line.ts";
import { Engine } from "../core/launch/container/engine.ts";
import { lookAtContainer, type MadeContainer } from "../core/launch/container/made.ts";
import { runContainer } from "../core/launch/container/run.ts";
import { handOver } from "../core/launch/container/variables.ts";
import { runWords } from "../core/launch/container/words.ts";
import { interruptible, Interrupts } from "../core/launch/interrupts.ts";
import { deliverLast } from "../core/launch/last_bytes.ts";
import { withLayer } from "../core/launch/launch.ts";
import { openPrograms } from "../core/launch/programs.ts";
import { skippedNames } from "../core/launch/skip.ts";
import { environmentChange, environmentRules } from "../core/session/app_env.ts";
import { libcResolves } from "../core/session/dns.ts";
import type { EnvRules } from "../core/session/env.ts";
import type { ContainerCommand } from "./commands.ts";
import { configOf, execFlags } from "./config_flags.ts";
import { type OpenedSession, openSession } from "./open_session.ts";
import { sayOutliving, sayRunning } from "./steps.ts";

/** Runs the container to its end and resolves with its exit code. Throws MirrordError as exec does. */
export async function container(command: ContainerCommand): Promise<number> {
  const line = readRunLine(command.line);
  checkRunLine(line);
  using interrupt = interruptible("start the container");
  const { signal } = interrupt;
  const written = await configOf(command, execFlags(command), { announced: true, runs: true, signal });
  const config = withPublished(written, publishedPorts(line));
  const rules = await environmentRules(config);
  const engine = await Engine.open(line, signal);
  const made = await look(engine, line, signal);
  await using stack = new AsyncDisposableStack();
  const opened = await openSession(config, stack, {
    program: made.program,
    programs: openPrograms(config.processes, variables()),
    rules,
    signal,
    forced: command.force === true,
    kind: "container",
    command: [...command.line],
    container: made,
  });
  signal.throwIfAborted();
  const start = prepare(engine, line, { config, opened, made, rules });
  sayRunning(line.image, config, { target: opened.target, alone: opened.alone, skipped: new Set() });
  const interrupts = new Interrupts();
  const running = runContainer({
    ...start,
    engine,
    line,
    socketPath: opened.socketPath,
    interrupts,
    standStill: opened.session.standStill,
    lost: opened.session.lost,
    greeted: opened.session.greeted,
  });
  interrupt[Symbol.dispose](); // signals are the container's from here on
  const code = await running;
  using _lingering = interrupts.linger();
  const limitMs = config.agent.lingerSeconds * 1000;
  sayOutliving(await deliverLast(opened.session, { limitMs, interrupts }));
  return code;
}

/** What the container would be, before an agent is started for it. */
async function look(engine: Engine, line: RunLine, signal: AbortSignal): Promise<MadeContainer> {
  const folder = await Deno.makeTempDir({ prefix: "mirrord-image-" });
  try {
    return await lookAtContainer(engine, line, { folder, signal });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** The configuration in which the app listens where the engine's user wants its ports. */
function withPublished(config: Config, published: readonly Published[]): Config {
  const { incoming } = config;
  const given = new Set(incoming.listenPorts.map(([asked]) => asked));
  const listenPorts = [...incoming.listenPorts, ...published.filter(([asked]) => !given.has(asked))];
  return { ...config, incoming: { ...incoming, listenPorts } };
}

interface Start {
  words: string[];
  /** The engine's own. */
  env: Record<string, string>;
  cidFile: string;
}

/** The engine's command line, with the files that it reads in the session's folder. */
function prepare(
  engine: Engine,
  line: RunLine,
  { config, opened, made, rules }: {
    config: Config;
    opened: OpenedSession;
    made: MadeContainer;
    rules: EnvRules | null;
  },
): Start {
  const { socketPath, layerPath } = opened;
  const change = environmentChange(rules, opened.variables, []);
  const handed = handOver(change.set);
  if (handed.left.length > 0) {
    log.warning(
      `Variables that the container engine cannot pass on are left out: ${handed.left.join(", ")}`,
    );
  }
  const folder = socketPath.slice(0, socketPath.lastIndexOf("/"));
  const own = folder.slice(0, folder.lastIndexOf("/")); // no other user gets there
  const envFile = `${own}/variables`;
  Deno.writeTextFileSync(envFile, handed.file, { mode: 0o600 });
  const cidFile = lastOf(line, "--cidfile") ?? `${own}/container`;
  const before = { ...change.set, ...made.variables };
  const kept = Object.fromEntries(
    ["LD_PRELOAD", "GODEBUG"].flatMap((name) => before[name] === undefined ? [] : [[name, before[name]]]),
  ) as Record<string, string>;
  const layer = withLayer(layerPath, {
    env: opened.carriesNames ? libcResolves(kept) : kept,
    socketPath,
    skipped: skippedNames(config.processes),
  });
  const away = new Set(rules?.unset.map((name) => name.toLowerCase()));
  const unset = Object.keys(made.variables).filter((name) => away.has(name.toLowerCase()));
  const env = { ...variables(), ...handed.environment };
  for (const name of unset) delete env[name];
  return {
    words: runWords(engine.kind, line, {
      folder,
      envFile,
      cidFile,
      handed: Object.keys(handed.environment),
      layer: { ...layer, MIRRORD_SESSION_PID: "0" }, // another number in the container's own namespace
      unset,
      confined: isConfined(),
    }),
    env,
    cidFile,
  };
}

/** SELinux gives a container none of this machine's files, unless it is told so (selinux(8)). */
function isConfined(): boolean {
  try {
    return Deno.readTextFileSync("/sys/fs/selinux/enforce").trim() === "1";
  } catch {
    return false;
  }
}
