// Where everything but cmd/ui.ts says things: a sink that ui.ts (or the agent's main) installs.
// Nothing is printed before a sink is there; secrets never come here.

export type LogLevel = "debug" | "info" | "warning" | "error";

/**
 * Receives every line; installed once by the program's entry. `topic`: what a warning is about, by a name
 * that editors know or that is an event's type.
 */
export type LogSink = (level: LogLevel, text: string, topic?: string) => void;

let sink: LogSink = () => {};
let showsDebug = false;

/** Installs the sink, which shows lines from `lowest` upwards; returns the one before. */
export function setLogSink(next: LogSink, lowest: LogLevel = "info"): LogSink {
  const before = sink;
  sink = next;
  showsDebug = lowest === "debug";
  return before;
}

export const log = {
  /** Whether debug lines are shown: for what costs something to find out. */
  isDebug: (): boolean => showsDebug,
  debug: (text: string): void => sink("debug", text),
  info: (text: string): void => sink("info", text),
  warning: (text: string, topic?: string): void => sink("warning", text, topic),
  error: (text: string): void => sink("error", text),
};
