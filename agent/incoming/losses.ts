// What a mirror did not bring to the session, counted by port and reason and reported: the first time at
// once, later at intervals. Called by mirror.ts. Invariant: what is counted is reported, at the latest when
// the client ends.

/**
 * slow: the session (its app) took its bytes too slowly. missed: packets were not copied, the agent was too
 * slow or the network lost them. many: too many connections at a time.
 */
export type LossKind = "slow" | "missed" | "many";

const pauseMs = 5000;

interface Loss {
  connections: number;
  bytes: number;
}

export class Losses {
  readonly #say: (text: string) => void;
  readonly #counts = new Map<string, { port: number; kind: LossKind; loss: Loss }>();
  #packets = 0;
  #toldAt = -Infinity;

  constructor(say: (text: string) => void) {
    this.#say = say;
  }

  /** One connection lost `bytes`. */
  add(port: number, kind: LossKind, bytes: number): void {
    const key = `${port} ${kind}`;
    const entry = this.#counts.get(key) ?? { port, kind, loss: { connections: 0, bytes: 0 } };
    entry.loss.connections++;
    entry.loss.bytes += bytes;
    this.#counts.set(key, entry);
  }

  /** So many packets, of whatever connection, were not copied for want of room. */
  addPackets(count: number): void {
    this.#packets += count;
  }

  /** Reports what was counted, unless a report was made a short while ago. `now` by `performance.now`. */
  tellInTime(now: number): void {
    if ((this.#counts.size === 0 && this.#packets === 0) || now - this.#toldAt < pauseMs) return;
    this.#toldAt = now;
    this.tell();
  }

  /** Reports what was counted. */
  tell(): void {
    for (const { port, kind, loss } of this.#counts.values()) this.#say(sentence(port, kind, loss));
    this.#counts.clear();
    if (this.#packets > 0) {
      this.#say(`The mirror is incomplete: ${this.#packets} packets came faster than the agent took them`);
    }
    this.#packets = 0;
  }
}

function sentence(port: number, kind: LossKind, { connections, bytes }: Loss): string {
  const what = connections === 1 ? "a connection" : `${connections} connections`;
  switch (kind) {
    case "slow":
      return `The mirror of port ${port} is incomplete: the app is too slow, ${what} lost ${bytes} bytes`;
    case "missed":
      return `The mirror of port ${port} is incomplete: packets are missing, ${what} lost ${bytes} bytes`;
    case "many":
      return `The mirror of port ${port} is incomplete: too many connections at a time, ${what} left out`;
  }
}
