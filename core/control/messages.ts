// What goes over a session's control socket: lines of JSON. A program that connects asks once, by one line;
// the session answers by lines, and ends the connection with itself. docs/sessions.md describes it for other
// programs: fields are only added.

import type { SessionDetail } from "../session/details.ts";
import type { SessionEvent } from "../session/events.ts";

/**
 * facts: one line of facts. watch: facts, then events, those of before first. stop, kill: a line of facts.
 * details: with watch, what happens in detail as well.
 */
export type Question = { ask: "facts" | "watch" | "stop" | "kill"; details?: boolean };

/** A port of the target that the session has. */
export interface HeldPort {
  port: number;
  mode: "steal" | "mirror";
  /** From where it is reached: the event `subscribed` (docs/events.md). */
  opened: string;
  filtered: boolean;
}

/** What a session tells of itself. */
export interface SessionFacts {
  id: string;
  version: string;
  pid: number;
  /** The command that opened it. */
  kind: "exec" | "ext" | "container" | "container-ext" | "port-forward";
  /** The program and its arguments; empty where an editor starts programs; port-forward's own words. */
  command: string[];
  /** The working directory. */
  directory: string;
  /** As the configuration names it. */
  target: string;
  namespace: string | null;
  context: string | null;
  /** The configuration file. */
  config: string | null;
  /** When it began: ISO 8601. */
  since: string;
  /** Where the agent is; null: there is none. */
  agent: { place: string; node: string | null; image: string | null; kernel: string } | null;
  state: "running" | "paused" | "silent" | "ending";
  ports: HeldPort[];
}

/** What a session answers. */
export type Answer =
  | { facts: SessionFacts }
  /** at: when it happened, in milliseconds since 1970. */
  | { at: number; event: SessionEvent }
  | { at: number; detail: SessionDetail }
  /** So many events were left out, as they were not read in time. */
  | { dropped: number }
  | { refused: string };

/** No line is longer. */
const mostLine = 1 << 20;

/** The lines that come from `source`, without their ends. Throws for one that is too long. */
export async function* linesOf(
  source: { read(into: Uint8Array): Promise<number | null> },
): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  const bytes = new Uint8Array(16384);
  let rest = "";
  for (let count = await source.read(bytes); count !== null; count = await source.read(bytes)) {
    const parts = (rest + decoder.decode(bytes.subarray(0, count), { stream: true })).split("\n");
    rest = parts.pop() ?? "";
    if (rest.length > mostLine) throw new RangeError("a line is too long");
    yield* parts;
  }
}
