// What an editor reads of `mirrord ext` on standard output: upstream's JSON lines, one object each, and
// nothing else (docs/editors.md). Made by ui.ts, which hands over how to write a line. Invariant: once the
// session is ready, an editor that reads no more stops nothing of it.

import type { LogLevel } from "../core/base/log.ts";
import type { ProgressSink } from "../core/base/progress.ts";
import { jsonLines } from "./checklist.ts";
import { origin } from "./origin.ts";

/** Most lines that wait for an editor to read them. */
const maximumWaiting = 1000;
/** Warnings about which docs/editors.md has more to say: an editor shows a button for each. */
const buttons: Readonly<Record<string, string>> = {
  multipod_warning: "Several pods",
  handedOver: "Work handed to others",
  unhooked: "Programs outside the pod",
};

/** How lines are written. */
export interface EditorOutput {
  write(line: string): void;
  /** Resolves when the editor has room for the line, or is gone. */
  writeWhenRead(line: string): Promise<void>;
  /** The editor understands messages with buttons. */
  hasButtons: boolean;
}

export class EditorLines {
  /** Takes the steps, each as a part of the task. */
  readonly steps: ProgressSink;
  readonly #task: string;
  readonly #output: EditorOutput;
  readonly #waiting: string[] = [];
  #dropped = 0;
  #state: "starting" | "ready" | "ended" = "starting";

  constructor(task: string, output: EditorOutput) {
    this.#task = task;
    this.#output = output;
    this.steps = jsonLines((value) => this.#line(value), task);
    this.#line({ type: "NewTask", name: task, parent: null });
  }

  /** A line for people. */
  log(level: LogLevel, message: string, topic = ""): void {
    const label = buttons[topic];
    const isWarning = level === "warning" || level === "error";
    if (label === undefined || !isWarning || !this.#output.hasButtons) {
      return this.#line({ type: isWarning ? "Warning" : "Info", message });
    }
    const link = `${origin().homepage}/docs/editors.md#${topic.toLowerCase()}`;
    const actions = [{ kind: "Link", label, link }];
    this.#line({ type: "IdeMessage", message: { id: topic, level: "Warning", text: message, actions } });
  }

  /** The task is done, with what the editor starts programs by. */
  ready(result: unknown): void {
    this.#end(true, JSON.stringify(result));
    this.#state = "ready";
  }

  /** The task has failed, unless it was done. */
  failed(): void {
    if (this.#state === "starting") this.#end(false, null);
    this.#state = "ended";
  }

  #end(success: boolean, message: string | null): void {
    this.#line({ type: "FinishedTask", name: this.#task, success, message });
  }

  #line(value: unknown): void {
    const line = JSON.stringify(value);
    if (this.#state === "starting") return this.#output.write(line);
    if (this.#waiting.length >= maximumWaiting) {
      this.#dropped++;
      return;
    }
    if (this.#waiting.push(line) === 1) void this.#writeWaiting();
  }

  async #writeWaiting(): Promise<void> {
    for (let line = this.#waiting[0]; line !== undefined; line = this.#waiting[0]) {
      await this.#output.writeWhenRead(line);
      this.#waiting.shift();
      if (this.#dropped > 0 && this.#waiting.length === 0) {
        const message = `${this.#dropped} messages were dropped, as they were not read`;
        this.#dropped = 0;
        this.#waiting.push(JSON.stringify({ type: "Warning", message }));
      }
    }
  }
}
