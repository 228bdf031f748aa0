// One run of a fuzz body: its seed and number of cases, and what must stay true throughout. A body calls
// `case` for each case; whatever it throws, or an unhandled rejection, ends the process with the case's
// number, which the seed leads to again. `plant` names a fault that the body makes on purpose: each check has
// one, and a run with it must fail.

import { Random } from "./random.ts";

/** How often timers and collections have their turn, and memory and descriptors are looked at, in cases. */
const turnEvery = 1000;
/** Before this many cases memory is still being taken for good: code, caches, first collections. */
const warmCases = 4000;
/** How much more the process may take than it did when it was warm. */
const mostGrowth = 160 << 20;
/** A case that takes longer hangs. */
const usualHangMs = 60_000;

export type Plant = "leak" | "descriptor" | "rejection" | "hang" | "accept" | "eio" | "crash" | null;

/** One run, as its process is told. */
export interface Order {
  seed: number;
  cases: number;
  plant: Plant;
  /** How long one case may take. */
  hangMs?: number;
  /** A process that may be a target: of another user, with a root of its own. */
  target: number;
}

export class Fuzz implements Disposable {
  readonly random: Random;
  readonly cases: number;
  readonly plant: Plant;
  /** What the other side said to all cases: a run in which nothing is answered tests nothing. */
  answers = 0;
  readonly #watchdog: number;
  readonly #kept: Uint8Array[] = [];
  #done = 0;
  #lastDone = -1;
  #lookedAt = 0;
  #warm: { memory: number; descriptors: number } | null = null;

  constructor(
    { seed, cases, plant, hangMs = usualHangMs }: {
      seed: number;
      cases: number;
      plant: Plant;
      hangMs?: number;
    },
  ) {
    this.random = new Random(seed);
    this.cases = cases;
    this.plant = plant;
    this.#watchdog = setInterval(() => this.#lookForHang(), hangMs);
    Deno.unrefTimer(this.#watchdog);
  }

  /** Cases so far. */
  get done(): number {
    return this.#done;
  }

  get isOver(): boolean {
    return this.#done >= this.cases;
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

  /** Nothing of the cases so far is under way: what they took is given back. */
  async rest(): Promise<void> {
    if (this.#done - this.#lookedAt < turnEvery) return;
    this.#lookedAt = this.#done;
    await new Promise((resolve) => setTimeout(resolve));
    this.#look();
  }

  /** Throws, with the case's number, unless `isTrue`. */
  check(isTrue: boolean, what: string): void {
    if (!isTrue) throw new Error(`case ${this.#done}: ${what}`);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#watchdog);
  }

  #look(): void {
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
      Deno.stderr.writeSync(new TextEncoder().encode(`case ${this.#done}: it hangs\n`));
      Deno.exit(3);
    }
    this.#lastDone = this.#done;
  }
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
