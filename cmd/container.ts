// `mirrord container -- docker|podman|nerdctl run …`: the walk of exec.ts, whose app is what a container
// engine runs. The container has this machine's network and the session's folder; the engine's command is
// mirrord's child, as an app would be.

import { resolve } from "node:path";
import { variables } from "../core/base/variables.ts";
import type { Config } from "../core/config/config.ts";
import { checkedLine, type Published } from "../core/launch/container/check.ts";
import { isOn, lastOf, type RunLine } from "../core/launch/container/command_line.ts";
import { Engine } from "../core/launch/container/engine.ts";
import { lookAtContainer, type MadeContainer } from "../core/launch/container/made.ts";
import { runContainer } from "../core/launch/container/run.ts";
import { runWords } from "../core/launch/container/words.ts";
import { interruptible, Interrupts } from "../core/launch/interrupts.ts";
import { deliverLast } from "../core/launch/last_bytes.ts";
import { openPrograms } from "../core/launch/programs.ts";
import { PrivateDir } from "../core/net/private_dir.ts";
import { platform } from "../core/net/this_platform.ts";
import { environmentRules } from "../core/session/app_env.ts";
import type { ContainerCommand } from "./commands.ts";
import { configOf, execFlags } from "./config_flags.ts";
import { addToContainer, ownFolder } from "./container_additions.ts";
import type { Begun } from "./exec.ts";
import { openSession } from "./open_session.ts";
import { ownerOf } from "./owner.ts";
import { sayOutliving, sayRunning } from "./steps.ts";

const { mayMapThere } = await platform.files();

/** Room for copies of a container's programs; $XDG_RUNTIME_DIR is a part of the memory. */
const copiesBytes = 1 << 30;

/**
 * Runs the container to its end and resolves with its exit code; `began` hears that its program runs. Throws
 * MirrordError as exec does, and with `began` also where the engine did not run the program.
 */
export async function container(
  command: ContainerCommand,
  began?: (app: Begun) => void,
): Promise<number> {
  const { line, published } = checkedLine(command.line);
  using interrupt = interruptible("start the container");
  using owner = ownerOf(command.endsWith, interrupt.signal);
  const { signal } = owner;
  const written = await configOf(command, execFlags(command), {
    announced: !owner.isMirrord,
    runs: true,
    signal,
  });
  const config = withPublished(written, published);
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
  const { additions, environment } = addToContainer(opened, {
    config,
    rules,
    own: made.variables,
    isChild: true,
  });
  const names = {
    cidFile: resolve(lastOf(line, "--cidfile") ?? `${ownFolder(opened)}/container`),
    label: `mirrord.session=${crypto.randomUUID()}`,
    isRemoved: isOn(line, "--rm"),
  };
  // By the last two the engine's command is found where the session's programs are to be killed.
  const env: Record<string, string> = {
    ...variables(),
    ...environment,
    MIRRORD_LAYER_SOCKET: opened.socketPath,
    MIRRORD_SESSION_PID: String(Deno.pid),
  };
  for (const name of additions.unset) delete env[name]; // docker takes a name without a value for that
  sayRunning(line.image, config, { target: opened.target, alone: opened.alone, skipped: new Set() });
  // If mirrord itself is killed, the container would go on without a session.
  using _farewell = PrivateDir.farewell(
    ownFolder(opened),
    engine.ending(names.label, names.isRemoved),
    variables(),
  );
  const interrupts = new Interrupts();
  const running = runContainer({
    engine,
    line,
    words: runWords(engine.kind, line, { ...additions, ...names }),
    env,
    names,
    socketPath: opened.socketPath,
    interrupts,
    standStill: opened.session.standStill,
    lost: Promise.race([opened.session.lost, owner.ended]),
    greeted: opened.session.greeted,
    ...(began === undefined ? {} : {
      began: ({ pid, id }) => began({ programPid: pid, socketPath: opened.socketPath, container: id }),
    }),
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
  await using folder = PrivateDir.make((place) => mayMapThere(place, copiesBytes));
  const label = `mirrord.look=${crypto.randomUUID()}`;
  using _farewell = PrivateDir.farewell(folder.path, engine.ending(label, true), variables());
  return await lookAtContainer(engine, line, { folder: folder.path, label, signal });
}

/** The configuration in which the app listens where the engine's user wants its ports. */
function withPublished(config: Config, published: readonly Published[]): Config {
  const { incoming } = config;
  const given = new Set(incoming.listenPorts.map(([asked]) => asked));
  const listenPorts = [...incoming.listenPorts, ...published.filter(([asked]) => !given.has(asked))];
  return { ...config, incoming: { ...incoming, listenPorts } };
}
