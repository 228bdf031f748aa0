// One run of a fuzz body: its seed and number of cases, and what must stay true throughout. A body gives
// `rounds` what one round is: a client, a session, some strangers. Rounds run side by side, each with choices
// of its own that the seed and its number lead to again. The body calls `case` for each case; whatever it
// throws, or an unhandled rejection, ends the process with the numbers of the rounds that were under way.
// `plant` names a fault that the body makes on purpose: each check has one, and a run with it must fail.

import { setImmediate } from "node:timers";
import { Random } from "./random.ts";

/** How often timers and collections have their turn, and memory and descriptors are looked at, in cases. */
const turnEvery = 1000;
/** How often garbage is collected, so that it is no growth, in cases. */
const collectEvery = 5000;
/** Before this many cases memory is still being taken for good: code, caches, first collections. */
const warmCases = 4000;
/** How much more the process may take than it did when it was warm. */
const mostGrowth = 160 << 20;
/** A case that takes longer hangs. */
const usualHangMs = 60_000;
/** So many cases say each kind of message. */
const wholeCases = 10_000;

export type Plant =
  | "leak"
  | "descriptor"
  | "rejection"
  | "hang"
  | "accept"
  | "eio"
  | "crash"
  | "deep"
  | "lost"
  | "unsaid"
  | null;

/** One run, as its process is told. */
export interface Order {
  seed: number;
  cases: number;
  plant: Plant;
  /** Only this one, to its end. */
  round?: number;
  /** How long one case may take. */
  hangMs?: number;
  /** A process that may be a target: of another user, with a root of its own. */
  target: number;
}

/** One turn of the event loop: what is there is read and answered. */
export function turn(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}

export class Fuzz implements Disposable {
  readonly cases: number;
  readonly plant: Plant;
  /** What the other side said to all cases: a run in which nothing is answered tests nothing. */
  answers = 0;
  readonly #random: Random;
  readonly #round: number | null;
  readonly #watchdog: number;
  readonly #kept: Uint8Array[] = [];
  readonly #underWay = new Set<number>();
  readonly #said = new Set<string>();
  #nextRound = 0;

  #done = 0;
  #lastDone = -1;
  #lookedAt = 0;
  #collectedAt = 0;
  #warm: { memory: number; descriptors: number } | null = null;

  constructor({ seed, cases, plant, round, hangMs = usualHangMs }: Omit<Order, "target">) {
    this.#random = new Random(seed);
    this.#round = round ?? null;
    this.cases = cases;
    this.plant = plant;
    this.#watchdog = setInterval(() => this.#lookForHang(), hangMs);
    Deno.unrefTimer(this.#watchdog);
    for (const event of ["error", "unhandledrejection"]) {
      globalThis.addEventListener(event, () => print(`${this.#where()}:\n`));
    }
  }

  /** Rounds so far. */
  get begun(): number {
    return this.#nextRound;
  }

  /** Cases so far. */
  get done(): number {
    return this.#done;
  }

  get isOver(): boolean {
    return this.#round === null && this.#done >= this.cases;
  }

  /**
   * Runs `body` again and again, `lanes` at a time, until there were cases enough. Now and then all rounds
   * end, and what they took must have been given back.
   */
  async rounds(lanes: number, body: (random: Random, lane: number) => Promise<void>): Promise<void> {
    if (this.#round !== null) return await this.#one(this.#round, 0, body);
    while (!this.isOver) {
      await Promise.all(Array.from({ length: lanes }, async (_, lane) => {
        do await this.#one(this.#nextRound++, lane, body); while (
          !this.isOver && this.#done - this.#lookedAt < turnEvery
        );
      }));
      this.#lookedAt = this.#done;
      await new Promise((resolve) => setTimeout(resolve));
      this.#look();
    }
  }

  /** One case is over. */
  async case(): Promise<void> {
    this.#done++;
    if (this.plant === "leak") this.#kept.push(new Uint8Array(1 << 17).fill(1));
    if (this.plant === "descriptor") Deno.openSync("/dev/null");
    if (this.plant === "rejection" && this.#done === 10) void Promise.reject(new Error("planted"));
    if (this.plant === "crash" && this.#done === 10) throw new RangeError("planted");
    if (this.plant === "hang" && this.#done === 10) await new Promise(() => {});
    if (this.#done % turnEvery === 0) await new Promise((resolve) => setTimeout(resolve));
  }

  /** Throws unless `isTrue`. */
  check(isTrue: boolean, what: string): void {
    if (!isTrue) throw new Error(`case ${this.#done}: ${what}`);
  }

  /** The body sent a message of this kind. */
  says(kind: string): void {
    if (this.plant !== "unsaid" || kind !== "ping") this.#said.add(kind);
  }

  /** Throws when the run was long and never said one of `kinds`. */
  checkSaid(kinds: readonly string[]): void {
    const unsaid = kinds.filter((kind) => !this.#said.has(kind));
    this.check(unsaid.length === 0 || this.#done < wholeCases, `never said: ${unsaid.join(", ")}`);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#watchdog);
  }

  async #one(
    round: number,
    lane: number,
    body: (random: Random, lane: number) => Promise<void>,
  ): Promise<void> {
    this.#underWay.add(round);
    await body(this.#random.part(round), lane);
    this.#underWay.delete(round);
  }

  #where(): string {
    return `case ${this.#done}, rounds under way: ${[...this.#underWay].join(" ")}`;
  }

  #look(): void {
    if (this.#done - this.#collectedAt >= collectEvery) {
      this.#collectedAt = this.#done;
      (globalThis as { gc?: () => void }).gc?.();
    }
    const memory = Deno.memoryUsage().rss;
    const descriptors = openDescriptors();
    if (this.#done < Math.min(warmCases, this.cases / 2)) return;
    this.#warm ??= { memory, descriptors };
    const growth = memory - this.#warm.memory;
    this.check(growth < mostGrowth, `memory grew by ${growth >> 20} MiB to ${memory >> 20} MiB`);
    const more = descriptors - this.#warm.descriptors;
    this.check(more < 64, `${more} descriptors more are open than when it was warm`);
  }

  #lookForHang(): void {
    if (this.#done === this.#lastDone) {
      print(`${this.#where()}: it hangs\n`);
      Deno.exit(3);
    }
    this.#lastDone = this.#done;
  }
}

function print(text: string): void {
  Deno.stderr.writeSync(new TextEncoder().encode(text));
}

/**
 * What is open. A file of the target that a client was opening when it ended is left to the kernel: an agent
 * has one client, and leaves with it. The target's root is mounted at /mnt (tests/support/file_target.ts).
 */
function openDescriptors(): number {
  return [...Deno.readDirSync("/proc/self/fd")].filter(({ name }) => {
    try {
      return !Deno.readLinkSync(`/proc/self/fd/${name}`).startsWith("/mnt");
    } catch {
      return false; // the one that reads the list
    }
  }).length;
}
