// The steps of a start, shown in three ways: a live checklist on a terminal, plain lines elsewhere, JSON
// lines for programs. Made by ui.ts, which hands over how to write a line. The live one owns the last line of
// the terminal while a step runs; other writers ask it to step aside first.

import type { ProgressSink } from "../core/base/progress.ts";

/** What a checklist writes with; `colour` may return the text as it is. */
export interface Screen {
  write(text: string): void;
  colour(style: "green" | "red" | "cyan" | "gray", text: string): string;
  columns(): number;
}

const frames = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏";
const frameMilliseconds = 80;
/** Clears the line and returns to its start (ECMA-48: EL, CR). */
const clearLine = "\r\x1b[K";

/** A checklist on a terminal. */
export class LiveChecklist implements ProgressSink {
  readonly #screen: Screen;
  #title: string | undefined;
  #note = "";
  #frame = 0;
  #timer: number | undefined;
  #since = 0;

  constructor(screen: Screen) {
    this.#screen = screen;
  }

  begin(title: string): void {
    this.#title = title;
    this.#note = "";
    this.#since = performance.now();
    this.resume();
  }

  note(text: string): void {
    this.#note = text;
    this.#draw();
  }

  end(title: string, text: string | undefined): void {
    this.pause();
    this.#title = undefined;
    const seconds = (performance.now() - this.#since) / 1000;
    const took = seconds < 1 ? "" : this.#screen.colour("gray", ` (${seconds.toFixed(1)} s)`);
    const { colour } = this.#screen;
    this.#screen.write(
      text === undefined ? `${colour("red", "✗")} ${title}\n` : `${colour("green", "✓")} ${text}${took}\n`,
    );
  }

  /** Leaves the terminal's last line empty. */
  pause(): void {
    if (this.#timer === undefined) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#screen.write(clearLine);
  }

  resume(): void {
    if (this.#title === undefined || this.#timer !== undefined) return;
    this.#timer = setInterval(() => this.#draw(), frameMilliseconds);
    Deno.unrefTimer(this.#timer);
    this.#draw();
  }

  /** Runs `write` with the last line empty. */
  aside(write: () => void): void {
    const drawn = this.#timer !== undefined;
    this.pause();
    write();
    if (drawn) this.resume();
  }

  #draw(): void {
    if (this.#timer === undefined) return; // Deno calls a timer cleared in the same turn in which it was due
    const frame = frames[this.#frame++ % frames.length] ?? "";
    const text = `${this.#title}${this.#note === "" ? "" : `: ${this.#note}`}`;
    const room = Math.max(this.#screen.columns() - 4, 10);
    const shown = [...text].length > room ? `${[...text].slice(0, room - 1).join("")}…` : text;
    this.#screen.write(`${clearLine}${this.#screen.colour("cyan", frame)} ${shown}`);
  }
}

/** A line for each step that is done, and for messages meanwhile. */
export function plainLines(line: (text: string) => void): ProgressSink {
  let last = "";
  return {
    begin(title, slow) {
      last = "";
      if (slow) line(title);
    },
    note(text) {
      if (text !== last) line(text);
      last = text;
    },
    end: (_, text) => text === undefined ? undefined : line(text),
    pause() {},
    resume() {},
  };
}

/** Upstream's JSON lines, one object each (NewTask, Info, FinishedTask). `parent`: all are parts of it. */
export function jsonLines(write: (value: unknown) => void, parent: string | null = null): ProgressSink {
  return {
    begin: (name) => write({ type: "NewTask", name, parent }),
    note: (message) => write({ type: "Info", message }),
    end: (name, message) =>
      write({ type: "FinishedTask", name, success: message !== undefined, message: message ?? null }),
    pause() {},
    resume() {},
  };
}
