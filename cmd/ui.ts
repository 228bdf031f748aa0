// The only place that prints: progress and warnings on standard error, so that standard output stays the
// app's (for an editor both come there); an error once, with what to do next and its causes. Called by the
// commands and main.ts. What is printed may come from a pod, an API server or a file: no control character
// of it reaches the terminal.

import { styleText } from "node:util";
import { exitCodes, MirrordError } from "../core/base/errors.ts";
import { log, type LogLevel, setLogSink } from "../core/base/log.ts";
import { machineError } from "../core/base/machine.ts";
import { shownText } from "../core/base/os_text.ts";
import { holdSteps, type ProgressSink, setProgressSink } from "../core/base/progress.ts";
import { variable } from "../core/base/variables.ts";
import { nearestLogLevel } from "../core/config/variables.ts";
import type { EditorLines } from "./editor_lines.ts";

export type Style = Parameters<typeof styleText>[0];

const encoder = new TextEncoder();
const styles: Record<LogLevel, Style> = { debug: "gray", info: "cyan", warning: "yellow", error: "red" };
/** Prints a line for programs, where those are asked for. */
let printJson: ((value: unknown) => void) | null = null;
/** What draws on the terminal's last line clears it around `write`. */
let stepAside = (write: () => void): void => write();
const ranks: LogLevel[] = ["debug", "info", "warning", "error"];

/** Colour by NO_COLOR, FORCE_COLOR, TERM and whether `stream` is a terminal. */
function colour(style: Style, text: string, stream: { isTerminal(): boolean } = Deno.stderr): string {
  const forced = variable("FORCE_COLOR") !== undefined;
  const wanted = variable("NO_COLOR") === undefined && variable("TERM") !== "dumb" && stream.isTerminal();
  return forced || wanted ? styleText(style, text, { validateStream: false }) : text;
}

/**
 * C0 and C1 controls but for tab and newline, DEL, and what turns the direction of text (Unicode, UAX #9).
 */
