// Random choices that can be made again: all of them come from one seed. Used by every fuzz body.

/** Numbers at which something changes. */
const edges = [0, 1, 2, 3, 7, 8, 16, 23, 24, 40, 64, 127, 128, 255, 256, 4095, 4096, 65_535, 65_536, 262_144]
  .concat([1_048_576, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 2, 2 ** 32 - 1]);

export class Random {
  readonly #seed: number;
  #state: number;

  constructor(seed: number) {
    this.#seed = seed >>> 0;
    this.#state = this.#seed || 1;
  }

  /**
   * Choices of part `index` of what this one's seed stands for: the same whatever was chosen before, so that
   * what runs side by side can be made again.
   */
  part(index: number): Random {
    return new Random(mixed(this.#seed ^ mixed(index + 0x9e37_79b9)));
  }

  /** A whole number of [0, bound). Marsaglia's xorshift, whose upper bits are taken. */
  below(bound: number): number {
    this.#state ^= this.#state << 13;
    this.#state ^= this.#state >>> 17;
    this.#state ^= this.#state << 5;
    return Math.floor((this.#state >>> 0) / 2 ** 32 * bound);
  }

  /** True once in `times`. */
  once(times: number): boolean {
    return this.below(times) === 0;
  }

  pick<T>(from: readonly T[]): T {
    const one = from[this.below(from.length)];
    if (one === undefined) throw new RangeError("there is nothing to pick from");
    return one;
  }

  bytes(length: number): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(length);
    for (let at = 0; at < length; at++) bytes[at] = this.below(256);
    return bytes;
  }

  /** A number of `bits`, small or at an edge more often than not. */
  number(bits: 8 | 16 | 32): number {
    const most = 2 ** bits;
    if (this.once(2)) return this.below(Math.min(most, 64));
    return this.once(2) ? this.pick(edges) % most : this.below(most);
  }

  /** The same of 64 bits. */
  big(): bigint {
    const low = BigInt(this.number(32));
    return this.once(3) ? BigInt(this.number(32)) << 32n | low : this.once(8) ? (1n << 64n) - 1n - low : low;
  }
}

/** Numbers beside each other come far apart. The last steps of MurmurHash3. */
function mixed(number: number): number {
  let hash = number >>> 0;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85eb_ca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2_ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** A number for `bytes`: FNV-1a. */
export function numberOf(bytes: Uint8Array): number {
  let hash = 0x811c_9dc5;
  for (let at = 0; at < bytes.length; at++) hash = Math.imul(hash ^ (bytes[at] ?? 0), 0x0100_0193);
  return hash >>> 0;
}
