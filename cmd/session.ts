// `mirrord session list|stop|kill`: the sessions of this user, and how to end one. They are asked by their
// control sockets (core/control); a session that does not answer, as it is stopped, gets signals.

import { exitCodes, MirrordError } from "../core/base/errors.ts";
import { log } from "../core/base/log.ts";
import { nearWords, quoteList } from "../core/base/near.ts";
import { within } from "../core/base/pause.ts";
import type { SessionFacts } from "../core/control/messages.ts";
import { type EndingSession, endSession, type FoundSession, listSessions } from "../core/control/sessions.ts";
import type { SessionCommand } from "./commands.ts";
import { ageText, columns } from "./listing.ts";
import { printLine } from "./ui.ts";

/** After so long without an end a line says what to do. */
const patienceMs = 5000;
/** So long a killed session may take to send its agent away. */
const goodbyeMs = 10_000;
const mostCommand = 40;

/** Lists sessions, or ends those that are named. */
export async function session(command: SessionCommand): Promise<number> {
  const { what, ids, all, output } = command;
  if (what === "list") {
    if (ids.length > 0 || all === true) throw usage(`"session list" takes no session and no --all`);
    return list(await listSessions(), output === "json");
  }
  if ((ids.length > 0) === (all === true)) throw usage(`name the session to ${what}, or use --all`);
  const sessions = await listSessions();
  const chosen = all === true ? sessions : ids.map((id) => chosenBy(id, sessions, what));
  if (chosen.length === 0) log.info("No session of yours is running");
  await Promise.all([...new Set(chosen)].map((one) => end(one, what)));
  return 0;
}

function usage(state: string): MirrordError {
  return new MirrordError(`Cannot run "session": ${state}`, {
    help: '"mirrord session list" shows their ids.',
    exitCode: exitCodes.usage,
  });
}

function list(sessions: readonly FoundSession[], asJson: boolean): number {
  if (asJson) {
    printLine(
      JSON.stringify(sessions.map(({ id, pid, facts }) => facts ?? { id, pid, state: "silent" }), null, 2),
    );
    return 0;
  }
  if (sessions.length === 0) log.info("No session of yours is running");
  else {printLine(
      columns(["ID", "PID", "COMMAND", "TARGET", "NAMESPACE", "AGE", "PORTS"], sessions.map(rowOf)),
    );}
  return 0;
}

function rowOf({ id, pid, facts }: FoundSession): string[] {
  if (facts === null) return [id, String(pid), "(does not answer)", "-", "-", "-", "-"];
  const age = ageText(Date.now() - Date.parse(facts.since));
  return [id, String(pid), commandText(facts), facts.target, facts.namespace ?? "-", age, portsText(facts)];
}

/** The program without its folders, and as much of its arguments as there is room for. */
function commandText({ command: [program, ...args], kind }: SessionFacts): string {
  const text = program === undefined ? `(${kind})` : [program.replace(/^.*\//, ""), ...args].join(" ");
  return text.length > mostCommand ? `${text.slice(0, mostCommand - 1)}…` : text;
}

/** "80 stolen, 9090 mirrored (filtered)". */
function portsText({ ports, state }: SessionFacts): string {
  const texts = ports.map(({ port, mode, filtered }) =>
    `${port} ${mode === "steal" ? "stolen" : "mirrored"}${filtered ? " (filtered)" : ""}`
  );
  const held = texts.join(", ") || "-";
  return state === "running" ? held : `${held}; ${state}`;
}

/** By its id, the beginning of that, or its process. */
function chosenBy(word: string, sessions: readonly FoundSession[], what: string): FoundSession {
  const exact = sessions.filter(({ id, pid }) => id === word || String(pid) === word);
  const found = exact.length > 0 ? exact : sessions.filter(({ id }) => id.startsWith(word));
  const [one] = found;
  if (one !== undefined && found.length === 1) return one;
  const near = nearWords(word, sessions.map(({ id }) => id));
  const state = found.length > 1
    ? `${found.length} sessions begin so: ${found.map(({ id }) => id).join(", ")}`
    : "no session of yours has this id";
  throw new MirrordError(`Cannot ${what} "${word}": ${state}`, {
    help: near.length > 0 ? `Did you mean ${quoteList(near)}?` : '"mirrord session list" shows them.',
    exitCode: exitCodes.unavailable,
  });
}

/** Resolves when the session is gone. */
async function end(one: FoundSession, what: "stop" | "kill"): Promise<void> {
  using ending = await endSession(one, what);
  if (ending !== null) await (what === "stop" ? stopped(one, ending) : killed(one, ending));
  log.info(`Session ${one.id} has ended`);
}

async function stopped({ id, pid }: FoundSession, { answered, gone }: EndingSession): Promise<void> {
  // A process that is stopped (Ctrl-Z) gets the signal when it goes on.
  if (!answered) { for (const signal of ["SIGTERM", "SIGCONT"] as const) send(pid, signal); }
  if (await within(gone.then(() => true), patienceMs, false)) return;
  log.info(
    `Session ${id} was asked to end; its program goes on. To end both at once: mirrord session kill ${id}`,
  );
  await gone;
}

async function killed({ id, pid }: FoundSession, { answered, gone }: EndingSession): Promise<void> {
  if (answered && await within(gone.then(() => true), goodbyeMs, false)) return;
  log.warning(`Session ${id} ${answered ? "did not end" : "does not answer"}: its process ${pid} is killed`);
  send(pid, "SIGKILL");
  await gone;
}

/** To a process that holds the other end of a connection, so it lives. */
function send(pid: number, signal: Deno.Signal): void {
  try {
    Deno.kill(pid, signal);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
