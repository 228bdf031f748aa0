// Runs a container to its end, with the engine's command as mirrord's child. Called by cmd/container.ts as
// the last step of its walk. Invariant: when this returns the container does not run any more.

import { constants } from "node:os";
import type { MirrordError } from "../../base/errors.ts";
import { log } from "../../base/log.ts";
import { within } from "../../base/pause.ts";
import type { Interrupts } from "../interrupts.ts";
import { launchApp } from "../launch.ts";
import { cannotRun } from "../look.ts";
import type { StandsStill } from "../stopping.ts";
import { lastOf, type RunLine } from "./command_line.ts";
import type { Engine } from "./engine.ts";
import { type Names, RunningContainer } from "./running.ts";

/** How long the engines' command stop waits. */
const stopSeconds = 10;
/** Signals that ask to end a container without a terminal. */
const ending: Deno.Signal[] = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"];
const settleMs = 500;
/** The engine's own failures: nothing of the container ran (docker run, "Exit status"). */
const engineFailures = [125, 126, 127];

export interface ContainerRun {
  engine: Engine;
  line: RunLine;
  /** The engine's whole command line. */
  words: readonly string[];
  /** The engine's own variables. */
  env: Readonly<Record<string, string>>;
  names: Names;
  socketPath: string;
  interrupts: Interrupts;
  standStill: StandsStill;
  /** Resolves with the reason when the session is lost. */
  lost: Promise<MirrordError>;
  /** Resolves when a layer of the container has spoken. */
  greeted: Promise<void>;
  /** Hears that its program runs, with its process. A container that never did so is an error then. */
  began?: (container: { id: string; pid: number }) => void;
}

/** Resolves with its exit code. Throws MirrordError where the session was lost, or the layer is not in it. */
export async function runContainer(options: ContainerRun): Promise<number> {
  const { engine, line, interrupts, greeted } = options;
  using running = new RunningContainer(engine, options.names);
  let failure: MirrordError | undefined;
  let hasGreeted = false;
  void greeted.then(() => hasGreeted = true);
  if (options.began !== undefined) void running.begun(line, greeted).then(options.began);
  const failed = Promise.race([options.lost, running.runsUnhooked(line, greeted)])
    .then((reason) => failure = reason);
  const ended = launchApp({
    program: engine.path,
    args: options.words,
    env: options.env,
    layerPath: null,
    socketPath: options.socketPath,
    skipped: new Set(),
    interrupts,
    standStill: options.standStill,
    lost: failed,
  });
  const patience = Number(lastOf(line, "--stop-timeout") ?? stopSeconds);
  for (const asking of ["SIGTERM", "SIGHUP"] as const) {
    Deno.addSignalListener(asking, () => running.endSoon(patience));
  }
  let code = await ended;
  if (failure === undefined && !interrupts.any) code = await stayWith(running, options, { code, failed });
  // The engine's command was killed by who does not wait any longer, or the container has ended.
  const isKilled = code === 128 + constants.signals.SIGKILL;
  await running.end(interrupts.any && !isKilled ? "stop" : "kill");
  if (failure !== undefined) throw failure;
  if (hasGreeted || !RunningContainer.isKnown(line)) return code;
  // Podman ends with 0 when it is asked to end before it has started the program.
  if (interrupts.any) return code === 0 ? 128 + constants.signals.SIGTERM : code;
  sayUnhooked(options, code);
  return code;
}

/** It ended, and no layer of it has spoken: the engine did not run it, or the dynamic linker gave it none. */
function sayUnhooked({ engine, line: { image }, began }: ContainerRun, code: number): void {
  const isEngines = engineFailures.includes(code);
  if (began !== undefined) {
    throw isEngines
      ? cannotRun(
        image,
        `"${engine.name} run" ended with ${code}`,
        code,
        "The engine's own lines give the reason.",
      )
      : cannotRun(image, "mirrord's library was never in its program, which ran outside the pod");
  }
  if (isEngines) return; // its own lines give the reason
  log.warning(`"${image}" ended, and mirrord's library was never in its program: it ran outside the pod`);
}

/** The user detached from it (Ctrl-P Ctrl-Q), or the engine's command was killed: waits for its own end. */
async function stayWith(
  running: RunningContainer,
  { engine, interrupts }: ContainerRun,
  { code, failed }: { code: number; failed: Promise<unknown> },
): Promise<number> {
  const asked = Promise.withResolvers<null>();
  let isOver = false;
  const end = () => {
    isOver = true;
    asked.resolve(null);
  };
  for (const signal of ending) Deno.addSignalListener(signal, end);
  void failed.then(end);
  for (let id = await running.running(); id !== null; id = await running.running()) {
    log.info("The container goes on, and so does the session: Ctrl-C ends both");
    const told = await Promise.race([engine.ask(["wait", id]), asked.promise]);
    if (told !== null) code = Number(told.trim());
    // A Ctrl-C ended the engine's command too, and is heard of a moment later.
    else await within(asked.promise, settleMs, null);
    if (isOver) return interrupts.any ? 128 + constants.signals.SIGINT : code;
  }
  return code;
}
