// Runs the app as a child with the layer preloaded, passes signals on to it and returns its exit code. Called
// as the last step of the walk by cmd/exec.ts, and by container/run.ts, whose child is a container engine's
// command without the layer; it ends the child when the session is lost.

import { constants } from "node:os";
import { exitCodes, MirrordError } from "../base/errors.ts";
import { log } from "../base/log.ts";
import type { Child, ChildOptions } from "../net/platform.ts";
import { E, errnoName, SystemError } from "../net/system_error.ts";
import { Interrupts } from "./interrupts.ts";
import { baseName } from "./skip.ts";
import type { Programs } from "./platform.ts";
import { endRemaining } from "./session_programs.ts";
import { type StandsStill, stopsInOrder } from "./stopping.ts";
import { launchPlatform } from "./this_platform.ts";

const { inForeground, layer, startChild, startGated } = launchPlatform;

/**
 * Signals that someone may send to mirrord and means for the app (signal(7)); terminals send some to both.
 */
const forwarded: Deno.Signal[] = ["SIGHUP", "SIGINT", "SIGQUIT", "SIGTERM", "SIGUSR1", "SIGUSR2", "SIGCONT"];
/**
 * Signals that ask a program to end; an app that lives on after one other than SIGTERM uses it for something
 * else.
 */
const ending: (Deno.Signal & keyof typeof constants.signals)[] = ["SIGHUP", "SIGINT", "SIGQUIT", "SIGTERM"];
/** Those a terminal sends to the whole foreground process group, so also to the app. */
const fromTerminal: Deno.Signal[] = ["SIGINT", "SIGQUIT"];
const graceMs = 5000;
/** Errnos of execve(2), in words. */
const starting: Partial<Record<number, string>> = {
  [E.ENOENT]: "it is gone",
  [E.EACCES]: "it is not executable",
  [E.E2BIG]: "its arguments and variables are too long",
  [E.ENOEXEC]: "the kernel cannot run it",
};

const tooLongHelp = "A variable may have 128 KiB, and all a quarter of the stack's limit (ulimit -s). " +
  "Leave out variables of the target that it does not need: feature.env.exclude.";

/** How to start the app; texts are those of core/base/os_text.ts. */
export interface LaunchOptions {
  program: string;
  args: readonly string[];
  /** The whole environment, but for what the layer needs. */
  env: Readonly<Record<string, string>>;
  layerPath: string | null;
  socketPath: string;
  /** Names of programs in which the layer stays inert. */
  skipped: ReadonlySet<string>;
  /** Makes what is started in the program's place; absent: it is started itself. */
  programs?: Programs;
  /** Hears of signals that ask mirrord to end. */
  interrupts?: Interrupts;
  /** Hears that mirrord is about to be stopped (Ctrl-Z), and that it goes on. */
  standStill?: StandsStill;
  /** Hears that the app runs. */
  began?: (pid: number) => void;
  /** Resolves when the session is lost: the app is ended (SIGTERM, then SIGKILL). */
  lost: Promise<unknown>;
}

/** The app's first process while it runs, and the signal by which it was asked to end. */
interface App {
  child?: Child;
  asked?: typeof ending[number];
}

/** Runs the app to its end; resolves with its exit code, 128 + n if signal n ended it (as shells do). */
export async function launchApp(options: LaunchOptions): Promise<number> {
  const app: App = {};
  forwardSignals(app, options.interrupts ?? new Interrupts()); // first: one that comes while the app starts reaches it
  const { standStill } = options;
  if (standStill !== undefined) {
    // Both get SIGTSTP where they have the terminal, and both get SIGCONT (forwardSignals).
    stopsInOrder(() => standStill, () => {
      if (app.child !== undefined && !inForeground()) kill(app.child, "SIGTSTP");
    });
  }
  const child = await start(options, (begun) => app.child = begun);
  options.began?.(child.pid);
  void options.lost.then(() => {
    app.asked = "SIGTERM";
    return end(child);
  });
  const code = await child.code;
  delete app.child;
  if (app.asked === "SIGTERM" || (app.asked !== undefined && code === 128 + constants.signals[app.asked])) {
    endRemaining(options.socketPath);
  }
  return code; // 128 + n for signal n already
}

/** A program whose name is skipped may be one that takes no layer. */
async function start(options: LaunchOptions, began: (child: Child) => void): Promise<Child> {
  const { program, args, env, layerPath, programs, skipped } = options;
  const prepared = layerPath === null ? undefined : await programs?.prepare(program);
  const { path = program, words = [] } = prepared ?? {};
  const call: ChildOptions = {
    program: path,
    argv: [...(words.length === 0 ? [program] : words), ...args],
    env: layerPath === null ? env : withLayer(layerPath, options),
  };
  try {
    if (layerPath !== null && !skipped.has(baseName(program))) {
      return await startGated(layerPath, call, began);
    }
    const child = startChild(call);
    began(child);
    return child;
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    throw new MirrordError(`Cannot run "${program}": ${starting[error.errno] ?? errnoName(error.errno)}`, {
      exitCode: exitCodes.notExecutable,
      ...(error.errno === E.E2BIG ? { help: tooLongHelp } : {}),
    });
  }
}

/** An environment in which the dynamic linker loads the layer (ld.so(8)), and it finds its session. */
export function withLayer(
  layerPath: string,
  { env, socketPath, skipped }: Pick<LaunchOptions, "env" | "socketPath" | "skipped">,
): Record<string, string> {
  const before = env[layer.variable];
  const preload = layer.preloadOf(layerPath);
  return {
    ...env,
    [layer.variable]: before ? `${preload}:${before}` : preload,
    MIRRORD_LAYER_SOCKET: socketPath,
    MIRRORD_SESSION_PID: String(Deno.pid),
    MIRRORD_SKIP: [...skipped].join("/"),
  };
}

/**
 * Passes signals on for as long as there is a child. The listeners stay: Deno acts on a signal a little after
 * it came, and lets one that nobody listens to then end the program. So a Ctrl-C that the app ended by would
 * end the teardown too; a second one does. While mirrord lingers they are `interrupts`'.
 */
function forwardSignals(app: App, interrupts: Interrupts): void {
  for (const signal of forwarded) {
    const handler = (): void => {
      const asked = ending.find((one) => one === signal);
      const lingering = asked !== undefined && interrupts.hear();
      if (lingering) return;
      if (app.child === undefined) return Deno.removeSignalListener(signal, handler);
      if (fromTerminal.includes(signal) && inForeground()) return;
      if (asked !== undefined) app.asked = asked;
      kill(app.child, signal);
    };
    Deno.addSignalListener(signal, handler);
  }
}

/** SIGTERM now, SIGKILL when that was not enough. */
async function end(child: Child): Promise<void> {
  kill(child, "SIGTERM");
  const timer = setTimeout(() => {
    log.warning("The app did not end in time; killing it");
    kill(child, "SIGKILL");
  }, graceMs);
  await child.code;
  clearTimeout(timer);
}

function kill(child: Child, signal: Deno.Signal): void {
  try {
    Deno.kill(child.pid, signal);
  } catch (error) {
    // It became another user's, for example by sudo: only root may signal it (kill(2)).
    if (error instanceof Deno.errors.PermissionDenied) {
      log.warning(`Cannot send ${signal} to the app: ${error.message}`);
    } // Else it ended in the meantime.
    else if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
