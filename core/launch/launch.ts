// Runs the app as a child with the layer preloaded, passes signals on to it and returns its exit code. Called by
// cmd/exec.ts as the last step of the walk; it ends the app when the session is lost.

import { constants } from "node:os";
import { exitCodes, MirrordError } from "../base/errors.ts";
import { log } from "../base/log.ts";
import { remainingProcesses } from "./remaining.ts";
import { isSecure } from "./secure.ts";

/** Signals that someone may send to mirrord and means for the app (signal(7)); terminals send some to both. */
const forwarded: Deno.Signal[] = ["SIGHUP", "SIGINT", "SIGQUIT", "SIGTERM", "SIGUSR1", "SIGUSR2", "SIGCONT"];
/** Those by which a program is asked to end; one that lives on after another than SIGTERM took it for something else. */
const ending: (Deno.Signal & keyof typeof constants.signals)[] = ["SIGHUP", "SIGINT", "SIGQUIT", "SIGTERM"];
/** Those a terminal sends to the whole foreground process group, so also to the app. */
const fromTerminal: Deno.Signal[] = ["SIGINT", "SIGQUIT"];
const graceMs = 5000;

/** How to start the app. */
export interface LaunchOptions {
  program: string;
  args: string[];
  /** The whole environment, but for what the layer needs. */
  env: Record<string, string>;
  layerPath: string | null;
  socketPath: string;
  /** Names of programs in which the layer stays inert. */
  skipped: ReadonlySet<string>;
  /** Resolves when the session is lost: the app is ended (SIGTERM, then SIGKILL). */
  lost: Promise<unknown>;
}

/** The app's first process while it runs, and the signal by which it was asked to end. */
interface App {
  child?: Deno.ChildProcess;
  asked?: typeof ending[number];
}

/** Runs the app to its end; resolves with its exit code, 128 + n if signal n ended it (as shells do). */
export async function launchApp(options: LaunchOptions): Promise<number> {
  const app: App = {};
  forwardSignals(app); // first: one that comes while the app starts reaches it
  const child = app.child = new Deno.Command(options.program, {
    args: options.args,
    clearEnv: true,
    env: options.layerPath === null ? options.env : withLayer(options, options.layerPath),
    stdin: "inherit",
    stdout: "inherit",
    stderr: "inherit",
  }).spawn();
  if (options.layerPath !== null && isSecure(child.pid)) {
    kill(child, "SIGKILL");
    await child.status;
    throw new MirrordError(
      `Cannot run "${options.program}": it was given capabilities, so the dynamic linker loads nothing into it`,
      {
        exitCode: exitCodes.notExecutable,
        help: "Run a copy of it: a copy has no file capabilities (getcap FILE shows them).",
      },
    );
  }
  void options.lost.then(() => {
    app.asked = "SIGTERM";
    return end(child);
  });
  const { code } = await child.status;
  delete app.child;
  if (app.asked === "SIGTERM" || (app.asked !== undefined && code === 128 + constants.signals[app.asked])) {
    endRemaining(options.socketPath);
  }
  return code; // 128 + n for signal n already
}

function withLayer(options: LaunchOptions, layerPath: string): Record<string, string> {
  const before = options.env["LD_PRELOAD"];
  return {
    ...options.env,
    LD_PRELOAD: before ? `${layerPath}:${before}` : layerPath,
    MIRRORD_LAYER_SOCKET: options.socketPath,
    MIRRORD_SESSION_PID: String(Deno.pid),
    MIRRORD_SKIP: [...options.skipped].join("/"),
  };
}

/**
 * Passes signals on for as long as there is a child. The listeners stay: Deno acts on a signal a little after it came, and
 * lets one that nobody listens to then end the program. So a Ctrl-C that the app ended by would end the teardown too; a
 * second one does.
 */
function forwardSignals(app: App): void {
  for (const signal of forwarded) {
    const handler = (): void => {
      if (app.child === undefined) return Deno.removeSignalListener(signal, handler);
      if (fromTerminal.includes(signal) && inForeground()) return;
      const asked = ending.find((one) => one === signal);
      if (asked !== undefined) app.asked = asked;
      kill(app.child, signal);
    };
    Deno.addSignalListener(signal, handler);
  }
}

/** Is our process group the terminal's foreground one? Then a Ctrl-C reached the app already. Fields 5 and 8 of proc_pid_stat(5). */
function inForeground(): boolean {
  try {
    const stat = Deno.readTextFileSync("/proc/self/stat");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return fields[2] !== undefined && fields[2] === fields[5];
  } catch {
    return Deno.stdin.isTerminal();
  }
}

/** SIGTERM now, SIGKILL when that was not enough. */
async function end(child: Deno.ChildProcess): Promise<void> {
  kill(child, "SIGTERM");
  const timer = setTimeout(() => {
    log.warning("The app did not end in time and is killed");
    kill(child, "SIGKILL");
  }, graceMs);
  await child.status;
  clearTimeout(timer);
}

/** What the app's first process started beside it (a shell, its jobs) is asked to end too. */
function endRemaining(socketPath: string): void {
  for (const pid of remainingProcesses(socketPath)) {
    try {
      Deno.kill(pid, "SIGTERM");
    } catch {
      // It has ended, or is another user's.
    }
  }
}

function kill(child: Deno.ChildProcess, signal: Deno.Signal): void {
  try {
    child.kill(signal);
  } catch (error) {
    // It became another user's, by sudo say: nobody but root may signal it (kill(2)).
    if (error instanceof Deno.errors.PermissionDenied) {
      log.warning(`Cannot send ${signal} to the app: ${error.message}`);
    } // Else it ended in the meantime.
    else if (!(error instanceof TypeError) && !(error instanceof Deno.errors.NotFound)) throw error;
  }
}
