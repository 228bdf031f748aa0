// How many connections an agent serves at a time, and what happens to more: the kernel leaves them to the
// original, which costs the agent nothing, and they are counted and reported. Owned by steal.ts.

import type { Heartbeat } from "./heartbeat.ts";

/** No agent serves more, whatever it may. */
const mostConnections = 16_384;
/** Descriptors that are reserved for other uses. */
const otherDescriptors = 256;
/** One to the peer, one to the original. */
const descriptorsEach = 2;
/** Memory that is kept, and how often it is looked at. */
const memoryReserve = 32 << 20;
const memoryLook = 64;
/** Counts are reported at most this often. */
const tellMs = 10_000;

/** How many connections fit, with so many descriptors allowed. */
export function connectionLimit(descriptors: number): number {
  return Math.max(
    1,
    Math.min(mostConnections, Math.floor((descriptors - otherDescriptors) / descriptorsEach)),
  );
}

export interface CrowdOptions {
  limit: number;
  /** Bytes of memory that are left. */
  room(): number;
  heartbeat: Pick<Heartbeat, "setFull">;
  /** Notifies the developer. */
  say(text: string): void;
}

export class Crowd {
  readonly #options: CrowdOptions;
  /** What fits now: less than the most when memory is short. */
  #limit: number;
  #count = 0;
  #full = false;
  /** Connections left to the original that were not reported yet. */
  #untold = 0;
  #toldAt = -Infinity;
  #timer: number | undefined;

  constructor(options: CrowdOptions) {
    this.#options = options;
    this.#limit = options.limit;
  }

  /** One more. False: it is one too many, and goes to the original. */
  enter(): boolean {
    this.#count++;
    const { heartbeat, room } = this.#options;
    if (!this.#full && this.#count % memoryLook === 0 && room() < memoryReserve) {
      this.#limit = this.#count - 1;
    }
    if (this.#count <= this.#limit) return true;
    this.#untold++;
    if (!this.#full) {
      this.#full = true;
      heartbeat.setFull(true);
      if (this.#timer === undefined) {
        this.#tell(`${this.#limit} are served, the original gets new ones until there are fewer`);
      }
    }
    return false;
  }

  /** One less. */
  leave(): void {
    this.#count--;
    if (!this.#full || this.#count > this.#limit * 7 / 8) return;
    this.#full = false;
    this.#limit = this.#options.limit;
    this.#untold += this.#options.heartbeat.setFull(false);
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#tellCount();
    }, Math.max(0, this.#toldAt + tellMs - performance.now()));
  }

  #tellCount(): void {
    const count = this.#untold;
    this.#untold = 0;
    this.#toldAt = performance.now();
    const state = this.#full ? "" : "; new ones are stolen again";
    this.#tell(`the original got ${count} ${count === 1 ? "connection" : "connections"}${state}`);
  }

  #tell(state: string): void {
    this.#options.say(`More connections than fit were under way on stolen ports: ${state}`);
  }
}
