// `mirrord ci start`, `ci container` and `ci stop`: a session in the background for the steps of a pipeline.
// start and container return once the program runs, or say why it cannot; stop ends the session in order and
// ends with the program's exit code. ci_session.ts is the process that stays, ci_state.ts what both know of
// it.

import { exitCodes, MirrordError, SessionError } from "../core/base/errors.ts";
import { log } from "../core/base/log.ts";
import { unlessAborted } from "../core/base/pause.ts";
import { beginStep } from "../core/base/progress.ts";
import { checkedLine } from "../core/launch/container/check.ts";
import { readRunLine } from "../core/launch/container/command_line.ts";
import { interruptible } from "../core/launch/interrupts.ts";
import { endRemaining } from "../core/launch/session_programs.ts";
import { ownProgram } from "../core/net/own_program.ts";
import { ciFolder, type CiState, filesOf, readState, SessionLock, writeState } from "./ci_state.ts";
import type { CiCommand } from "./commands.ts";
import { configOf, execFlags } from "./config_flags.ts";
import { printLine } from "./ui.ts";

/** After the program was killed, and after mirrord was; container engines take seconds. */
const killedMs = 5000;
/** Of SIGTERM, which is how stop asks a program to end. */
const terminated = 128 + 15;

/** Runs one of the three. Throws MirrordError when the session cannot start, or was lost. */
export async function ci(command: CiCommand): Promise<number> {
  const { action, runs, foreground } = command;
  if (foreground) {
    const instead = action === "container" ? "container -- docker run IMAGE" : "exec -- PROGRAM";
    throw new MirrordError(`Cannot use "--foreground": ci ${action} is for the background`, {
      help: `In the foreground: mirrord ${instead}.`,
      exitCode: exitCodes.usage,
    });
  }
  if (runs?.configFile === "-") {
    throw new MirrordError('Cannot use "--config-file -": the session reads the configuration later', {
      help: "Write it into a file.",
      exitCode: exitCodes.usage,
    });
  }
  return runs === undefined ? await stop(command) : await start(command, runs);
}

async function start(command: CiCommand, runs: CiState["command"]): Promise<number> {
  if (runs.name === "container") checkedLine(runs.line, { isBackground: true });
  using interrupt = interruptible();
  const name = command.session;
  const folder = ciFolder();
  const files = filesOf(folder, name);
  const { outputFolder } = await configOf(runs, execFlags(runs), {
    announced: true,
    runs: true,
    signal: interrupt.signal,
  });
  using watcher = Deno.watchFs(folder); // may fail: nothing has to be ended yet
  await refuseSecond(name, files); // only now: another start may come while this one asks for consent
  const { stdout, stderr } = makeOutputs(nameOf(runs), outputFolder);
  // The folder's configuration was agreed to just now, where there are people to ask.
  const id = crypto.randomUUID();
  const agreed = { ...runs, trustProject: true } as const;
  writeState(files.state, { state: "starting", id, command: agreed, stdout, stderr });
  using step = beginStep("Starting the session", { slow: true });
  const child = await startSession([folder, name, id], { stdout, stderr });
  const state = await outcomeOf(child, { file: files.state, watcher, signal: interrupt.signal });
  if (state.id !== id) throw isRunning(name, state);
  if (state.state === "running") {
    step.done(
      `The program runs in the background, until ${stopping(name)}`,
    );
    return sayRunning(command, state);
  }
  if (state.state === "ended") {
    step.done(`The program ended with exit code ${state.code} already`);
    return sayRunning(command, state);
  }
  for (const file of [files.state, files.lock]) remove(file);
  throw failureOf(state);
}

/** Why the session could not start, or was lost. */
function failureOf({ failure, code, stderr }: CiState): MirrordError {
  log.info(`What it printed: ${stderr}`);
  const { message, help } = failure ?? { message: "Cannot go on with the session: it was killed" };
  return new MirrordError(message, {
    ...(help === undefined ? {} : { help }),
    exitCode: code ?? exitCodes.linkLost,
  });
}

/** A session that runs has to be stopped first; what is left of one that ended is only named. */
async function refuseSecond(name: string, files: { state: string; lock: string }): Promise<void> {
  const before = readState(files.state);
  if (before === null) return;
  using lock = new SessionLock(files.lock);
  if (await lock.taken()) {
    const end = before.code === undefined ? "was killed" : `ended with exit code ${before.code}`;
    return log.info(
      `The session "${name}" of before ${end} and was not stopped; its output: ${before.stdout}`,
    );
  }
  throw isRunning(name, before);
}

function isRunning(name: string, { command, pid }: CiState): MirrordError {
  const which = `${nameOf(command)}${pid === undefined ? "" : `, process ${pid}`}`;
  return new MirrordError(`Cannot start "${name}": a session of that name runs (${which})`, {
    help: `Stop it: ${stopping(name)}. Or give this one another name: --name NAME.`,
    exitCode: exitCodes.conflict,
  });
}

function stopping(name: string): string {
  return `mirrord ci stop${name === "default" ? "" : ` --name ${name}`}`;
}

