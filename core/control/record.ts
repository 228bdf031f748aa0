// What is known of one session while it runs: its last events, its ports, its state. Made by control.ts, told
// by server.ts.

import { Details } from "../session/details.ts";
import type { SessionEvent } from "../session/events.ts";
import type { Answer, HeldPort, SessionFacts } from "./messages.ts";

/** Events that are kept for those who watch later. */
const mostKept = 256;

/** What is known when the session opens. */
export type OpeningFacts = Omit<SessionFacts, "id" | "pid" | "since" | "state" | "ports">;

/** What only the session itself can do; both return at once. */
export interface Ending {
  /** As SIGTERM does. */
  stop(): void;
  /** The app's processes are killed and the session is given up. */
  kill(): void;
}

/** An event with its time. */
export type Told = Extract<Answer, { event: SessionEvent }>;

export class SessionRecord {
  /** What happens in detail: it is not kept. */
  readonly details: Details = new Details();
  readonly #kept: Told[] = [];
  readonly #ports = new Map<number, HeldPort>();
  readonly #listening = new Set<(told: Told) => void>();
  #state: SessionFacts["state"] = "running";
  #agent: Pick<SessionFacts, "agent"> | null = null;

  /** Takes each event of the session. */
  take(event: SessionEvent): void {
    this.#follow(event);
    const told = { at: Date.now(), event };
    this.#kept.push(told);
    if (this.#kept.length > mostKept) this.#kept.shift();
    for (const listen of this.#listening) listen(told);
  }

  /** The kept events, the oldest first; `listen` hears further ones until the result is disposed. */
  hear(listen: (told: Told) => void): Disposable & { before: readonly Told[] } {
    this.#listening.add(listen);
    return { before: [...this.#kept], [Symbol.dispose]: () => void this.#listening.delete(listen) };
  }

  /** What changes while the session runs. */
  get present(): Pick<SessionFacts, "state" | "ports"> & Partial<Pick<SessionFacts, "agent">> {
    const ports = [...this.#ports.values()].sort((one, other) => one.port - other.port);
    return { state: this.#state, ports, ...this.#agent };
  }

  /** Another agent serves from now on. */
  follows(agent: SessionFacts["agent"]): void {
    this.#agent = { agent };
  }

  /** The teardown begins. */
  ends(): void {
    this.#state = "ending";
  }

  #follow(event: SessionEvent): void {
    switch (event.type) {
      case "subscribed": {
        const { port, mode, opened, filtered } = event;
        return void this.#ports.set(port, { port, mode, opened, filtered });
      }
      case "released":
        return void this.#ports.delete(event.port);
      case "paused":
        this.#state = "paused";
        return;
      case "silent":
      case "reconnecting":
        this.#state = "silent";
        return;
      case "reconnected":
      case "continued":
      case "heardAgain":
        this.#state = "running";
        return;
      case "lost":
        this.#state = "ending";
    }
  }
}
