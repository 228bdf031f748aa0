// Times in which this program did not run: stopped by Ctrl-Z, or on a machine that slept. The agent receives
// nothing meanwhile and leaves; the message about the lost link then names the pause as its cause. Made by
// session.ts.

import { NonsenseError } from "../../protocol-wasm/mod.ts";
import { exitCodes, SessionError } from "../base/errors.ts";
import { platform } from "../net/this_platform.ts";

const { secondsSinceBoot } = await platform.processes();

/** How often the clock is looked at. */
const intervalMs = 2000;
/** A check that is later than this means a pause. */
const lateSeconds = 2;
/** So long after its end a pause may be why a link is lost: a dead connection is noticed by its silence. */
const recentSeconds = 60;

export class Pauses implements Disposable {
  readonly #now: () => number;
  readonly #timer: number;
  #lookedAt: number;
  #last: { seconds: number; endedAt: number } | null = null;

  /** now: seconds of a clock that goes on while the machine sleeps (CLOCK_BOOTTIME). */
  constructor(now: () => number = secondsSinceBoot) {
    this.#now = now;
    this.#lookedAt = now();
    this.#timer = setInterval(() => this.#look(), intervalMs);
    Deno.unrefTimer(this.#timer);
  }

  /** The length of a pause that has just been, in whole seconds; null without one. */
  recent(): number | null {
    this.#look();
    if (this.#last === null || this.#lookedAt - this.#last.endedAt > recentSeconds) return null;
    return Math.round(this.#last.seconds);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    const now = this.#now();
    const late = now - this.#lookedAt - intervalMs / 1000;
    this.#lookedAt = now;
    if (late > lateSeconds) this.#last = { seconds: late, endedAt: now };
  }
}

/** The session itself failed, by a bug: no process of the app can be served rightly any more. */
export function brokenBy(error: unknown): SessionError {
  const text = error instanceof Error ? error.stack ?? error.message : String(error);
  return new SessionError(`Cannot serve the session, a bug in mirrord: ${text}`, {
    exitCode: exitCodes.bug,
    cause: error,
  });
}

/** The message for the user. pause: seconds for which mirrord did not run just before; null: it ran. */
export function agentGone(reason: Error | null, pause: number | null): SessionError {
  if (reason instanceof NonsenseError) {
    return new SessionError(
      `Cannot go on with the session: the agent sent a message that makes no sense (${reason.message})`,
      {
        help:
          "Check that agent.image is of this release. Otherwise another program in the pod answers in the agent's place, " +
          "or the agent has a bug. The target answers by itself again.",
        cause: reason,
      },
    );
  }
  const why = pause === null
    ? ""
    : `mirrord stood still for ${pause} s: it was stopped, or the machine slept. `;
  const state = pause === null ? "" : ` after a pause of ${pause} s`;
  return new SessionError(
    `Cannot go on with the session: the agent is gone${state} (${reason?.message ?? "it left"})`,
    {
      help: `${why}A target that lives answers by itself again. Restart mirrord once the target is healthy.`,
      cause: reason,
    },
  );
}
