// All sessions of this user, watched at once: the ones that run and the ones that begin later. Made by what
// shows sessions for as long as it runs (cmd/page, cmd/mcp). The last answers of each are kept, also for a
// while after its end.

import { controlFolders, type SocketName, socketsIn } from "./folder.ts";
import type { Answer } from "./messages.ts";
import { watchSession } from "./sessions.ts";

/** How often new sessions are looked for. */
const lookMs = 500;
/** Answers of one session that are kept. */
const mostKept = 1000;
/** Sessions that have ended and are kept. */
const mostEnded = 10;

/** What a session said; `ended`: it is over. */
export interface Watched {
  session: string;
  answer: Answer | { ended: true };
}

interface Kept {
  answers: Watched[];
  isOver: boolean;
}

export class SessionsWatch implements Disposable {
  readonly #over = new AbortController();
  readonly #sessions = new Map<string, Kept>();
  readonly #listening = new Set<(watched: Watched) => void>();
  readonly #timer: number;

  constructor() {
    this.#look();
    this.#timer = setInterval(() => this.#look(), lookMs);
  }

  /** What is kept, session by session; `listen` hears what comes until the result is disposed. */
  hear(listen: (watched: Watched) => void): Disposable & { before: Watched[] } {
    this.#listening.add(listen);
    const before = [...this.#sessions.values()].flatMap(({ answers }) => answers);
    return { before, [Symbol.dispose]: () => void this.#listening.delete(listen) };
  }

  /** What is kept of one session; empty: there is none of this id. */
  of(session: string): readonly Answer[] {
    const kept = this.#sessions.get(session)?.answers ?? [];
    return kept.flatMap(({ answer }) => "ended" in answer ? [] : [answer]);
  }

  [Symbol.dispose](): void {
    this.#over.abort();
    clearInterval(this.#timer);
    this.#listening.clear();
  }

  #look(): void {
    for (const name of controlFolders().flatMap(socketsIn)) {
      if (!this.#sessions.has(name.id)) void this.#follow(name);
    }
  }

  async #follow(name: SocketName): Promise<void> {
    const kept: Kept = { answers: [], isOver: false };
    this.#sessions.set(name.id, kept);
    try {
      for await (const answer of watchSession(name, { signal: this.#over.signal, details: true })) {
        this.#keep(name.id, kept, answer);
      }
    } catch {
      // It says what cannot be read: as good as ended.
    }
    kept.isOver = true;
    // One that never answered is looked at again: its socket may have been too young, or is nobody's.
    if (kept.answers.length === 0) return void this.#sessions.delete(name.id);
    this.#keep(name.id, kept, { ended: true });
    const ended = [...this.#sessions].filter(([, { isOver }]) => isOver);
    for (const [id] of ended.slice(0, -mostEnded)) this.#sessions.delete(id);
  }

  /** The facts stay, which are the first. */
  #keep(session: string, { answers }: Kept, answer: Watched["answer"]): void {
    const watched = { session, answer };
    answers.push(watched);
    if (answers.length > mostKept) answers.splice(1, 1);
    for (const listen of this.#listening) listen(watched);
  }
}
