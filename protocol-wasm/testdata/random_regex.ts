// Random inputs for tests, the same in every run: a number source by seed, and patterns in the syntax that
// JavaScript's RegExp (flag u) and mirrord's engine share.

/** A linear congruential generator (Numerical Recipes); good enough to vary test inputs. */
export class RandomSource {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** An integer from 0 to `limit` - 1. */
  below(limit: number): number {
    this.#state = (Math.imul(this.#state, 1664525) + 1013904223) >>> 0;
    return Math.floor((this.#state / 2 ** 32) * limit);
  }

  pick<T>(items: readonly T[]): T {
    const item = items[this.below(items.length)];
    if (item === undefined) throw new RangeError("nothing to pick from");
    return item;
  }

  bytes(length: number): Uint8Array<ArrayBuffer> {
    return Uint8Array.from({ length }, () => this.below(256));
  }
}

const literals = ["a", "b", "A", "B", "z", "0", "9", "_", " ", "=", ":", "é", "日", "€", "\\n"];
const sets = ["\\d", "\\w", "\\s", "\\D", "\\W", "\\S"];
const ranges = ["a-b", "A-z", "0-9", "a-é", "0-z", " -~", "\\-"];
const quantifiers = ["*", "+", "?", "{2}", "{0,2}", "{1,}", "*?", "+?", "{1,3}?", "{0}"];

/** A pattern of bounded depth and its flags out of i, m and s. */
export function randomRegex(random: RandomSource): { pattern: string; flags: string } {
  const flags = [..."ims"].filter(() => random.below(3) === 0).join("");
  return { pattern: node(random, 1 + random.below(5)), flags };
}

function node(random: RandomSource, depth: number): string {
  if (depth === 0) return atom(random);
  const inner = () => node(random, depth - 1);
  switch (random.below(11)) {
    case 0:
    case 1:
    case 2:
      return Array.from({ length: random.below(4) }, inner).join("");
    case 3:
      return `(?:${inner()}|${inner()})`;
    case 4:
      return `(${inner()})`;
    case 5:
      return `(?:${inner()})${random.pick(quantifiers)}`;
    case 6:
      return random.pick(["^", "$", "\\b", "\\B"]);
    case 7:
      return `(?=${inner()})`;
    case 8:
      return `(?!${inner()})`;
    case 9:
      return `(?${random.pick(["<=", "<!"])}${inner()})`;
    default:
      return atom(random);
  }
}

function atom(random: RandomSource): string {
  switch (random.below(6)) {
    case 0:
      return ".";
    case 1:
      return random.pick(sets);
    case 2: {
      const items = Array.from(
        { length: 1 + random.below(3) },
        () => random.pick([...literals, ...sets, ...ranges]),
      );
      return `[${random.below(3) === 0 ? "^" : ""}${items.join("")}]`;
    }
    default:
      return random.pick(literals);
  }
}
