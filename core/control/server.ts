// The control socket of one session: answers other programs of this user (messages.ts). Loaded and made by
// control.ts.

import { log } from "../base/log.ts";
import { pauseOrEnd } from "../base/pause.ts";
import { platform } from "../net/this_platform.ts";
import { closeQuietly } from "../session/streams.ts";
import { ownFolder, socketPath } from "./folder.ts";
import { linesOf, type Question, type SessionFacts } from "./messages.ts";
import type { Ending, OpeningFacts, SessionRecord } from "./record.ts";
import { removeLeft } from "./sessions.ts";
import { Watcher } from "./watcher.ts";

const { localPeers } = await platform.network();

/** Connections at a time; further ones are refused. */
const mostConnections = 32;
/** How long a connection may take to ask. */
const questionMs = 5000;
/** How long accepting rests after it failed. */
const acceptPauseMs = 1000;

export class ControlServer implements Disposable {
  readonly #record: SessionRecord;
  readonly #facts: Omit<SessionFacts, "state" | "ports">;
  readonly #ending: Ending;
  readonly #path: string;
  readonly #listener: Deno.Listener;
  readonly #conns = new Set<Deno.Conn>();
  #isOver = false;

  /** Throws where no socket can be had. */
  constructor(record: SessionRecord, facts: OpeningFacts & { since: string }, ending: Ending) {
    const id = crypto.getRandomValues(new Uint8Array(4)).toHex();
    this.#record = record;
    this.#facts = { id, pid: Deno.pid, ...facts };
    this.#ending = ending;
    const folder = ownFolder();
    this.#path = socketPath(folder, id);
    this.#listener = Deno.listen({ transport: "unix", path: this.#path });
    Deno.chmodSync(this.#path, 0o600);
    void this.#serve();
    void removeLeft(folder).catch(() => {}); // the next session tries again
  }

  [Symbol.dispose](): void {
    this.#isOver = true;
    closeQuietly(this.#listener);
    for (const conn of this.#conns) closeQuietly(conn);
    try {
      Deno.removeSync(this.#path);
    } catch {
      // Another program removed it.
    }
  }

  async #serve(): Promise<void> {
    while (!this.#isOver) {
      try {
        void this.#answer(await this.#listener.accept());
      } catch (error) {
        if (this.#isOver) return;
        log.debug(`The session's control socket waits: ${textOf(error)}`); // no descriptor is free
        await pauseOrEnd(acceptPauseMs, undefined);
      }
    }
  }

  /** One connection, to its end. */
  async #answer(conn: Deno.Conn): Promise<void> {
    this.#conns.add(conn);
    try {
      const watcher = new Watcher(conn);
      const refusal = this.#refusal();
      const question = await asked(conn); // what is not read would reset the connection under the answer
      if (question === null) return;
      if (refusal !== null) return await watcher.end({ refused: refusal });
      const facts = { facts: { ...this.#facts, ...this.#record.present } };
      switch (question.ask) {
        case "facts":
          return await watcher.end(facts);
        case "watch":
          return await this.#watch(watcher, facts.facts, question.details === true);
        case "stop":
        case "kill":
          watcher.tell(facts);
          await watcher.drained();
          this.#ending[question.ask]();
          return await watcher.gone(); // the end of the connection is that of the session
        default:
          return await watcher.end({ refused: "the question is not known" });
      }
    } catch {
      // Its other end is gone, or sends nonsense.
    } finally {
      this.#conns.delete(conn);
      closeQuietly(conn);
    }
  }

  /** Why nobody is served; null: the connection is this user's, or root's. */
  #refusal(): string | null {
    if (this.#conns.size > mostConnections) return "there are too many connections";
    const isForeign = (user: number) => user !== 0 && user !== Deno.uid();
    return localPeers(this.#path).some(isForeign) ? "another user is connected" : null;
  }

  async #watch(watcher: Watcher, facts: SessionFacts, isDetailed: boolean): Promise<void> {
    using heard = this.#record.hear((told) => watcher.tell(told));
    for (const answer of [{ facts }, ...heard.before]) watcher.tell(answer);
    using _details = isDetailed
      ? this.#record.details.watch((detail) => watcher.tell({ at: Date.now(), detail }))
      : null;
    await watcher.gone();
  }
}

/** The one question of a connection; null: it ended, or was silent for too long. */
async function asked(conn: Deno.Conn): Promise<Question | null> {
  const timer = setTimeout(() => closeQuietly(conn), questionMs);
  Deno.unrefTimer(timer);
  try {
    for await (const line of linesOf(conn)) return JSON.parse(line) as Question;
    return null;
  } finally {
    clearTimeout(timer);
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