/** Files for what the program prints, for this user alone, in a new folder. */
function makeOutputs(name: string, place: string | undefined): { stdout: string; stderr: string } {
  if (place !== undefined) Deno.mkdirSync(place, { recursive: true });
  const made = Deno.makeTempDirSync({ // 0700
    prefix: `mirrord-ci-${name.replace(/[^\w.-]/g, "_")}-`,
    ...(place === undefined ? {} : { dir: place }),
  });
  const folder = Deno.realPathSync(made);
  const files = { stdout: `${folder}/stdout`, stderr: `${folder}/stderr` };
  for (const file of Object.values(files)) Deno.writeTextFileSync(file, "", { createNew: true, mode: 0o600 });
  return files;
}

/** Starts the process that stays: no terminal and no pipe ties it to this one. */
async function startSession(
  words: readonly string[],
  { stdout, stderr }: Pick<CiState, "stdout" | "stderr">,
): Promise<Deno.ChildProcess> {
  const script = 'out=$1 err=$2; shift 2; exec "$@" >>"$out" 2>>"$err"';
  const own = await ownProgram();
  return new Deno.Command("/bin/sh", {
    args: ["-c", script, "mirrord-ci", stdout, stderr, ...own, "ci-session", ...words],
    stdin: "null",
    stdout: "null",
    stderr: "null",
    detached: true,
  }).spawn();
}

/** The state once the program runs, or the session has ended. */
async function outcomeOf(
  child: Deno.ChildProcess,
  { file, watcher, signal }: { file: string; watcher: Deno.FsWatcher; signal: AbortSignal },
): Promise<CiState> {
  const ended = child.status.then(() => "ended" as const);
  try {
    const changes = watcher[Symbol.asyncIterator]();
    for (;;) {
      const state = readState(file);
      if (state !== null && state.state !== "starting") return state;
      if (await unlessAborted(Promise.race([changes.next(), ended]), signal) !== "ended") continue;
      return readState(file) ?? fail(file);
    }
  } catch (error) {
    try {
      child.kill("SIGTERM");
    } catch {
      // It has ended.
    }
    await child.status;
    remove(file);
    throw error;
  } finally {
    child.unref();
  }
}

function fail(file: string): never {
  throw new SessionError(`Cannot start the session: "${file}" was removed meanwhile`);
}

function sayRunning({ output, session }: CiCommand, state: CiState): number {
  const { pid, programPid, container, stdout, stderr } = state;
  if (output === "json") {
    printLine(JSON.stringify({ name: session, pid, program_pid: programPid, container, stdout, stderr }));
  } else {
    const id = container === undefined ? "" : `\ncontainer: ${container}`;
    printLine(`stdout: ${stdout}\nstderr: ${stderr}${id}`);
  }
  return 0;
}

async function stop(command: CiCommand): Promise<number> {
  const { session: name, output } = command;
  const files = filesOf(ciFolder(), name);
  if (readState(files.state) === null) {
    log.info(`There is no session "${name}" to stop`);
    if (output === "json") printLine(JSON.stringify({ name, code: null }));
    return 0;
  }
  using lock = new SessionLock(files.lock);
  const asked = !await lock.taken() && await end(lock, files.state, command.timeout);
  const state = readState(files.state);
  for (const file of [files.state, files.lock]) remove(file);
  if (state === null) return fail(files.state);
  const { code, failure, socketPath, stdout, stderr } = state;
  if (output === "json") printLine(JSON.stringify({ name, code: code ?? null, asked, stdout, stderr }));
  if (code === undefined && socketPath !== undefined) endRemaining(socketPath, "SIGKILL");
  if (failure !== undefined || code === undefined) throw failureOf(state);
  const said = asked ? "was ended" : "had ended";
  log.info(`The program ${said} with exit code ${code}; its output: ${stdout}`);
  return asked && code === terminated ? 0 : code;
}

/** Asks the session to end, and waits for that: the lock is free then. */
async function end(lock: SessionLock, file: string, seconds: number): Promise<true> {
  const ask = (signal: Deno.Signal) => {
    const pid = readState(file)?.pid ?? 0;
    if (pid > 1) tryKill(pid, signal); // the lock is held, so it is the session's
  };
  ask("SIGTERM");
  using step = beginStep("Waiting for the program's end", { slow: true });
  if (await lock.taken(seconds * 1000)) return true;
  log.warning(`The program did not end within ${seconds} s, and so is killed`);
  const socketPath = readState(file)?.socketPath;
  if (socketPath !== undefined) endRemaining(socketPath, "SIGKILL");
  ask("SIGTERM"); // the second one: what the program sent last is given up
  if (await lock.taken(killedMs)) return true;
  ask("SIGKILL");
  await lock.taken(killedMs);
  step.done("Killed");
  return true;
}

function tryKill(pid: number, signal: Deno.Signal): void {
  try {
    Deno.kill(pid, signal);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

function remove(file: string): void {
  try {
    Deno.removeSync(file);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** What runs, for people: the program, or the container's image. */
function nameOf(command: CiState["command"]): string {
  const path = command.name === "container" ? readRunLine(command.line).image : command.program;
  return path.replace(/^.*\//, "");
}
