// The door by which other programs of this user see and end one session: its control socket. Made by
// cmd/open_session.ts before everything else of the session, so that it ends last: who asked for the end
// sees it when all is done. The socket is served by server.ts, which is loaded a moment after the session
// has begun: a start pays nothing for it. Invariant: the session never waits for it, and a session without it
// works just as well.

import { log } from "../base/log.ts";
import { type Ending, type OpeningFacts, SessionRecord } from "./record.ts";

/** How long after its session the socket is opened: programs that end at once have none. */
const soonMs = 100;

export class Control implements Disposable {
  readonly record: SessionRecord = new SessionRecord();
  #timer: number | undefined;
  #server: Disposable | null = null;
  #isOver = false;

  /** The session is there: its socket opens in a moment. */
  openSoon(facts: OpeningFacts, ending: Ending): void {
    const since = new Date().toISOString();
    this.#timer = setTimeout(() => void this.open({ ...facts, since }, ending), soonMs);
    Deno.unrefTimer(this.#timer);
  }

  /** Opens the socket; that it cannot is a line for those who look for it. */
  async open(facts: OpeningFacts & { since: string }, ending: Ending): Promise<void> {
    try {
      const { ControlServer } = await import("./server.ts");
      if (!this.#isOver) this.#server = new ControlServer(this.record, facts, ending);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      log.debug(`"mirrord session list" does not show this session: ${reason}`);
    }
  }

  /** Programs that watch, or wait for the end, see it now. */
  [Symbol.dispose](): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
    this.#server?.[Symbol.dispose]();
  }
}