// deno-lint-ignore no-control-regex
const unprintable = /[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** `text` with each control character written out, as in "\u001b": a terminal obeys none of it. */
export function printable(text: string): string {
  const lines = shownText(text).replace(/\r(?=\n|$)/g, "");
  return lines.replace(unprintable, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** Writes one line to standard output: a command's result. */
export function printLine(text: string): void {
  writeFully(Deno.stdout, printable(text) + "\n");
}

/** Writes each line that it gets to one of the own outputs, behind a prefix of the colour `style`. */
export function prefixedLines(
  prefix: string,
  style: Style,
  output: "stdout" | "stderr",
): (line: Uint8Array) => void {
  const stream = Deno[output];
  const start = encoder.encode(colour(style, printable(prefix), stream));
  return (line) => {
    const whole = new Uint8Array(start.length + line.length);
    whole.set(start);
    whole.set(line, start.length);
    stepAside(() => writeFully(stream, whole)); // one write, so that no other line comes between
  };
}

/** How the start is shown: MIRRORD_PROGRESS_MODE, otherwise by what standard error is. */
type ProgressMode = "live" | "plain" | "json" | "off";

function progressMode(): ProgressMode {
  const isTerminal = Deno.stderr.isTerminal() && variable("TERM") !== "dumb";
  switch (variable("MIRRORD_PROGRESS_MODE")) {
    case "off":
      return "off";
    case "json":
      return "json";
    case "dumb":
    case "simple":
      return "plain";
    default:
      return isTerminal && variable("CI") === undefined ? "live" : "plain";
  }
}

/**
 * Shows progress and log lines on standard error from now on: lines from `MIRRORD_LOG` (debug, info, warning,
 * error; default info) upwards, in mode `off` warnings and errors alone.
 */
export async function showLog(): Promise<void> {
  const mode = progressMode();
  const lowest = ranks.indexOf(
    mode === "off" ? "warning" : nearestLogLevel(variable("MIRRORD_LOG") ?? ""),
  );
  const isShown = (level: LogLevel) => ranks.indexOf(level) >= lowest;
  const line = (level: LogLevel, text: string) =>
    writeFully(Deno.stderr, `${colour(styles[level], "mirrord")} ${label(level)}${oneLine(text)}\n`);
  let print = line;
  if (mode !== "off") {
    const { jsonLines, LiveChecklist, plainLines } = await import("./checklist.ts");
    const json = (value: unknown) => writeFully(Deno.stderr, `${JSON.stringify(value)}\n`);
    const info = (text: string) => isShown("info") ? line("info", text) : undefined;
    if (mode === "live") {
      const live = new LiveChecklist({ write: (text) => writeFully(Deno.stderr, text), colour, columns });
      setProgressSink(printableOnly(live));
      stepAside = (write) => live.aside(write);
      print = (level, text) => live.aside(() => line(level, text));
    } else if (mode === "json") {
      setProgressSink(jsonLines(json));
      printJson = json;
      print = (level, message) =>
        json({ type: level === "warning" || level === "error" ? "Warning" : "Info", message });
    } else setProgressSink(plainLines(info));
  }
  setLogSink(
    (level, text) => isShown(level) ? print(level, text) : undefined,
    isShown("debug") ? "debug" : "info",
  );
}

/** Do programs read the events of the session? */
export function printsEvents(): boolean {
  return printJson !== null;
}

/**
 * Writes all that is logged and each step to standard output from now on, as an editor reads it: part of
 * `task`.
 */
export async function showEditorLines(task: string): Promise<EditorLines> {
  const { EditorLines } = await import("./editor_lines.ts");
  const lowest = ranks.indexOf(nearestLogLevel(variable("MIRRORD_LOG") ?? ""));
  const lines = new EditorLines(task, {
    write: (line) => writeFully(Deno.stdout, `${printable(line)}\n`),
    writeWhenRead: async (line) => void await writeWhenRead(`${printable(line)}\n`),
    hasButtons: /^(true|1)$/i.test(variable("MIRRORD_PROGRESS_SUPPORT_IDE") ?? ""),
  });
  setProgressSink(lines.steps);
  setLogSink(
    (level, text, topic) => ranks.indexOf(level) >= lowest ? lines.log(level, text, topic) : undefined,
    lowest === 0 ? "debug" : "info",
  );
  return lines;
}

/** Writes lines to standard output when their reader has room; resolves with false if it is gone. */
export async function printWhenRead(lines: string): Promise<boolean> {
  return await writeWhenRead(`${printable(lines)}\n`);
}

/** Resolves when the reader of standard output has room for `text`; with false if it is gone. */
async function writeWhenRead(text: string): Promise<boolean> {
  const bytes = encoder.encode(text);
  try {
    for (let written = 0; written < bytes.length;) {
      written += await Deno.stdout.write(bytes.subarray(written));
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
    return false;
  }
  return true;
}

/** Shows an event of the session: `said` to people, the event itself to programs. */
export function showEvent(event: { type: string }, said: { level: LogLevel; text: string } | null): void {
  if (said?.level === "warning") log.warning(said.text, event.type);
  else if (said !== null) log[said.level](said.text);
  printJson?.(event);
}

/** The texts of steps may come from a pod as well. */
function printableOnly(sink: ProgressSink): ProgressSink {
  return {
    begin: (title, slow) => sink.begin(oneLine(title), slow),
    note: (text) => sink.note(oneLine(text)),
    end: (title, text) => sink.end(oneLine(title), text === undefined ? undefined : oneLine(text)),
    pause: () => sink.pause(),
    resume: () => sink.resume(),
  };
}

/** Columns of the terminal, 80 when they are unknown. */
function columns(): number {
  try {
    return Deno.consoleSize().columns || 80;
  } catch {
    return 80;
  }
}

/** Asks on the terminal; null where nobody can answer. Rejects when `signal` aborts. */
export async function askYesNo(question: string, signal?: AbortSignal): Promise<boolean | null> {
  const answer = await askLine(`${question} [y/N]`, signal);
  return answer === null ? null : /^y(es)?$/i.test(answer);
}

/**
 * Asks for a line on the terminal, which is trimmed; null where nobody can answer. What is typed behind it
 * stays for the app. Rejects when `signal` aborts.
 */
export async function askLine(question: string, signal?: AbortSignal): Promise<string | null> {
  if (!Deno.stdin.isTerminal() || !Deno.stderr.isTerminal()) return null;
  using _held = holdSteps();
  writeFully(Deno.stderr, `${colour("yellow", "mirrord")} ${oneLine(question)} `);
  const stopped = Promise.withResolvers<never>();
  stopped.promise.catch(() => {});
  const stop = () => stopped.reject(signal?.reason);
  signal?.addEventListener("abort", stop);
  try {
    let answer = "";
    for (const byte = new Uint8Array(1); !answer.endsWith("\n");) {
      if (await Promise.race([Deno.stdin.read(byte), stopped.promise]) === null) break;
      answer += String.fromCharCode(byte[0] ?? 0);
    }
    return answer.trim();
  } finally {
    signal?.removeEventListener("abort", stop);
  }
}

/**
 * Prints a failure: message, causes, help; a bug with its stack. For programs (`isProgram`, or by
 * MIRRORD_PROGRESS_MODE) that is one line with JSON. Returns the exit code.
 */
export function printError(thrown: unknown, isProgram = false): number {
  let code = 0;
  const error = machineError(thrown) ?? thrown;
  stepAside(() => code = isProgram || progressMode() === "json" ? writeErrorLine(error) : writeError(error));
  return code;
}

/** Upstream's line for editors, which take it by its first word. */
function writeErrorLine(error: unknown): number {
  const known = error instanceof MirrordError;
  const stack = error instanceof Error ? error.stack ?? error.message : String(error);
  const line = JSON.stringify({
    message: known ? error.message : "Cannot go on: this is a bug in mirrord",
    severity: "error",
    causes: known ? [...causes(error)] : [stack],
    help: known ? error.help ?? "" : "",
    filename: "",
    labels: [],
    related: [],
  });
  writeFully(Deno.stderr, `Error: ${printable(line)}\n`);
  return known ? error.exitCode : exitCodes.bug;
}

function writeError(error: unknown): number {
  const known = error instanceof MirrordError;
  const text = known
    ? error.message
    : `Cannot go on: this is a bug in mirrord\n${error instanceof Error ? error.stack : error}`;
  writeFully(Deno.stderr, `${colour("red", "mirrord")} error: ${printable(text)}\n`);
  if (!known) return exitCodes.bug;
  for (const cause of causes(error)) writeFully(Deno.stderr, `  cause: ${printable(cause)}\n`);
  if (error.help !== undefined) {
    writeFully(Deno.stderr, `  ${colour("bold", "help")}: ${printable(error.help)}\n`);
  }
  return error.exitCode;
}

/** A log line stays one: text from elsewhere cannot begin another that looks like ours. */
function oneLine(text: string): string {
  return printable(text.replaceAll("\n", " "));
}

function label(level: LogLevel): string {
  return level === "warning" || level === "error" ? `${level}: ` : "";
}

function* causes(error: Error): Iterable<string> {
  for (let cause = error.cause; cause instanceof Error; cause = cause.cause) {
    if (!error.message.includes(cause.message)) yield cause.message;
  }
}

function writeFully(
  stream: { writeSync(bytes: Uint8Array): number },
  text: string | Uint8Array,
): void {
  const bytes = typeof text === "string" ? encoder.encode(text) : text;
  try {
    for (let written = 0; written < bytes.length;) written += stream.writeSync(bytes.subarray(written));
  } catch (error) {
    // The reader of our messages is gone, or the disk full that keeps them: the session is not ended for
    // that. A result is another thing.
    if (stream !== Deno.stderr && !(error instanceof Deno.errors.BrokenPipe)) throw error;
  }
}
