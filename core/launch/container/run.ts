// Runs a container to its end, with the engine's command as mirrord's child. Called by cmd/container.ts as
// the last step of its walk. Invariant: when this returns the container does not run any more.

import type { MirrordError } from "../../base/errors.ts";
import { log } from "../../base/log.ts";
import type { Interrupts } from "../interrupts.ts";
import { launchApp } from "../launch.ts";
import type { StandsStill } from "../stopping.ts";
import { lastOf, type RunLine } from "./command_line.ts";
import type { Engine } from "./engine.ts";
import { RunningContainer } from "./running.ts";

/** How long the engines' command stop waits. */
const stopSeconds = 10;
/** The engine's own failures: nothing of the container ran (docker run, "Exit status"). */
const engineFailures = [125, 126, 127];

export interface ContainerRun {
  engine: Engine;
  line: RunLine;
  /** The engine's whole command line. */
  words: readonly string[];
  /** The engine's own variables. */
  env: Readonly<Record<string, string>>;
  /** Where the engine writes the container's id. */
  cidFile: string;
  socketPath: string;
  interrupts: Interrupts;
  standStill: StandsStill;
  /** Resolves with the reason when the session is lost. */
  lost: Promise<MirrordError>;
  /** Resolves when a layer of the container has spoken. */
  greeted: Promise<void>;
}

/** Resolves with its exit code. Throws MirrordError where the session was lost, or the layer is not in it. */
export async function runContainer(options: ContainerRun): Promise<number> {
  const { engine, line, cidFile, interrupts, greeted } = options;
  using running = new RunningContainer(engine, cidFile);
  let failure: MirrordError | undefined;
  let hasGreeted = false;
  void greeted.then(() => hasGreeted = true);
  const failed = Promise.race([options.lost, running.runsUnhooked(line, greeted)])
    .then((reason) => failure = reason);
  const launch = (args: readonly string[]) =>
    launchApp({
      program: engine.path,
      args,
      env: options.env,
      layerPath: null,
      socketPath: options.socketPath,
      skipped: new Set(),
      interrupts,
      standStill: options.standStill,
      lost: failed,
    });
  const ending = launch(options.words);
  const patience = Number(lastOf(line, "--stop-timeout") ?? stopSeconds);
  for (const asking of ["SIGTERM", "SIGHUP"] as const) {
    Deno.addSignalListener(asking, () => running.endSoon(patience));
  }
  let code = await ending;
  // The user detached from it (Ctrl-P Ctrl-Q), or the engine's command was killed.
  for (let id = await running.running(); id !== null; id = await running.running()) {
    if (failure !== undefined || interrupts.any) break;
    log.info("The container goes on, and so does the session: Ctrl-C ends both");
    code = await launch(engine.words("attach", "--no-stdin", id));
  }
  await running.end();
  if (failure !== undefined) throw failure;
  if (!hasGreeted && !engineFailures.includes(code) && RunningContainer.isKnown(line)) {
    log.warning(
      `"${line.image}" ended, and mirrord's library was never in its program: it ran outside the pod`,
    );
  }
  return code;
}
