// What an agent wants the developer to read, within limits: it cannot fill a terminal, a log file or a disk.
// Used by the handshake (core/deploy/connect.ts) and by the session (core/session/heard.ts). A burst of lines
// is shown, then one line in a second; the number of lines left out is logged.

import { noticeLevels } from "../../protocol-wasm/mod.ts";
import { log } from "../base/log.ts";

type Show = (level: typeof noticeLevels[number], text: string) => void;

const burst = 20;
const refillMs = 1000;
/** A longer notice is cut. */
const mostCharacters = 1000;
/** How soon left out notices are reported. */
const tellMs = 5000;

export class Notices implements Disposable {
  readonly #now: () => number;
  readonly #show: Show;
  #left = burst;
  #refilledAt: number;
  #omitted = 0;
  #timer: number | undefined;

  /** show: takes each line. now: milliseconds of a clock that only goes forward. */
  constructor(
    { show = (level, text) => log[level](text), now = () => performance.now() }: {
      show?: Show;
      now?: () => number;
    } = {},
  ) {
    this.#show = show;
    this.#now = now;
    this.#refilledAt = now();
  }

  /** Shows the notice, or counts it. level: as on the wire. */
  say(level: number, text: string): void {
    const periods = Math.floor((this.#now() - this.#refilledAt) / refillMs);
    this.#refilledAt += periods * refillMs;
    this.#left = Math.min(burst, this.#left + periods);
    if (this.#left === 0) return this.#omit();
    this.#left--;
    this.#tell();
    const cut = text.length > mostCharacters ? `${text.slice(0, mostCharacters)} …` : text;
    this.#show(noticeLevels[level] ?? "warning", cut);
  }

  /** Reports how many were left out since the last report. */
  [Symbol.dispose](): void {
    this.#tell();
  }

  #omit(): void {
    this.#omitted++;
    if (this.#timer !== undefined) return;
    this.#timer = setTimeout(() => this.#tell(), tellMs);
    Deno.unrefTimer(this.#timer);
  }

  #tell(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#omitted === 0) return;
    this.#show(
      "warning",
      `${this.#omitted} further notices of the agent are left out: the agent sends too many`,
    );
    this.#omitted = 0;
  }
}
